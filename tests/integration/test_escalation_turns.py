"""What was told is told again as it stands: waits that run on, take each other in, or turn out to be none."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from alerts.core.model import Answer, AnswerKind, Channel, Delivery, Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.slack import render_message
from alerts.core.words.sms import render_sms
from monitor.core.messages import Where
from monitor.jobs.answers import apply_answer, exclude_messages, include_messages
from monitor.store.decisions import read_heir
from monitor.store.engine import reading
from monitor.store.schema import sla_clock
from tests.fakes_alerts import doubt, refusal
from tests.support.jobs_world import HOOK, ORDERS, Build, JobsWorld, alias_of, rings
from tests.support.mails import bounce, buyer_mail, seller_reply

pytestmark = pytest.mark.integration

A, B = ORDERS[:2]
ENGLISH = words_for("en", "Europe/Paris")


def test_the_end_of_a_wait_that_runs_on_before_it_was_told_is_told_nobody(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    sent_at = world.clock()
    world.notifiers[Channel.SMS].before.extend([refusal(), refusal()])
    world.reply(A)
    world.cycle()
    world.clock.advance(seconds=1)
    world.mail(bounce(world.clock(), of=sent_at, order=A, alias=alias_of(A)))
    sent = world.cycle() + world.advance(minutes=9)
    phone = [one for one in sent if one.channel is Channel.SMS]
    assert {one.purpose for one in phone} == {Purpose.ALERT}
    assert all("reply due in" in render_sms(ENGLISH, one) for one in phone)


def test_an_end_that_was_held_by_the_rate_of_messages_is_forgotten_when_the_mark_is_taken_back(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.0001)
    world.clock.advance(seconds=20)
    world.say(AnswerKind.ANSWERED, A)
    world.cycle()
    assert world.waiting() == 1  # Ana's phone rang a moment ago
    world.say(AnswerKind.UNDO, A)
    sent = world.cycle() + world.advance(minutes=4)
    assert [one.purpose for one in sent if one.channel is Channel.SMS] == [Purpose.ALERT]
    assert "slack team" in rings(sent)


def ask_twice(world: JobsWorld) -> None:
    """Let one buyer ask before a sale, be told of; and then, as it seems another one, about an order."""
    world.mail(buyer_mail(world.clock(), order=None, alias=alias_of(A), token="FIRST"))
    world.advance(minutes=10)
    world.mail(buyer_mail(world.clock(), order=A, alias=alias_of(A), token="SECOND"))


def link(world: JobsWorld) -> None:
    """Let a mail of the first conversation name the order: both are one thread."""
    world.mail(buyer_mail(world.clock(), order=A, alias=alias_of(A), token="FIRST"))


def test_of_two_threads_that_are_one_the_later_message_in_slack_says_so_and_both_numbers_mean_it(build: Build) -> None:
    world = build()
    ask_twice(world)
    codes = [one.code for one in world.advance(hours=22.1) if one.channel is Channel.SMS]
    assert codes == [1, 2]
    link(world)
    drawn = {one.post.message: render_message(ENGLISH, one) for one in world.cycle() if one.post is not None}
    texts = sorted(message.text for message in drawn.values())
    assert texts[0].startswith(f"FR · {A} · reply due in")
    assert texts[1:] == [f"Joined with order {A}: see its own message."]
    assert [[block["type"] for block in message.blocks] for message in drawn.values()].count(["context"]) == 1
    assert world.say(AnswerKind.ACKNOWLEDGE, by="Ana", code=2).text_key == "acknowledged"
    assert world.say(AnswerKind.ANSWERED, by="Ana", code=1).text_key == "answered"


def test_of_three_threads_that_are_one_before_slack_is_told_two_messages_say_so_and_the_oldest_goes_on(
    build: Build,
) -> None:
    world = build()
    for token, order in (("ZERO", None), ("FIRST", None), ("SECOND", A)):
        world.mail(buyer_mail(world.clock(), order=order, alias=alias_of(A), token=token))
        world.advance(minutes=5)
    alerts = [one for one in world.advance(hours=17) if one.channel is Channel.SLACK and one.purpose is Purpose.ALERT]
    oldest = f"ts-{alerts[0].reference[:8]}"
    for token in ("FIRST", "ZERO"):
        world.mail(buyer_mail(world.clock(), order=A, alias=alias_of(A), token=token))
    drawn = {one.post.message: dict(one.content) for one in world.cycle() if one.post is not None}
    assert len(drawn) == 3
    assert drawn.pop(oldest) == {}
    assert list(drawn.values()) == [{"gone": "joined"}] * 2


def test_a_press_on_the_message_of_a_thread_that_joined_another_is_stale_and_not_unknown(build: Build) -> None:
    world = build()
    ask_twice(world)
    second = world.advance(hours=22.1)[-1].threads[0]
    link(world)
    pressed = Answer(
        event_id="press",
        kind=AnswerKind.ACKNOWLEDGE,
        by="Bo",
        at=world.clock(),
        source="slack",
        thread_id=second.thread_id,
        clock_id=second.clock_id,
    )
    assert apply_answer(world.services, world.policies, pressed).text_key == "stale"


def test_a_wait_whose_thread_is_part_of_an_older_one_goes_on_in_its_own_message(build: Build) -> None:
    world = build()
    world.mail(buyer_mail(world.clock(), order=None, alias=alias_of(A), token="FIRST"))
    world.advance(hours=1)
    world.mail(seller_reply(world.clock(), order="", alias=alias_of(A)), Where.SENT)
    world.advance(hours=1)
    world.mail(buyer_mail(world.clock(), order=A, alias=alias_of(A), token="SECOND"))
    told = [one for one in world.advance(hours=22.1) if one.purpose is Purpose.ALERT]
    posts = {one.post.message for one in world.advance(minutes=1) + told if one.post is not None}
    link(world)
    drawn = world.cycle()
    posts |= {one.post.message for one in drawn if one.post is not None}
    assert [one.channel for one in drawn] == [Channel.SLACK]
    assert render_message(ENGLISH, drawn[0]).text.startswith(f"FR · {A} · reply due in")
    assert world.say(AnswerKind.ACKNOWLEDGE, by="Ana", code=1).accepted
    world.mail(seller_reply(world.clock(), order=A, alias=alias_of(A)), Where.SENT)
    ended = world.cycle()
    assert {(one.channel, one.purpose) for one in ended} >= {
        (Channel.SLACK, Purpose.CLOSED),
        (Channel.SMS, Purpose.CLOSED),
    }
    posts |= {one.post.message for one in ended if one.post is not None}
    assert len(posts) == 1


def test_who_was_told_of_a_wait_that_is_part_of_one_closed_before_hears_the_end_and_keeps_no_number(
    build: Build,
) -> None:
    world = build()
    ask_twice(world)
    pages = [one for one in world.advance(hours=22.2) if one.channel is Channel.SMS]
    first = pages[0].threads[0].thread_id
    answered = Answer(
        event_id="press", kind=AnswerKind.ANSWERED, by="Ana", at=world.clock(), source="slack", thread_id=first
    )
    assert apply_answer(world.services, world.policies, answered).accepted
    world.cycle()
    world.advance(minutes=3)
    link(world)
    told = [one for one in world.cycle() if one.channel is Channel.SMS]
    assert [(one.purpose, one.person) for one in told] == [(Purpose.CLOSED, "Ana")]
    assert render_sms(ENGLISH, told[0]).startswith(f"Done: {A} answered")
    assert [one for one in world.advance(hours=3) if one.channel is Channel.SMS] == []
    world.mail(seller_reply(world.clock(), order=A, alias=alias_of(A)), Where.SENT)
    world.ask(B)
    assert [one.code for one in world.advance(hours=22.1) if one.channel is Channel.SMS] == [1]


TELL_HOOK = (
    HOOK
    + """
[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["hook"]
"""
)


def told_the_hook(sent: list[Delivery]) -> list[tuple[Purpose, int]]:
    return [(one.purpose, one.threads[0].thread_id) for one in sent if one.channel is Channel.WEBHOOK]


def test_a_webhook_hears_the_end_of_each_thread_that_it_was_told_of(build: Build) -> None:
    world = build(policy=TELL_HOOK)
    ask_twice(world)
    begun = told_the_hook(world.advance(hours=17))
    assert [purpose for purpose, _ in begun] == [Purpose.ALERT] * 2
    link(world)
    assert told_the_hook(world.cycle() + world.advance(minutes=5)) == []
    world.mail(seller_reply(world.clock(), order=A, alias=alias_of(A)), Where.SENT)
    ended = told_the_hook(world.cycle())
    assert sorted(ended) == [(Purpose.CLOSED, thread_id) for _, thread_id in begun]


def test_a_webhook_hears_the_end_where_a_wait_left_its_thread_and_when_it_runs_on(build: Build) -> None:
    world = build(policy=TELL_HOOK)
    ask_without_order(world)
    ((_, thread_id),) = told_the_hook(world.advance(hours=17))
    ask_about_another_order(world)
    (clock_id,) = {one.threads[0].clock_id for one in world.sent if one.threads}
    world.cycle()
    moved = Answer(
        event_id="press",
        kind=AnswerKind.ANSWERED,
        by="Bo",
        at=world.clock(),
        source="slack",
        thread_id=thread_of_clock(world, clock_id),
    )
    assert moved.thread_id != thread_id
    assert apply_answer(world.services, world.policies, moved).accepted
    assert told_the_hook(world.cycle()) == [(Purpose.CLOSED, thread_id)]
    undone = replace(moved, event_id="undo", kind=AnswerKind.UNDO)
    assert apply_answer(world.services, world.policies, undone).accepted
    assert (Purpose.REOPENED, thread_id) in told_the_hook(world.cycle())


def thread_of_clock(world: JobsWorld, clock_id: int) -> int:
    with reading(world.services.engine) as connection:
        return int(connection.execute(select(sla_clock.c.thread_id).where(sla_clock.c.id == clock_id)).scalar_one())


def bare(content: bytes) -> bytes:
    """Return a mail without Amazon's link: nothing in it tells the conversation."""
    return b"\n".join(line for line in content.split(b"\n") if b"no-response-needed" not in line)


def ask_without_order(world: JobsWorld) -> None:
    """Let a buyer of one answered order ask again without naming it, and be told of: it belongs to that order."""
    world.mail(bare(buyer_mail(world.clock(), order=A, alias=alias_of(A))))
    world.advance(minutes=10)
    world.reply(A)
    world.cycle()
    world.advance(hours=1)
    world.mail(bare(buyer_mail(world.clock(), order=None, alias=alias_of(A), words="Et la facture ?")))


def ask_about_another_order(world: JobsWorld) -> None:
    """Let the same buyer write about a second order: what names none belongs to neither any more."""
    world.mail(bare(buyer_mail(world.clock(), order=B, alias=alias_of(A), words="Autre commande")))


def test_a_wait_that_leaves_a_thread_that_goes_on_takes_its_message_along(build: Build) -> None:
    world = build()
    ask_without_order(world)
    told = [one for one in world.advance(hours=24.1) if one.channel is Channel.SLACK and one.purpose is Purpose.ALERT]
    stands = f"ts-{told[0].reference[:8]}"
    ask_about_another_order(world)
    (drawn,) = world.cycle()
    assert drawn.post is not None
    assert (drawn.post.message, drawn.threads[0].clock_id) == (stands, told[0].threads[0].clock_id)
    message = render_message(ENGLISH, drawn)
    assert "OVERDUE" in message.text
    assert "actions" in [block["type"] for block in message.blocks]
    pressed = f"{drawn.threads[0].thread_id}.{drawn.threads[0].clock_id}"
    assert pressed in str(message.blocks)


def test_a_wait_that_runs_on_in_another_thread_is_told_there_in_its_own_message(build: Build) -> None:
    world = build()
    ask_without_order(world)
    alert = next(one for one in world.advance(hours=17) if one.purpose is Purpose.ALERT)
    world.reply(A)
    world.cycle()
    world.advance(minutes=5)
    ask_about_another_order(world)
    (again,) = world.cycle()
    assert again.post is not None
    assert (again.purpose, again.post.message) == (Purpose.REOPENED, f"ts-{alert.reference[:8]}")
    assert again.threads[0].thread_id == thread_of_clock(world, again.threads[0].clock_id)


def test_a_wait_that_was_not_told_yet_leaves_the_message_of_the_thread_behind(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=17)
    world.reply(A)
    world.cycle()
    world.advance(hours=1)
    world.mail(bare(buyer_mail(world.clock(), order=None, alias=alias_of(A), words="Et la facture ?")))
    world.advance(hours=1)
    ask_about_another_order(world)
    stands = {one.post.message for one in world.cycle() if one.post is not None}
    alerts = [one for one in world.advance(hours=16) if one.channel is Channel.SLACK and one.purpose is Purpose.ALERT]
    assert len(stands) == 1
    assert alerts[0].post is None


def test_what_a_person_says_is_no_message_of_a_buyer_is_said_so_in_slack(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    assert exclude_messages(world.services, world.thread_of(A), by="Bo", source="shell") == 1
    (drawn,) = (one for one in world.cycle() if one.channel is Channel.SLACK)
    message = render_message(ENGLISH, drawn)
    assert (drawn.purpose, message.text) == (Purpose.UPDATE, "Not a buyer's message: nothing to answer.")
    assert drawn.post is not None
    assert world.advance(hours=3) == []


def test_where_a_bounce_makes_two_waits_one_the_number_of_the_later_means_it(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=1)
    sent_at = world.clock()
    world.reply(A)
    world.advance(hours=1)
    world.ask(A, words="Et la facture ?")
    world.advance(hours=22.1)
    world.mail(bounce(world.clock(), of=sent_at, order=A, alias=alias_of(A)))
    said = world.say(AnswerKind.ACKNOWLEDGE, by="Ana", code=1)
    assert (said.text_key, [facts.state for facts in said.threads]) == ("acknowledged", ["breached"])


@pytest.mark.parametrize("kind", [AnswerKind.ACKNOWLEDGE, AnswerKind.SNOOZE])
def test_an_answer_ends_half_an_hour_before_a_deadline_that_turned_out_to_be_earlier(
    build: Build, kind: AnswerKind
) -> None:
    world = build()
    first_at = world.clock() - timedelta(hours=1)
    world.advance(hours=3)
    world.ask(A, words="Toujours rien ?")
    world.advance(hours=17.5)
    assert world.say(kind, A, snooze_for=timedelta(hours=4)).accepted
    world.mailbox.deliver(buyer_mail(first_at, order=A, alias=alias_of(A)), first_at, Where.INBOX)
    world.poll()
    deadline_at = first_at + timedelta(hours=24)
    assert rings(world.until(deadline_at - timedelta(minutes=31))) == []
    assert "sms Ana" in rings(world.until(deadline_at - timedelta(minutes=29)))


def test_an_answer_to_a_deadline_that_turned_out_to_be_over_ends_at_once(build: Build) -> None:
    world = build()
    first_at = world.clock() - timedelta(hours=5)
    world.advance(hours=3)
    world.ask(A, words="Toujours rien ?")
    world.advance(hours=19)
    world.say(AnswerKind.SNOOZE, A, snooze_for=timedelta(hours=4))
    world.mailbox.deliver(buyer_mail(first_at, order=A, alias=alias_of(A)), first_at, Where.INBOX)
    assert {"slack team", "sms Ana"} <= set(rings(world.cycle() + world.advance(minutes=1)))


def test_a_reopening_that_may_not_have_arrived_is_not_repeated_after_the_reply(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    sent_at = world.clock()
    world.reply(A)
    world.cycle()
    world.advance(minutes=3)
    world.mail(bounce(world.clock(), of=sent_at, order=A, alias=alias_of(A)))
    for channel in (Channel.SMS, Channel.SLACK):
        world.notifiers[channel].before.append(doubt())
    world.cycle()
    world.reply(A)
    world.clock.advance(seconds=5)
    world.worker.dispatcher.reconcile(world.clock())
    sent = world.cycle() + world.advance(minutes=3)
    assert rings(sent) == []
    assert {one.threads[0].state for one in sent} == {"met"}


def test_an_undo_by_number_takes_back_nothing_said_of_an_earlier_wait(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    world.say(AnswerKind.ANSWERED, by="Ana", code=1)
    world.advance(hours=1)
    world.ask(A, words="Et la facture ?")
    world.advance(hours=22.5)
    assert world.say(AnswerKind.ACKNOWLEDGE, by="Ana", code=1).accepted
    refused = world.say(AnswerKind.UNDO, by="Ana", code=1)
    assert (refused.accepted, refused.text_key) == (False, "nothing_to_undo")


def test_an_undo_by_the_number_of_a_wait_that_joined_another_finds_what_was_said_of_it(build: Build) -> None:
    world = build()
    ask_twice(world)
    world.advance(hours=22.1)
    assert world.say(AnswerKind.ANSWERED, by="Ana", code=2).accepted
    link(world)
    assert world.say(AnswerKind.UNDO, by="Ana", code=2).text_key == "undone"


def test_undoing_not_a_message_takes_back_the_last_time_alone(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(minutes=5)
    world.reply(A)
    world.advance(minutes=5)
    thread_id = world.thread_of(A)
    for words in ("Merci !", "Où est mon colis ?"):
        world.ask(A, words=words)
        assert exclude_messages(world.services, thread_id, by="Bo", source="shell") == 1
        world.advance(hours=1)
    counts = [include_messages(world.services, thread_id, by="Ana") for _ in range(3)]
    assert counts == [1, 1, 0]


def test_undoing_not_a_message_finds_what_was_said_before_two_threads_were_one(build: Build) -> None:
    world = build()
    ask_twice(world)
    world.advance(minutes=5)
    world.reply(A)
    world.advance(minutes=5)
    world.mail(buyer_mail(world.clock(), order=A, alias=alias_of(A), token="SECOND", words="Merci !"))
    joined = world.thread_of(A)
    assert exclude_messages(world.services, joined, by="Bo", source="shell") == 1
    world.advance(minutes=5)
    link(world)
    with reading(world.services.engine) as connection:
        heir = read_heir(connection, joined)
    assert heir != joined
    assert include_messages(world.services, heir, by="Bo") == 1

"""Escalation from mail to provider, through the real jobs and the real claim, on SQLite: where other programs went wrong."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.core.model import AnswerKind, Channel, Delivery, Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.summaries import render_summary
from monitor.core.messages import Where
from monitor.jobs.watch import watch_health
from monitor.store.engine import reading
from monitor.store.open_threads import read_open
from tests.support.jobs_world import BY_RULES, LAG, ORDERS, TUESDAY, Build, alias_of, rings
from tests.support.mails import buyer_mail, seller_reply
from tests.support.weekend_world import paris

pytestmark = pytest.mark.integration

A, B, C = ORDERS[:3]


def by(channel: Channel, sent: list[Delivery]) -> list[Delivery]:
    return [one for one in sent if one.channel is channel]


def test_a_second_message_while_overdue_makes_no_second_alert(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=24.5)
    world.ask(A, words="Toujours rien ?")
    sent = world.advance(hours=10)
    assert rings(sent) == []
    assert [(one.purpose, one.threads[0].messages) for one in sent] == [(Purpose.UPDATE, 2)]


def test_a_second_breach_of_one_day_in_the_same_thread_is_told(build: Build) -> None:
    world = build(changes={"[[account]]": '[sla]\ntarget = "9h"\n[[account]]'})
    world.ask(A)
    assert "sms Ana" in rings(world.advance(hours=9.1))
    world.reply(A)
    world.advance(minutes=5)
    world.ask(A, words="Et la facture ?")
    sent = world.advance(hours=8.99)
    assert [one.purpose for one in sent if one.purpose is Purpose.CLOSED] == []
    breach = world.advance(minutes=5)
    assert rings(breach) == ["slack team", "sms Ana"]
    assert {one.threads[0].state for one in breach} == {"breached"}


def test_a_new_wait_after_a_reply_climbs_its_own_ladder_in_the_same_slack_message(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=17)
    world.reply(A)
    world.advance(hours=1)
    world.ask(A, words="Et la facture ?")
    sent = [one for one in by(Channel.SLACK, world.advance(hours=16.5)) if one.purpose is not Purpose.LOOK_AHEAD]
    assert [one.purpose for one in sent] == [Purpose.ALERT]
    assert sent[0].post is not None


def test_nothing_is_sent_again_after_midnight_or_a_restart(build: Build) -> None:
    world = build()
    world.ask(A)
    world.until(paris("2026-11-18 06:10"))
    world.restart()
    assert world.cycle() == []
    assert world.until(paris("2026-11-20 12:00")) == []


def test_many_cycles_at_one_instant_send_once(build: Build) -> None:
    world = build()
    world.ask(A)
    world.clock.advance(hours=22.1)
    assert rings(world.cycle()) == ["sms Ana"]
    assert [world.cycle() for _ in range(5)] == [[]] * 5


def test_warnings_missed_while_the_worker_was_down_collapse_into_the_most_urgent_one(build: Build) -> None:
    world = build()
    world.ask(A)
    world.clock.advance(hours=23.5)
    sent = world.cycle()
    assert rings(sent) == ["sms Ana", "voice Ana"]
    assert world.advance(minutes=20) == []


def test_an_automatic_reply_answers_nothing_and_a_real_one_does(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=17)
    world.reply(A, auto=True)
    assert "sms Ana" in rings(world.advance(hours=5.5))
    world.reply(A)
    assert {one.purpose for one in world.cycle()} == {Purpose.CLOSED}


def test_taking_it_stops_the_escalation_and_not_the_clock(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    assert world.say(AnswerKind.ACKNOWLEDGE, A).accepted
    assert rings(world.advance(minutes=20)) == []
    with reading(world.services.engine) as connection:
        (row,) = read_open(connection, timedelta(hours=4), world.clock())
    assert (row.acknowledged_by, row.deadline_at) == ("Bo", TUESDAY + timedelta(hours=24))


def test_whoever_takes_it_is_named_in_slack_and_no_other_phone_hears_of_it(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    world.say(AnswerKind.ACKNOWLEDGE, A)
    (drawn,) = world.cycle()
    assert (drawn.channel, drawn.purpose, drawn.threads[0].acknowledged_by) == (Channel.SLACK, Purpose.UPDATE, "Bo")


def test_of_several_people_behind_one_receiver_each_sees_who_has_it(build: Build) -> None:
    world = build(policy=BY_RULES.replace('to = ["Ana"]', 'to = ["Ana", "Bo"]'))
    world.ask(A)
    assert rings(world.advance(hours=22.01)) == ["slack Ana", "slack Bo"]
    world.say(AnswerKind.ACKNOWLEDGE, A, by="Ana")
    drawn = [(one.person, one.threads[0].acknowledged_by) for one in world.cycle() if one.purpose is Purpose.UPDATE]
    assert sorted(drawn) == [("Ana", "Ana"), ("Bo", "Ana")]


def test_contact_rules_that_wait_are_cancelled_by_an_answer_and_planned_anew_when_it_expires(build: Build) -> None:
    world = build(policy=BY_RULES)
    world.ask(A)
    assert rings(world.advance(hours=22.01)) == ["slack Ana"]
    result = world.say(AnswerKind.ACKNOWLEDGE, A, by="Ana")
    assert world.waiting() == 1  # the message with the name; no SMS, no call
    expires_at = result.threads[0].acknowledgement_expires_at
    assert expires_at is not None
    assert rings(world.until(expires_at - LAG)) == []
    assert rings(world.advance(minutes=1)) == ["slack Ana"]
    assert rings(world.advance(minutes=5)) == ["sms Ana"]


@pytest.mark.parametrize("kind", [AnswerKind.ANSWERED, AnswerKind.WAIVE, AnswerKind.SNOOZE])
def test_contact_rules_that_wait_ring_nobody_after_any_other_answer(build: Build, kind: AnswerKind) -> None:
    world = build(policy=BY_RULES)
    world.ask(A)
    world.advance(hours=22.01)
    assert world.say(kind, A).accepted
    assert rings(world.advance(minutes=30)) == []


def test_a_silence_holds_contact_rules_that_were_planned_before_it_and_lets_the_end_through(build: Build) -> None:
    world = build(policy=BY_RULES)
    world.ask(A)
    world.ask(B)
    world.advance(hours=22.01)
    world.silence(timedelta(minutes=20))
    assert rings(world.advance(minutes=19)) == []
    world.reply(B)
    assert [(one.purpose, one.threads[0].order_id) for one in world.cycle()] == [(Purpose.CLOSED, B)]
    assert set(rings(world.advance(minutes=2))) == {"sms Ana", "voice Ana"}


def unproven(order: str, sent_at: datetime) -> bytes:
    verdict = b"Authentication-Results: mx.acme.example; spf=fail; dkim=fail; dmarc=fail\r\n"
    return verdict + buyer_mail(sent_at, order=order, alias=alias_of(order))


def test_an_unproven_message_is_told_by_slack_and_rings_phones_only_once_a_person_took_it(build: Build) -> None:
    world = build()
    world.mail(unproven(A, world.clock()))
    sent = world.advance(hours=23.5)
    assert set(rings(sent)) == {"slack team"}
    assert not sent[0].threads[0].verified
    world.say(AnswerKind.ACKNOWLEDGE, A)
    (drawn,) = world.cycle()
    assert drawn.threads[0].verified
    assert "sms Ana" in rings(world.advance(minutes=35))


def test_an_unproven_message_that_a_proven_one_follows_rings_at_once(build: Build) -> None:
    world = build()
    world.mail(unproven(A, world.clock()))
    world.advance(hours=22.5)
    world.ask(A, words="Toujours rien ?")
    assert "sms Ana" in rings(world.cycle())


def test_stop_hands_what_was_told_to_whoever_is_next_and_tells_the_team(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    world.say(AnswerKind.STOP, by="Ana")
    assert rings(world.cycle()) == ["slack team", "sms Bo"]
    world.say(AnswerKind.STOP, by="Bo")
    told = world.cycle()
    assert [one.purpose for one in told if one.purpose is Purpose.HEALTH] == [Purpose.HEALTH]
    assert [one.threads[0].order_id for one in told if one.purpose is Purpose.ALERT] == [A]
    assert {one.channel for one in told} == {Channel.SLACK}
    world.reply(A)
    assert [one.person for one in by(Channel.SMS, world.cycle())] == []


def test_stop_after_somebody_took_it_pages_nobody(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    world.say(AnswerKind.ACKNOWLEDGE, A, by="Ana")
    world.say(AnswerKind.STOP, by="Ana")
    assert [one.purpose for one in world.cycle()] == [Purpose.HEALTH, Purpose.UPDATE]


def test_a_press_on_an_earlier_wait_changes_nothing(build: Build) -> None:
    world = build()
    world.ask(A)
    (first, *_) = by(Channel.SLACK, world.advance(hours=16.1))
    world.reply(A)
    world.advance(minutes=5)
    world.ask(A, words="Et la facture ?")
    stale = world.say(AnswerKind.WAIVE, A, clock_id=first.threads[0].clock_id)
    assert (stale.accepted, stale.text_key) == (False, "stale")


def test_an_undo_by_number_opens_what_was_said_to_be_answered(build: Build) -> None:
    world = build()
    world.ask(A)
    world.advance(hours=22.1)
    assert world.say(AnswerKind.ANSWERED, by="Ana", code=1).accepted
    assert world.say(AnswerKind.UNDO, by="Ana", code=1).text_key == "undone"
    assert "sms Ana" in rings(world.cycle())


def test_a_done_by_number_names_only_what_it_changed(build: Build) -> None:
    world = build()
    world.ask(A)
    world.ask(B)
    world.advance(hours=22.1)
    world.reply(B)
    world.advance(minutes=2)
    world.ask(B, words="Encore une question")
    said = world.say(AnswerKind.ANSWERED, by="Ana", code=1)
    assert (said.accepted, [facts.order_id for facts in said.threads], said.left) == (True, [A], 1)


def test_an_undo_says_whether_it_is_open_again_or_stays_closed_by_a_reply(build: Build) -> None:
    world = build()
    world.ask(A)
    world.ask(B)
    world.advance(hours=22.1)
    assert world.say(AnswerKind.ANSWERED, by="Ana", code=1).left == 0
    world.advance(minutes=2)
    world.reply(A)
    mixed = world.say(AnswerKind.UNDO, by="Ana", code=1)
    assert (mixed.text_key, [facts.order_id for facts in mixed.threads], mixed.left) == ("undone", [B], 1)
    world.say(AnswerKind.ANSWERED, B)
    world.advance(minutes=2)
    world.reply(B)
    closed = world.say(AnswerKind.UNDO, B)
    assert (closed.accepted, closed.text_key, closed.left) == (True, "stays_closed", 0)
    assert [facts.state for facts in closed.threads] == ["met"]


def test_a_look_ahead_that_was_held_up_names_only_what_still_waits(build: Build) -> None:
    world = build(paris("2026-11-20 09:00"))
    for order in (A, B):
        world.ask(order)
    world.clock.set(paris("2026-11-20 16:35"))
    world.plan()
    world.reply(A)
    (told,) = world.cycle()
    assert (told.purpose, [facts.order_id for facts in told.threads]) == (Purpose.LOOK_AHEAD, [B])
    assert A not in str(render_summary(words_for("en", "Europe/Paris"), told))


def test_a_look_ahead_whose_threads_were_all_answered_is_not_sent(build: Build) -> None:
    world = build(paris("2026-11-20 09:00"))
    world.ask(A)
    world.clock.set(paris("2026-11-20 16:35"))
    world.plan()
    world.reply(A)
    assert world.cycle() == []


def test_a_look_ahead_says_how_long_answering_takes_by_experience(build: Build) -> None:
    world = build(paris("2026-11-20 09:00"))
    for minute in range(0, 60, 5):
        world.mailbox.deliver(
            seller_reply(world.clock() - timedelta(hours=20, minutes=minute), order=C, alias=alias_of(C)),
            world.clock() - timedelta(hours=20, minutes=minute),
            Where.SENT,
        )
    for order in (A, B):
        world.ask(order)
    world.clock.set(paris("2026-11-20 16:35"))
    (told,) = world.cycle()
    small = render_summary(words_for("en", "Europe/Paris"), told).small
    assert small == ("Answering now takes about 10 min (your median is 5 min).",)


def test_a_deadline_soon_after_the_next_shift_starts_is_told_as_due_before_itself(build: Build) -> None:
    world = build(paris("2026-11-19 09:00"))
    world.until(paris("2026-11-19 09:30"))
    world.ask(A)
    told = [one for one in world.until(paris("2026-11-19 18:00")) if one.purpose is Purpose.LOOK_AHEAD]
    title = render_summary(words_for("en", "Europe/Paris"), told[0]).title
    assert title == "Before you go home: 1 reply falls due before Fri 09:30"


def test_the_hint_about_confirmation_copies_is_given_once_a_week_for_all_places_together(build: Build) -> None:
    world = build()
    for number, order in enumerate(ORDERS[:6]):
        world.ask(order, alias=alias_of(order), words=f"Question {number}")
    hints = [one for one in world.advance(hours=2) if one.purpose is Purpose.HEALTH]
    assert [(one.content["kind"], one.content["name"]) for one in hints] == [("blind_spot", "FR")]
    summary = render_summary(words_for("en", "Europe/Paris"), hints[0])
    assert "Confirmation Notifications" in summary.lines[0]
    world.restart()
    assert watch_health(world.services, world.worker.book) == 0
    world.clock.advance(days=7)
    world.poll()
    assert watch_health(world.services, world.worker.book) == 1


def test_a_mailbox_whose_polls_never_end_is_told_once_and_its_return_too(build: Build) -> None:
    world = build()
    world.poll()
    world.clock.advance(hours=1)
    assert [one.content["kind"] for one in world.cycle(poll=False)] == ["mailbox_blind"]
    assert world.cycle(poll=False) == []
    assert [one.content["kind"] for one in world.cycle()] == ["mailbox_back"]


def shift(day: int, number: int) -> str:
    begin = f"BEGIN:VEVENT\nUID:{number}\nDTSTAMP:20261101T000000Z\nDTSTART:202611{day:02}T080000Z\n"
    return f"{begin}DTEND:202611{day + 1:02}T080000Z\nSUMMARY:Ana\nEND:VEVENT\n"


def test_nobody_on_call_is_told_once_for_each_gap_while_it_lasts_too(build: Build, tmp_path: Path) -> None:
    calendar = tmp_path / "oncall.ics"
    shifts = "".join(shift(day, day) for day in (16, 24))
    calendar.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{shifts}END:VCALENDAR\n")
    rotation = 'rotation = ["Ana", "Bo"]\nstarts = 2026-11-16\nhandover = "mon 09:00"'
    world = build(changes={rotation: f'ical = "{calendar}"'})

    def gaps_told(sent: list[Delivery]) -> list[str]:
        return [one.content["detail"] for one in sent if one.content.get("kind") == "nobody_on_call"]

    assert gaps_told(world.cycle()) == ["2026-11-17 08:00 - 2026-11-20 05:00 UTC"]  # as far as it looks ahead
    assert gaps_told(world.until(paris("2026-11-24 08:59"))) == []
    world.restart()
    (next_gap,) = gaps_told(world.advance(minutes=2))
    assert next_gap.startswith("2026-11-25 08:00 - ")
    assert gaps_told(world.until(paris("2026-11-25 12:00"))) == []


def test_what_is_held_back_on_purpose_is_not_stuck(build: Build) -> None:
    world = build(paris("2026-11-20 11:00"))
    world.ask(A)
    sent = world.until(paris("2026-11-21 06:59"))
    assert [one.purpose for one in sent if one.purpose is Purpose.HEALTH] == []
    assert rings(world.until(paris("2026-11-21 07:00") + LAG)) == ["sms Cy"]


def test_if_nobody_acts_every_step_is_reached_in_order(build: Build) -> None:
    world = build()
    world.ask(A)
    told = [one for one in world.advance(hours=25) if one.purpose is Purpose.ALERT]
    hours = [round((one.threads[0].deadline_at - one.now) / timedelta(hours=1), 2) for one in told]
    assert hours == sorted(hours, reverse=True)
    assert set(hours) == {8, 2, 1.5, 1, 0.75, 0}

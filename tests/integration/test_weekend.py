"""One weekend of a small seller, from Friday's look-ahead to Sunday's breach, and every message that leaves the worker in it.

The worker is whole (mail, clocks, planning, outbox, the real Slack and Twilio clients, Socket Mode over a WebSocket); its time
is moved by hand. Each scene lists all that was said, to whom and when: one message more or less fails it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.messages import Where
from tests.support.mails import bounce, buyer_mail, seller_reply
from tests.support.weekend_world import ANA, BO, World, paris, weekend_world

pytestmark = pytest.mark.integration

A, B, C, D = (f"402-{digit * 7}-{digit * 7}" for digit in "1234")
ABOUT_A, ABOUT_B, ABOUT_D = (f"France · *order {order}* · delivery" for order in (A, B, D))
SPOKEN_A = "France, order 4 0 2, 1 1 1 1, 1 1 1, 1 1 1 1, 1 1 1."
SPOKEN_D = "France, order 4 0 2, 4 4 4 4, 4 4 4, 4 4 4 4, 4 4 4."
TEXT_1 = "If you have it, answer our text message with 1, or send a text with 1 to 1 5 0, 0 5 5, 5 0 0, 0 6."
ANSWER_1 = "Reply 1 = I have it, done 1 = answered."


@pytest.fixture
def world(tmp_path: Path, database: str) -> Iterator[World]:
    with weekend_world(tmp_path, paris("2026-11-20 09:00"), database=database) as world:
        yield world


def alias_of(order: str) -> str:
    return f"alias{order[4]}k7c2v9m4x1@marketplace.amazon.fr"


def ask(world: World, order: str) -> None:
    world.mail(buyer_mail(world.clock(), order=order, alias=alias_of(order)))


def reply(world: World, order: str) -> datetime:
    """Let a reply lie in Sent; return when it was sent."""
    sent_at = world.clock()
    world.mail(seller_reply(sent_at, order=order, alias=alias_of(order)), Where.SENT)
    return sent_at


def test_a_weekend(world: World) -> None:
    # Friday: what falls due while nobody is there is told before the shift ends, once; what comes later, when it comes.
    world.until(paris("2026-11-20 11:30"))
    ask(world, A)
    world.until(paris("2026-11-20 14:00"))
    ask(world, C)
    world.until(paris("2026-11-20 16:40"))
    assert world.heard() == [
        f"Fri 16:30 Slack: 🕔 Before you go home: 2 replies fall due before Mon 09:00 | Sat 11:30  FR  {A} | Sat 14:00  FR "
        f" {C}",
    ]
    reply(world, C)
    world.until(paris("2026-11-20 17:45"))
    ask(world, B)
    world.until(paris("2026-11-21 03:15"))
    assert world.heard() == [
        f"Fri 17:45 Slack: 🕔 Before you go home: 1 reply falls due before Mon 09:00 | Sat 17:45  FR  {B}",
    ]

    # The night: Slack is told at eight hours left; Cy's quiet hours hold the SMS until the second they end.
    world.until(paris("2026-11-21 09:29"))
    assert world.heard() == [
        f"Sat 03:30 Slack: 🔵 Reply due in 8 h 00 min (11:30) | {ABOUT_A} | Nobody has it yet · next: SMS to Ana in 6 h 00 min",
        f"Sat 07:00 SMS to Cy: Amazon FR: reply due in 4h30 (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 07:30 Slack now shows: 🟠 Reply due in 4 h 00 min (11:30) | {ABOUT_A} | Nobody has it yet · next: SMS to Ana "
        "in 2 h 00 min",
    ]

    # Saturday: whoever is on call is paged, takes it by its number, and is asked again when no reply went out in time.
    world.until(paris("2026-11-21 09:33"))
    world.text(ANA, "1")
    assert world.heard() == [
        f"Sat 09:30 SMS to Ana: Amazon FR: reply due in 2h00 (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 09:30 Slack now shows: 🟠 Reply due in 2 h 00 min (11:30) | {ABOUT_A} | Nobody has it yet · next: SMS to Ana "
        "in 30 min",
        f"Sat 09:33 SMS to Ana: OK Ana: {A} is yours until 10:31.",
        f"Sat 09:33 Slack now shows: 🟠 Reply due in 1 h 57 min (11:30) | {ABOUT_A} | Ana has it since 09:33 · asks again "
        "10:31 · next: SMS to Ana in 58 min",
    ]
    world.until(paris("2026-11-21 10:40"))
    assert world.heard() == [
        f"Sat 09:45 SMS to Cy: Amazon FR: reply due in 8h00 (17:45). | Order {B} | Reply 2 = I have it, done 2 = answered.",
        f"Sat 09:45 Slack: 🔵 Reply due in 8 h 00 min (17:45) | {ABOUT_B} | Nobody has it yet · next: SMS to Ana in 6 h 00 min",
        f"Sat 10:31 SMS to Ana: Amazon FR: reply due in 58min (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 10:31 Slack now shows: 🟠 Reply due in 58 min (11:30) | {ABOUT_A} | Nobody has it yet · next: phone call to "
        "Ana in 13 min",
    ]
    world.until(paris("2026-11-21 10:50"))
    assert world.heard() == [
        f"Sat 10:45 Call to Ana: This is Reply By. An Amazon reply is due in 45 minutes. {SPOKEN_A} {TEXT_1}",
        f"Sat 10:45 SMS to Ana: Amazon FR: reply due in 45min (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 10:45 Slack now shows: 🟠 Reply due in 45 min (11:30) | {ABOUT_A} | Nobody has it yet · next: SMS to Ana in "
        "45 min",
    ]

    # The reply lies in Sent: everybody who was told is told, in Slack in the same message.
    sent_at = reply(world, A)
    assert world.heard() == [
        f"Sat 10:50 SMS to Ana: Done: {A} answered at 10:50 by mail, 40min to spare.",
        f"Sat 10:50 SMS to Cy: Done: {A} answered at 10:50 by mail, 40min to spare.",
        f"Sat 10:50 Slack now shows: ✅ Answered after 23 h 20 min by mail, 40 min to spare | {ABOUT_A} | Ana had it since "
        "09:33",
    ]

    # It bounces: open again, where it was, and everybody who saw it closed hears of it once.
    world.until(paris("2026-11-21 11:00"))
    world.mail(bounce(world.clock(), of=sent_at, order=A, alias=alias_of(A)))
    assert world.heard() == [
        f"Sat 11:00 Call to Ana: This is Reply By. An Amazon reply is due in 30 minutes. {SPOKEN_A} {TEXT_1}",
        f"Sat 11:00 SMS to Ana: OPEN AGAIN. Amazon FR: reply due in 30min (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 11:00 SMS to Cy: OPEN AGAIN. Amazon FR: reply due in 30min (11:30). | Order {A} | {ANSWER_1}",
        f"Sat 11:00 Slack now shows: 🟠 Reply due in 30 min (11:30) | {ABOUT_A} | 🔁 Open again (the reply did not arrive) "
        "| Nobody has it yet · next: SMS to Ana in 30 min",
        f"Sat 11:00 Slack rings: 🔁 Open again (the reply did not arrive): FR · {A} · reply due in 30 min (11:30)",
    ]
    world.until(paris("2026-11-21 11:10"))
    reply(world, A)
    assert world.heard() == [
        f"Sat 11:10 SMS to Ana: Done: {A} answered at 11:10 by mail, 20min to spare.",
        f"Sat 11:10 SMS to Cy: Done: {A} answered at 11:10 by mail, 20min to spare.",
        f"Sat 11:10 Slack now shows: ✅ Answered after 23 h 40 min by mail, 20 min to spare | {ABOUT_A}",
    ]

    # Bo waives by button, over the WebSocket, and takes it back.
    world.until(paris("2026-11-21 12:00"))
    world.press("waive", "U0456")
    assert world.heard() == [
        f"Sat 12:00 SMS to Cy: Done: {B} needs no reply.",
        f"Sat 12:00 Slack now shows: ✅ No response needed, marked by Bo | {ABOUT_B} | ⚠️ Mark it in Seller Central too: "
        "until then Amazon counts it. | [Undo]",
        f"Sat 12:00 Slack to Bo alone: OK Bo: {B} needs no response. Mark it in Seller Central too: until then Amazon "
        "counts it.",
    ]
    world.until(paris("2026-11-21 12:05"))
    world.press("undo", "U0456")
    assert world.heard() == [
        f"Sat 12:05 SMS to Cy: OPEN AGAIN. Amazon FR: reply due in 5h40 (17:45). | Order {B} | {ANSWER_1}",
        f"Sat 12:05 Slack now shows: 🔵 Reply due in 5 h 40 min (17:45) | {ABOUT_B} | 🔁 Open again (the mark was taken "
        "back) | Nobody has it yet · next: SMS to Ana in 3 h 40 min",
        f"Sat 12:05 Slack rings: 🔁 Open again (the mark was taken back): FR · {B} · reply due in 5 h 40 min (17:45)",
        f"Sat 12:05 Slack to Bo alone: Taken back: {B} is open again, due 17:45.",
    ]

    # A silence mutes the repeat, not the clock; the second it ends the page goes out.
    world.until(paris("2026-11-21 15:50"))
    assert world.heard() == [
        f"Sat 13:45 Slack now shows: 🟠 Reply due in 4 h 00 min (17:45) | {ABOUT_B} | Nobody has it yet · next: SMS to Ana "
        "in 2 h 00 min",
        f"Sat 15:45 SMS to Ana: Amazon FR: reply due in 2h00 (17:45). | Order {B} | {ANSWER_1}",
        f"Sat 15:45 Slack now shows: 🟠 Reply due in 2 h 00 min (17:45) | {ABOUT_B} | Nobody has it yet · next: SMS to Ana "
        "in 30 min",
    ]
    world.silence(timedelta(minutes=40))
    world.until(paris("2026-11-21 16:29"))
    assert world.heard() == []
    world.until(paris("2026-11-21 16:35"))
    assert world.heard() == [
        f"Sat 16:30 SMS to Ana: Amazon FR: reply due in 1h15 (17:45). | Order {B} | {ANSWER_1}",
        f"Sat 16:30 Slack now shows: 🟠 Reply due in 1 h 15 min (17:45) | {ABOUT_B} | Nobody has it yet · next: phone call "
        "to Ana in 30 min",
    ]

    # Ana sends STOP: the team is told, whoever is next is paged at once, and Ana's phone stays silent.
    world.text(ANA, "STOP")
    assert world.heard() == [
        f"Sat 16:35 SMS to Bo: Amazon FR: reply due in 1h10 (17:45). | Order {B} | {ANSWER_1}",
        "Sat 16:35 Slack: 🛠️ Ana sent STOP and gets no more SMS.",
    ]
    world.until(paris("2026-11-21 16:50"))
    world.text(BO, "done 1")
    assert world.heard() == [
        f"Sat 16:50 SMS to Bo: OK Bo: {B} counts as answered. Take it back: undo 1.",
        f"Sat 16:50 SMS to Cy: Done: {B} answered at 16:50 as marked by Bo, 55min to spare.",
        f"Sat 16:50 Slack now shows: ✅ Answered after 23 h 05 min as marked by Bo, 55 min to spare | {ABOUT_B} | [Undo]",
    ]

    # Sunday, nobody acts: every step is reached in order, to the breach.
    world.until(paris("2026-11-21 20:00"))
    ask(world, D)
    world.until(paris("2026-11-22 12:10"))
    assert world.heard() == [
        f"Sun 12:00 SMS to Cy: Amazon FR: reply due in 8h00 (20:00). | Order {D} | {ANSWER_1}",
        f"Sun 12:00 Slack: 🔵 Reply due in 8 h 00 min (20:00) | {ABOUT_D} | Nobody has it yet · next: SMS to Bo in 6 h 00 min",
    ]
    world.text(ANA, "START")
    assert world.heard() == [
        "Sun 12:10 SMS to Ana: Welcome back Ana: you get alerts again.",
    ]
    world.until(paris("2026-11-22 19:55"))
    assert world.heard() == [
        f"Sun 16:00 Slack now shows: 🟠 Reply due in 4 h 00 min (20:00) | {ABOUT_D} | Nobody has it yet · next: SMS to Ana "
        "in 2 h 00 min",
        f"Sun 18:00 SMS to Ana: Amazon FR: reply due in 2h00 (20:00). | Order {D} | {ANSWER_1}",
        f"Sun 18:00 Slack now shows: 🟠 Reply due in 2 h 00 min (20:00) | {ABOUT_D} | Nobody has it yet · next: SMS to Ana "
        "in 30 min",
        f"Sun 18:30 SMS to Ana: Amazon FR: reply due in 1h30 (20:00). | Order {D} | {ANSWER_1}",
        f"Sun 18:30 Slack now shows: 🟠 Reply due in 1 h 30 min (20:00) | {ABOUT_D} | Nobody has it yet · next: SMS to Ana "
        "in 30 min",
        f"Sun 19:00 SMS to Ana: Amazon FR: reply due in 1h00 (20:00). | Order {D} | {ANSWER_1}",
        f"Sun 19:00 Slack now shows: 🟠 Reply due in 1 h 00 min (20:00) | {ABOUT_D} | Nobody has it yet · next: phone call "
        "to Ana in 15 min",
        f"Sun 19:15 Call to Ana: This is Reply By. An Amazon reply is due in 45 minutes. {SPOKEN_D} {TEXT_1}",
        f"Sun 19:15 SMS to Ana: Amazon FR: reply due in 45min (20:00). | Order {D} | {ANSWER_1}",
        f"Sun 19:15 Slack now shows: 🟠 Reply due in 45 min (20:00) | {ABOUT_D} | Nobody has it yet · next: SMS to Ana in "
        "45 min",
    ]
    world.until(paris("2026-11-22 20:10"))
    assert world.heard() == [
        f"Sun 20:00 SMS to Ana: OVERDUE 1min: Amazon FR, was due 20:00. | Order {D} | {ANSWER_1}",
        f"Sun 20:00 Slack now shows: 🔴 Reply overdue by under 1 min (was due 20:00) | {ABOUT_D} | Nobody has it yet",
        f"Sun 20:00 Slack rings: 🔴 FR · {D} · OVERDUE by under 1 min (was due 20:00)",
    ]

    # Too late is still told as what it is, and then there is silence.
    world.text(ANA, "ok 1")
    assert world.heard() == [
        f"Sun 20:10 SMS to Ana: OK Ana: {D} is yours until 22:10.",
        f"Sun 20:10 Slack now shows: 🔴 Reply overdue by 10 min (was due 20:00) | {ABOUT_D} | Ana has it since 20:10 · "
        "asks again 22:10 · next: SMS to Ana in 2 h 00 min",
    ]
    world.until(paris("2026-11-22 21:10"))
    reply(world, D)
    assert world.heard() == [
        f"Sun 21:10 SMS to Ana: Done: {D} answered at 21:10 by mail, 1h10 late.",
        f"Sun 21:10 Slack now shows: ☑️ Answered after 25 h 10 min by mail, 1 h 10 min late | {ABOUT_D} | Ana had it "
        "since 20:10",
    ]
    world.until(paris("2026-11-23 12:00"))
    assert world.heard() == []

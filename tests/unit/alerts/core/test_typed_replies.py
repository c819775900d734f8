"""What people type on a phone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.core.model import AnswerKind
from alerts.core.typed_replies import MAX_CODE, TypedReply, parse_reply

ACK, DONE, WAIVE = AnswerKind.ACKNOWLEDGE, AnswerKind.ANSWERED, AnswerKind.WAIVE


@pytest.mark.parametrize(
    "text",
    ["7", " 7 ", "7.", "#7", "7a", "a7", "A 7", "ack 7", "Ack7", "ok 7", "OK 7!", "yes 7", "7 ok", "７", "7 please",
     "7 = I have it",
     "7 je m'en occupe", "7 je m’en occupe", "ich übernehme 7", "sí 7", "7 me ocupo", "me ne occupo 7", "7 thanks",
     "thank you 7", "7, thanks you"],
)  # fmt: skip
def test_a_code_is_an_acknowledgement(text: str) -> None:
    assert parse_reply(text) == TypedReply(ACK, 7)


@pytest.mark.parametrize(
    "text",
    ["done 7", "Done 7.", "7 done", "done7", "fait 7", "répondu 7", "fertig 7", "hecho 7", "fatto 7", "ok done 7"],
)
def test_done_is_answered_in_every_language_that_the_texts_offer(text: str) -> None:
    assert parse_reply(text) == TypedReply(DONE, 7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("waive 7", TypedReply(WAIVE, 7)),
        ("undo 7", TypedReply(AnswerKind.UNDO, 7)),
        ("zurück 7", TypedReply(AnswerKind.UNDO, 7)),
        ("snooze 7", TypedReply(AnswerKind.SNOOZE, 7, timedelta(hours=1))),
        ("snooze 7 2h", TypedReply(AnswerKind.SNOOZE, 7, timedelta(hours=2))),
        ("später 7 30min", TypedReply(AnswerKind.SNOOZE, 7, timedelta(minutes=30))),
        ("STOP", TypedReply(AnswerKind.STOP)),
        ("stop.", TypedReply(AnswerKind.STOP)),
        ("ARRÊT", TypedReply(AnswerKind.STOP)),
        ("Start", TypedReply(AnswerKind.START)),
    ],
)
def test_the_other_words(text: str, expected: TypedReply) -> None:
    assert parse_reply(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "hello", "7 min please", "7 min", "no 7", "not 7", "in 7 minutes", "7 8", "0", "10000", "402-1234567-1234567",
     "done", "ok",
     "done waive 7", "stop 7", "please stop calling me", "7" * 40, "a" * 500, "7 7", "I will not do 7", "-", "\x00",
     "7?", "7 ?", "done 7?", "waive 7?", "¿hecho 7", "7？", "stop?", "7 for you", "you 7", "thank for you 7"],
)  # fmt: skip
def test_what_is_in_doubt_is_not_guessed(text: str) -> None:
    assert parse_reply(text) is None


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    reply = parse_reply(text)
    if reply is not None and reply.kind not in (AnswerKind.STOP, AnswerKind.START):
        assert reply.code is not None
        assert 1 <= reply.code <= MAX_CODE


@given(st.integers(1, MAX_CODE), st.sampled_from(["{}", "ack {}", "ok {}", "{} ok", "a{}", "#{}"]))
def test_every_code_that_is_given_out_is_understood(code: int, form: str) -> None:
    assert parse_reply(form.format(code)) == TypedReply(ACK, code)

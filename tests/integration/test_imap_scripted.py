"""What the IMAP source makes of a server that refuses, hangs up or talks nonsense.

The server stands on loopback and is scripted: a real one does not misbehave on demand.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import LoginRefused, MailboxError
from tests.support.imap_boxes import Reader, reading
from tests.support.scripted_imap import ScriptedImap, running_scripted_imap
from tests.support.waiting import wait_until

REFUSED = b"TAG NO [SERVERBUG] broken\r\n"


def failure_of(server: ScriptedImap, **changes: Any) -> MailboxError:
    """Return how reading this server fails."""
    with running_scripted_imap(server), reading(server.port, **changes) as reader:
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert "correct horse" not in str(caught.value)
        assert str(caught.value).startswith(f"127.0.0.1:{server.port}: ")
        return caught.value


def test_a_refused_login_names_the_account_and_what_to_check() -> None:
    server = ScriptedImap(answers={"AUTHENTICATE": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"})
    error = failure_of(server)
    assert isinstance(error, LoginRefused)
    assert str(error) == (
        f'127.0.0.1:{server.port}: login refused for ops@acme.example. Check the password of [[mailbox]] "support".'
    )


def test_google_s_wish_for_an_app_password_is_passed_on() -> None:
    server = ScriptedImap(answers={"AUTHENTICATE": b"TAG NO [ALERT] Application-specific password required\r\n"})
    assert "app password" in str(failure_of(server))


@pytest.mark.parametrize("answer", [b"[UNAVAILABLE] later", b"[ALERT] Too many simultaneous connections"])
def test_a_login_put_off_is_not_a_wrong_password(answer: bytes) -> None:
    error = failure_of(ScriptedImap(answers={"AUTHENTICATE": b"TAG NO " + answer + b"\r\n"}))
    assert not isinstance(error, LoginRefused)
    assert error.reason == "unreachable"


def test_without_plain_authentication_it_logs_in_by_login() -> None:
    server = ScriptedImap(capabilities=b"IMAP4rev1")
    with running_scripted_imap(server), reading(server.port) as reader:
        reader.read()
    assert 'LOGIN "ops@acme.example" "correct horse battery"' in server.commands


def test_a_missing_starttls_is_not_skipped() -> None:
    server = ScriptedImap()
    error = failure_of(server, security="starttls")
    assert error.reason == "tls"
    assert not any(command.startswith(("AUTH", "LOGIN")) for command in server.commands)


def test_no_password_is_sent_in_clear_to_another_machine() -> None:
    with reading(143, host="mail.acme.example") as reader, pytest.raises(MailboxError) as caught:
        reader.read()
    assert caught.value.reason == "tls"
    assert 'security = "none"' in str(caught.value)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        pytest.param(ScriptedImap(greeting=b"SSH-2.0-OpenSSH_9.2\r\n"), "unreachable", id="another service"),
        pytest.param(ScriptedImap(greeting=b"\x00\xff" * 4000), "timeout", id="bytes without an end"),
        pytest.param(ScriptedImap(greeting=b"* BYE too busy\r\n"), "protocol", id="bye at once"),
        pytest.param(ScriptedImap(greeting=b""), "timeout", id="silence"),
        pytest.param(ScriptedImap(answers={"EXAMINE": b"* BYE shutting down\r\n"}), "unreachable", id="bye"),
        pytest.param(ScriptedImap(answers={"EXAMINE": None}), "unreachable", id="hang-up"),
        pytest.param(ScriptedImap(answers={"EXAMINE": b"hello\r\n"}), "protocol", id="no IMAP"),
        pytest.param(ScriptedImap(answers={"EXAMINE": b"* 3 EXISTS\r\nTAG OK\r\n"}), "protocol", id="no UIDVALIDITY"),
        pytest.param(ScriptedImap(answers={"EXAMINE": b"TAG NO [NONEXISTENT] gone\r\n"}), "folder", id="no folder"),
        pytest.param(ScriptedImap(answers={"EXAMINE": b"* 3 EXI"}), "timeout", id="half a line"),
        pytest.param(ScriptedImap(answers={"LIST": b"* LIST oops\r\nTAG OK\r\n"}), "protocol", id="LIST garbage"),
        pytest.param(ScriptedImap(answers={"UID SEARCH": b"* SEARCH a b\r\nTAG OK\r\n"}), "protocol", id="no numbers"),
        pytest.param(ScriptedImap(answers={"UID FETCH": b"* 1 FETCH (UID\r\nTAG OK\r\n"}), "protocol", id="open list"),
        pytest.param(ScriptedImap(answers={"UID FETCH": b"* 1 FETCH (UID x)\r\nTAG OK\r\n"}), "protocol", id="no uid"),
        pytest.param(
            ScriptedImap(answers={"UID FETCH": b"* 1 FETCH (UID 1 BODY[HEADER] {9999999999}\r\n"}), "protocol", id="huge"
        ),
        pytest.param(ScriptedImap(answers={"UID FETCH": b"* 1 FETCH (UID 1 BODY[HEADER] {99}\r\nx"}), "timeout", id="part"),
        pytest.param(ScriptedImap(answers={"UID FETCH": b"TAG NO [UNAVAILABLE] x\r\n"}), "protocol", id="temporary"),
        pytest.param(ScriptedImap(answers={"UID FETCH": b"TAG NO never\r\n"}), "protocol", id="refuses everything"),
    ],
)  # fmt: skip
def test_a_failing_server_is_an_error_and_never_an_empty_mailbox(server: ScriptedImap, reason: str) -> None:
    assert failure_of(server, timeout=timedelta(seconds=3)).reason == reason


@pytest.fixture
def read_through(request: pytest.FixtureRequest) -> Callable[[ScriptedImap], Reader]:
    """Return a way to read a scripted server once."""

    def read(server: ScriptedImap) -> Reader:
        with running_scripted_imap(server), reading(server.port) as reader:
            reader.read()
        return reader

    return read


def test_a_mail_that_the_server_refuses_is_reported_and_blocks_no_other(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    server = ScriptedImap(mails=4, answers={"UID FETCH 1:4 .*HEADER": REFUSED, "UID FETCH 2 ": REFUSED})
    reader = read_through(server)
    assert reader.subjects() == ["mail 1", "mail 3", "mail 4"]
    assert list(reader.unreadable) == [2]
    assert reader.cursors["INBOX"].last_uid == 4


def test_several_refused_mails_in_a_row_block_no_other(read_through: Callable[[ScriptedImap], Reader]) -> None:
    server = ScriptedImap(mails=6, answers={"UID FETCH 1:6 .*HEADER": REFUSED, "UID FETCH [1234] ": REFUSED})
    reader = read_through(server)
    assert reader.subjects() == ["mail 5", "mail 6"]
    assert list(reader.unreadable) == [1, 2, 3, 4]
    assert reader.cursors["INBOX"].last_uid == 6


def test_new_mails_that_are_all_refused_are_passed_over_where_an_older_one_can_be_had() -> None:
    with running_scripted_imap(ScriptedImap(mails=2)) as server, reading(server.port) as reader:
        reader.read()
        server.answers = {"UID FETCH [3-6]": REFUSED}
        for server.mails in (5, 6):  # of the last, the mail before it is refused too
            reader.read()
    assert reader.subjects() == ["mail 1", "mail 2"]
    assert list(reader.unreadable) == [3, 4, 5, 6]
    assert reader.cursors["INBOX"].last_uid == 6


@pytest.mark.parametrize("new", [1, 3, 600])
def test_a_server_that_refuses_everything_makes_no_mail_be_passed_over(new: int) -> None:
    with running_scripted_imap(ScriptedImap(mails=2)) as server, reading(server.port) as reader:
        reader.read()
        server.mails, server.answers = 2 + new, {"UID FETCH ": REFUSED}
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "protocol"
        server.answers = {}
        reader.read()
    assert reader.subjects() == [f"mail {number}" for number in range(1, 3 + new)]
    assert not reader.unreadable


@pytest.mark.parametrize("which", [[2], [1, 2, 4]], ids=["one", "several"])
def test_a_mail_whose_text_is_refused_comes_with_its_headers(
    read_through: Callable[[ScriptedImap], Reader], which: list[int]
) -> None:
    refused = "".join(map(str, which))
    server = ScriptedImap(mails=4, answers={"UID FETCH 1:4 .*TEXT": REFUSED, f"UID FETCH [{refused}] .*TEXT": REFUSED})
    reader = read_through(server)
    assert reader.subjects() == ["mail 1", "mail 2", "mail 3", "mail 4"]
    assert list(reader.unreadable) == which


def test_a_server_that_hands_out_headers_and_no_text_at_all_makes_no_mail_be_passed_over() -> None:
    answers: dict[str, bytes | None] = {"UID FETCH .*TEXT": REFUSED}
    with running_scripted_imap(ScriptedImap(mails=4, answers=answers)) as server, reading(server.port) as reader:
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "protocol"
        server.answers = {}
        reader.read()
    assert reader.subjects() == ["mail 1", "mail 2", "mail 3", "mail 4"]
    assert not reader.unreadable


def test_a_server_that_throttles_makes_no_mail_be_passed_over() -> None:
    throttled = b"TAG NO Account exceeded command or bandwidth limits. (Failure)\r\n"
    answers: dict[str, bytes | None] = {"UID FETCH (1:4|4) .*TEXT": throttled}
    with running_scripted_imap(ScriptedImap(mails=4, answers=answers)) as server, reading(server.port) as reader:
        with pytest.raises(MailboxError):
            reader.read()
        server.answers = {}
        reader.read()
    assert reader.subjects() == ["mail 1", "mail 2", "mail 3", "mail 4"]
    assert not reader.unreadable


def test_a_mail_that_the_server_refuses_hides_from_no_look_whose_verdicts_the_others_carry() -> None:
    field = b"Authentication-Results: mx.acme.example; dkim=pass\r\n\r\n"
    item = b"BODY[HEADER.FIELDS (AUTHENTICATION-RESULTS FROM TO)] {%d}\r\n%s" % (len(field), field)
    answers: dict[str, bytes | None] = {"UID FETCH (1:3|2) .*HEADER.FIELDS": REFUSED}
    answers |= {
        f"UID FETCH {uid} .*HEADER.FIELDS": b"* %d FETCH (UID %d %s)\r\nTAG OK\r\n" % (uid, uid, item) for uid in (1, 3)
    }
    with running_scripted_imap(ScriptedImap(mails=3, answers=answers)) as server, reading(server.port) as reader:
        facts = reader.source.probe()
    assert facts.authserv_ids == (("mx.acme.example", 1.0),)


def test_a_mail_of_which_the_server_says_garbage_blocks_no_other(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    garbage = b'* 2 FETCH (UID 2 BODY[HEADER] "does not end\r\nTAG OK\r\n'
    reader = read_through(ScriptedImap(mails=3, answers={"UID FETCH (1:3|2) .*HEADER": garbage}))
    assert reader.subjects() == ["mail 1", "mail 3"]
    assert list(reader.unreadable) == [2]


def test_a_large_mail_whose_parts_are_garbled_comes_by_its_beginning(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    head, mail = b"Subject: large\r\n\r\n", b"Subject: large\r\n\r\nIts words.\r\n"
    items = b'INTERNALDATE "20-Nov-2026 10:00:00 +0000" RFC822.SIZE 200000 BODY[HEADER]<0> {%d}\r\n%s' % (
        len(head),
        head,
    )
    answers: dict[str, bytes | None] = {
        "UID FETCH 1 .*HEADER": b"* 1 FETCH (UID 1 " + items + b")\r\nTAG OK\r\n",
        "UID FETCH 1 .*BODYSTRUCTURE": b'* 1 FETCH (UID 1 BODYSTRUCTURE ("text" "pl))\r\nTAG OK\r\n',
        "UID FETCH 1 .*BODY.PEEK": b"* 1 FETCH (UID 1 BODY[]<0> {%d}\r\n%s)\r\nTAG OK\r\n" % (len(mail), mail),
    }
    reader = read_through(ScriptedImap(mails=1, answers=answers))
    assert [one.content for one in reader.batches[0].mails] == [mail]
    assert not reader.unreadable


def test_a_mail_that_ends_the_connection_is_passed_over_when_a_later_one_can_be_read(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    server = ScriptedImap(mails=4, answers={"UID FETCH (1:4|2) .*HEADER": None})
    reader = read_through(server)
    assert reader.subjects() == ["mail 1", "mail 3", "mail 4"]
    assert list(reader.unreadable) == [2]


def test_a_refused_mail_after_one_that_ends_the_connection_is_reported_too(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    answers = {"UID FETCH (1:4|2) .*HEADER": None, "UID FETCH 3 ": REFUSED}
    reader = read_through(ScriptedImap(mails=4, answers=answers))
    assert reader.subjects() == ["mail 1", "mail 4"]
    assert sorted(reader.unreadable) == [2, 3]


def test_a_mail_whose_text_ends_the_connection_comes_with_its_headers(
    read_through: Callable[[ScriptedImap], Reader],
) -> None:
    reader = read_through(ScriptedImap(mails=3, answers={"UID FETCH (1:3|3) .*TEXT": None}))
    assert reader.subjects() == ["mail 1", "mail 2", "mail 3"]
    assert list(reader.unreadable) == [3]


def test_the_last_mail_is_not_given_up_while_nothing_proves_that_the_link_is_sound() -> None:
    server = ScriptedImap(mails=2, answers={"UID FETCH (1:2|2) .*HEADER": None})
    with running_scripted_imap(server), reading(server.port) as reader:
        with pytest.raises(MailboxError, match="mail 2 of folder"):
            reader.read()
        assert reader.cursors["INBOX"].last_uid == 1
        server.mails = 3
        server.answers = {"UID FETCH (2:3|2) .*HEADER": None}
        reader.read()
        assert reader.subjects() == ["mail 1", "mail 3"]
        assert list(reader.unreadable) == [2]


def test_a_link_that_breaks_at_every_mail_loses_none() -> None:
    server = ScriptedImap(mails=5, answers={"UID FETCH .*HEADER": None})
    with running_scripted_imap(server), reading(server.port) as reader:
        with pytest.raises(MailboxError) as caught:
            reader.read()
        assert caught.value.reason == "unreachable"
        assert reader.cursors == {}
        server.answers = {}
        reader.read()
    assert reader.subjects() == [f"mail {number}" for number in range(1, 6)]


def test_without_uidnext_only_what_is_new_is_read() -> None:
    server = ScriptedImap(mails=2, answers={"EXAMINE": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7]\r\nTAG OK\r\n"})
    with running_scripted_imap(server), reading(server.port) as reader:
        reader.read()
        # "*" is the newest mail, however old: the server answers 2 again.
        server.answers[r"UID SEARCH UID 3:\*"] = b"* SEARCH 2\r\nTAG OK\r\n"
        assert reader.read() == []
        server.mails = 3
        server.answers[r"UID SEARCH UID 3:\*"] = b"* SEARCH 2 3\r\nTAG OK\r\n"
        reader.read()
    assert reader.subjects() == ["mail 1", "mail 2", "mail 3"]


def test_a_server_without_idle_is_not_watched() -> None:
    server = ScriptedImap(capabilities=b"IMAP4rev1 AUTH=PLAIN")
    with running_scripted_imap(server), reading(server.port) as reader:
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False
        logins = sum(command.startswith("AUTHENTICATE") for command in server.commands)
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False
        # It is not asked again: that would be a login a minute for nothing.
        assert sum(command.startswith("AUTHENTICATE") for command in server.commands) == logins == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"TAG NO not now\r\n", id="refused"),
        pytest.param(None, id="hang-up"),
        pytest.param(b"+ idling\r\n* BYE\r\n", id="bye"),
        pytest.param(b"+ idling\r\ngarbage\r\n", id="garbage"),
    ],
)
def test_a_watch_that_breaks_is_an_error_every_time_and_not_a_change(answer: bytes | None) -> None:
    server = ScriptedImap(answers={"IDLE": answer})
    with running_scripted_imap(server), reading(server.port) as reader:
        for _ in range(2):
            with pytest.raises(MailboxError):
                reader.source.wait_for_change(threading.Event(), 5)


def test_news_in_the_same_packet_as_the_idle_answer_is_seen() -> None:
    server = ScriptedImap(answers={"IDLE": b"+ idling\r\n* 4 EXISTS\r\n"})
    with running_scripted_imap(server), reading(server.port) as reader:
        assert reader.source.wait_for_change(threading.Event(), 60) is True


def test_news_that_comes_with_the_end_of_idle_is_seen() -> None:
    server = ScriptedImap(answers={"IDLE": b"+ idling\r\n", "DONE": b"* 4 EXISTS\r\nTAG OK\r\n"})
    with running_scripted_imap(server), reading(server.port) as reader:
        # The first watch may end within its login.
        wait_until(lambda: reader.source.wait_for_change(threading.Event(), 0.05), "the news")


def test_a_server_that_repeats_its_count_at_every_idle_starts_no_busy_loop() -> None:
    repeating = ScriptedImap(mails=3, answers={"IDLE": b"+ idling\r\n* 3 EXISTS\r\n* 1 RECENT\r\n"})
    with running_scripted_imap(repeating) as server, reading(server.port) as reader:
        for _ in range(2):
            assert reader.source.wait_for_change(threading.Event(), 0.05) is False


def test_a_removal_and_an_arrival_together_are_news() -> None:
    swapped = ScriptedImap(mails=3, answers={"IDLE": b"+ idling\r\n* 2 EXPUNGE\r\n* 3 EXISTS\r\n"})
    with running_scripted_imap(swapped) as server, reading(server.port) as reader:
        assert reader.source.wait_for_change(threading.Event(), 60) is True


def test_a_server_that_never_stops_talking_does_not_hide_the_stop() -> None:
    stop = threading.Event()
    talkative = ScriptedImap(answers={"IDLE": b"+ idling\r\n" + b"* OK still here\r\n" * 500_000})
    with running_scripted_imap(talkative) as server, reading(server.port) as reader:
        watching = threading.Thread(target=reader.source.wait_for_change, args=(stop, 60))
        watching.start()
        wait_until(lambda: "IDLE" in server.commands, "IDLE to be sent")
        stop.set()
        watching.join(5)
        assert not watching.is_alive()


def test_flags_and_removals_are_no_news() -> None:
    chatter = b"+ idling\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 1 EXPUNGE\r\n* OK Still here\r\n* 0 RECENT\r\n"
    with running_scripted_imap(ScriptedImap(answers={"IDLE": chatter})) as server, reading(server.port) as reader:
        assert reader.source.wait_for_change(threading.Event(), 0.05) is False

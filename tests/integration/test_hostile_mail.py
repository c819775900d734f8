"""What a stranger may write into a mail or a name: nothing of it acts, nothing is fetched, and no mail holds the others up."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from alerts.core.model import Answer, AnswerKind
from monitor.core.weeks import week_of
from monitor.jobs.answers import apply_answer
from monitor.jobs.reporting import make_report
from monitor.jobs.showing import Shown
from monitor.metrics.page import render_page
from monitor.report.publish import record_report, render_report
from tests.support.hook_server import HookServer
from tests.support.mails import ALIAS, ORDER, buyer_mail, return_notice
from tests.support.small_world import SmallWorld, small_world
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
HOUR = timedelta(hours=1)
EVIL = {
    "slack": "<!channel> <!here> <!everyone> <@U123> <#C123> <https://evil.example|reply here>",
    "stores": '\'; DROP TABLE message; -- "} 1\nreplyby_threads_open{account="forged',
    "terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m a\x00b\ufeffc\u200bd \u202e7654321-402\u202c\u2066x",
    "line": "a\nforged 2026-11-20T00:00:00Z [info     ] answered\r\nX-Forged: yes",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "files": '=HYPERLINK("http://evil.example") | a | b |\n|---|---|\n# forged `code` [reply](https://evil.example)',
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with small_world(tmp_path, more='keep_text = "5d"') as made:
        yield made


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "TEST_IMAP_PASSWORD": "secret-imap-password", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def evil_mail(world: SmallWorld, text: str, number: int) -> bytes:
    """A genuine-looking message with hostile text wherever a sender may put some; raw, because no library would write it."""
    flat = text.replace("\r", " ").replace("\n", " ").replace("\x00", " ")
    alias = f"evil{number:02d}aaaaaaaa@marketplace.amazon.fr"
    mail = buyer_mail(world.clock() - 17 * HOUR, alias=alias, order=f"402-00000{number:02d}-0000001", words=text)
    raw = mail.replace(b"Demande de renseignements", flat.encode() + b" Demande")
    raw = re.sub(rb"From: .*?\n(?=To:)", f'From: "{flat}" <{alias}>\n'.encode(), raw, flags=re.DOTALL)
    header = f"X-Space-Campaign: {flat}\nList-Id: <{flat}>\nX-Marketplace-ID: {flat}\n"
    return header.encode() + raw.replace(b"B0EXAMPLE1", flat.encode()[:40])


def read_as_markup(message: dict[str, Any]) -> list[str]:
    """Return every text of a message in which Slack looks for markup; in `plain_text` it looks for none.

    Source: docs.slack.dev, "Text object": mrkdwn is formatted, plain_text is not; the notification line is mrkdwn.
    """
    found = [str(message["text"])]
    waiting: list[Any] = list(message.get("blocks", []))
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            if one.get("type") == "mrkdwn":
                found.append(str(one["text"]))
            waiting += [value for value in one.values() if isinstance(value, dict | list)]
    return found


def acts(text: str) -> list[str]:
    """Return what in a text would act on a terminal."""
    return re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_nothing_hostile_in_a_mail_acts_anywhere(tmp_path: Path, world: SmallWorld) -> None:
    for number, text in enumerate(EVIL.values()):
        world.mailbox.deliver(evil_mail(world, text, number), world.clock())
    world.pass_time(timedelta(seconds=90), timedelta(seconds=30))
    orders = {f"402-00000{number:02d}-0000001" for number in range(len(EVIL))}
    assert {order for order in orders if any(order in text for text in world.texts())} == orders, "each was told"
    assert sum(" 402-" in text for text in world.texts()) == len(EVIL), "and once"

    # A name that a person of the workspace chose for himself, and a reason that somebody typed.
    for thread, text in enumerate(EVIL.values(), start=1):
        for kind in (AnswerKind.ACKNOWLEDGE, AnswerKind.WAIVE):
            answer = Answer(
                event_id=f"{kind}{thread}",
                kind=kind,
                by=text,
                at=world.clock(),
                source="slack",
                thread_id=thread,
                reason=text,
            )
            apply_answer(world.services, world.worker.policies, answer)
    world.pass_time(timedelta(seconds=90), timedelta(seconds=30))

    for message in world.slack.all_messages():
        written = json.dumps(read_as_markup(message), ensure_ascii=False)
        marks = [
            mark for mark in re.findall(r"<([^>]*)>", written) if not re.match(r"!date\^|https://[\w.-]*amazon\.", mark)
        ]
        assert marks == [], marks
        assert acts(message["text"]) == []
    for sent in world.twilio.sent:
        assert sent.body.isprintable()

    shown = Shown(world.services, lambda: world.worker.last_cycle_at)
    page = render_page(shown.read_page(), 15)
    assert not re.search(r"<(script|img|iframe|object|a)\b", page)
    assert "evil.example" not in page
    assert world.metric("replyby_messages_total", kind="buyer_message") == len(EVIL)
    assert world.metric("replyby_clocks_total", outcome="waived") == len(EVIL)

    for number, text in enumerate(EVIL.values()):
        (tmp_path / f"{number}.eml").write_bytes(evil_mail(world, text, number))
    said = run(tmp_path, "status", "--all") + run(tmp_path, "history", "3") + run(tmp_path, "history", "4")
    said += run(tmp_path, "explain", *(f"{number}.eml" for number in range(len(EVIL))))
    assert r"\x1b[2J" in said, "it is shown as what it is"
    assert acts(said) == []
    assert not [line for line in said.splitlines() if line.startswith(("forged", "X-Forged"))]


def test_a_report_full_of_hostile_names_is_only_text(tmp_path: Path, world: SmallWorld) -> None:
    for number, text in enumerate(EVIL.values()):
        world.mailbox.deliver(evil_mail(world, text, number), world.clock() - 17 * HOUR)
    world.worker.poll("support")
    for thread, text in enumerate(EVIL.values(), start=1):
        answer = Answer(
            event_id=str(thread),
            kind=AnswerKind.ACKNOWLEDGE,
            by=text,
            at=world.clock(),
            source="slack",
            thread_id=thread,
        )
        apply_answer(world.services, world.worker.policies, answer)
    world.clock.advance(days=3)
    report = make_report(
        world.services, week_of(world.clock() - timedelta(days=3), world.services.config.worker.time_zone)
    )
    paths = record_report(render_report(report), tmp_path / "reports")
    html = paths["html"].read_text()
    assert not re.search(r"<(script|iframe|object|link)\b|onerror|evil\.example|https?://(?!www\.w3\.org)", html)
    rows = list(csv.reader(io.StringIO(paths["csv"].read_text("utf-8-sig"))))
    assert len(rows) == 1 + len(EVIL)
    markdown = paths["md"].read_text()
    assert not re.search(r"(?<!\\)<|\]\(http", markdown)
    assert acts(markdown + html) == []


def test_no_link_of_a_mail_is_ever_opened_and_no_picture_loaded(tmp_path: Path, world: SmallWorld) -> None:
    server = HookServer().start()
    try:
        here = server.base_url
        html = (
            f"<link rel=stylesheet href='{here}/s.css'><img src='{here}/p.png'><script src='{here}/x.js'></script>"
            f"<iframe src='{here}/f'></iframe><style>@import url({here}/i.css);</style><a href='{here}/a'>a</a>"
            f"<meta http-equiv=refresh content='0;url={here}/r'><video poster='{here}/v'></video>"
        )
        mail = buyer_mail(
            world.clock() - 17 * HOUR, words=f"see {here}/words and https://nam.example/?url={here}", html=html
        )
        head = f"List-Unsubscribe: <{here}/u>\nDisposition-Notification-To: <x@{here[7:]}>\nX-Image-Url: {here}/face\n"
        world.mailbox.deliver(head.encode() + mail, world.clock())
        outer = EmailMessage()
        outer["From"], outer["To"], outer["Subject"] = "ana@acme.example", "support@acme.example", "Fwd"
        outer.set_content(f"{here}/outer")
        outer.add_attachment(
            b"placeholder",
            maintype="message",
            subtype="external-body",
            params={"access-type": "URL", "URL": f"{here}/e"},
        )
        world.mailbox.deliver(bytes(outer), world.clock())
        world.pass_time(timedelta(minutes=2))
        assert any(ORDER in text for text in world.texts())
        assert here not in json.dumps(world.slack.all_messages())
        assert all(message.get("unfurl_links") is False for message in world.slack.messages())
        (tmp_path / "mail.eml").write_bytes(head.encode() + mail)
        run(tmp_path, "explain", "mail.eml")
        report = make_report(world.services, week_of(world.clock(), world.services.config.worker.time_zone))
        record_report(render_report(report), tmp_path / "reports")
        pages = [path.read_bytes() for path in (tmp_path / "reports").iterdir()]
        pages.append(render_page(Shown(world.services, lambda: world.worker.last_cycle_at).read_page(), 15).encode())
        assert not [page for page in pages if str(server.port).encode() in page]
        assert server.requests == []
    finally:
        server.stop()


def bombs() -> dict[str, bytes]:
    """Mails that ask for far more work than they weigh; each from a buyer, so that it may not be thrown away unread."""
    head = f"From: Zoé <{ALIAS}>\r\nTo: support@acme.example\r\nMIME-Version: 1.0\r\n".encode()
    html = b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    entities = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 30))
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000))
    return {
        "entities": head
        + html
        + b'<!DOCTYPE x [<!ENTITY e0 "boom">'
        + entities
        + b"]><p>&e29;</p>"
        + b"&amp" * 100_000,
        "headers": head + b"".join(b"X-Bomb-%d: %s\r\n" % (n, b"x" * 200) for n in range(5_000)) + b"\r\nwords",
        "one header": head + b"References: " + b"<a@b> " * 150_000 + b"\r\n\r\nwords",
        "folded header": head + b"Subject: a\r\n" + b" \r\n" * 200_000 + b"\r\nwords",
        "encoded words": head + b"Subject: " + b"=?utf-8?q?=41?= " * 50_000 + b"\r\n\r\nwords",
        "nested": head + nested + b"\r\nwords",
        "open tags": head + html + b"<div>" * 200_000,
        "open brackets": head + html + b"<" * 500_000,
        "parts": head
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 20_000
        + b"--b--\r\n",
        "zip": head
        + b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b"UEsDBBQAAAAIAA" * 100_000,
        "addresses": head + b"Cc: " + b"a@b.example, " * 100_000 + b"\r\n\r\nwords",
        "parameters": head + b"Content-Type: text/plain" + b"; a*0=x" * 100_000 + b"\r\n\r\nwords",
        "dates": head + b"Date: " + b"(" * 100_000 + b"\r\n\r\nwords",
    }


@pytest.mark.parametrize("name", bombs())
def test_a_bomb_holds_nobody_up(world: SmallWorld, name: str) -> None:
    world.mailbox.deliver(bombs()[name], world.clock())
    world.buyer_writes(world.clock() - 17 * HOUR)
    began = time.process_time()
    world.pass_time(timedelta(seconds=30))
    assert time.process_time() - began < 20  # of CPU time, also on a slow machine; what is not linear takes minutes
    assert any(ORDER in text for text in world.texts()), "the buyer behind it is told of"
    assert world.errors == []


def test_a_notice_with_a_buyers_words_starts_no_clock(world: SmallWorld) -> None:
    world.mailbox.deliver(return_notice(world.clock() - HOUR), world.clock())
    world.pass_time(timedelta(minutes=1))
    assert world.texts() == []

"""A worker that was given every secret there is, in good days and bad: what may stand where, who is heard, who is let in.

What is there on purpose, and is left out of the search: the files in `secrets/` that a person wrote, and the token of
`replyby login` in `oauth/`, both of mode 0600. Everything else that the worker writes, says or shows is searched.
"""

import json
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.wallclock import utc_now
from tests.support.mails import buyer_mail, return_notice, seller_reply
from tests.support.planted import (
    ALIAS,
    BUYER,
    NAME,
    ORDER,
    SECRETS,
    WORDS,
    PlantedWorld,
    files_below,
    leaks,
    planted_world,
    process_texts,
)
from tests.support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.integration
EARLY = "402-6666666-1234567"
LOUD = ("-m", "tests.support.loud_worker")


def ago(**span: float) -> datetime:
    return utc_now().replace(microsecond=0) - timedelta(**span)


def deliver_everything(world: PlantedWorld) -> None:
    """A buyer's words in every kind of mail that a mailbox may hold, whole and broken."""
    html = f"<p>{WORDS}</p><img src='http://127.0.0.1:9/{BUYER[2]}'>"
    whole = buyer_mail(ago(hours=22, minutes=30), order=ORDER, alias=ALIAS, name=NAME, words=WORDS, html=html)
    world.dovecot.deliver(whole)
    early = buyer_mail(ago(hours=17), order=EARLY, alias=ALIAS.replace("k7", "e7"), name=NAME, words=WORDS)
    world.dovecot.deliver(early)
    half = buyer_mail(
        ago(hours=3), order="402-8888888-1234567", alias=ALIAS.replace("k7", "h8"), name=NAME, words=WORDS
    )
    world.dovecot.deliver(half[: half.index(b"Fin du message")].replace(b"text/plain", b"multipart/mixed"))
    world.dovecot.deliver(half.replace(b"marketplace.amazon.fr>", b"marketplace.arnazon.fr>"))
    world.dovecot.deliver(return_notice(ago(hours=2)).replace(b"Retour de l'acheteur", f"{NAME}: {WORDS}".encode()))
    world.dovecot.deliver(b"X-Space-Notification-Type: NEVER_SEEN\r\n" + return_notice(ago(hours=1)) + WORDS.encode())
    world.dovecot.deliver(
        whole.replace(b"utf-8", b"x-planted-charset").replace(b"Message-ID: <", b"Message-ID: <again-")
    )


def spoil_providers(world: PlantedWorld) -> None:
    """Let each provider fail in ways that repeat in the answer what it was sent, as careless proxies do."""
    slack = f"you sent Authorization: Bearer {SECRETS['bot']}"
    page = f"<html><h1>{slack}</h1></html>".encode()
    world.slack.faults.fail_next("chat.postMessage", "html", body=page)
    world.slack.faults.fail_next("chat.postMessage", "answer", body=json.dumps({"ok": False, "error": slack}).encode())
    world.slack.faults.fail_next("conversations.history", "html", status=500, body=page)
    basic = b64encode(f"{world.twilio.account_sid}:{SECRETS['twilio']}".encode()).decode()
    said = f"you sent Authorization: Basic {basic}, which is {SECRETS['twilio']}"
    wrong = json.dumps({"code": 20001, "message": said, "status": 400}).encode()
    world.twilio.faults.fail_next("messages.create", "answer", status=500, body=wrong)
    world.twilio.faults.fail_next("messages.list", "html", status=502, body=said.encode())
    world.hook.faults.fail_next("hook", "answer", status=500, body=f"POST /{SECRETS['hook']}".encode())
    refused = {"error": "invalid_grant", "error_description": f"{SECRETS['amazon']} with {SECRETS['lwa']} is unknown"}
    world.amazon.faults.fail_next("login", "answer", status=400, body=json.dumps(refused).encode(), times=100)
    world.smtp.script.answers["DATA"] = [f"451 password {SECRETS['smtp']} is too old"]


COMMANDS = (
    ("status",),
    ("history", ORDER),
    ("review",),
    ("doctor",),
    ("check-config", "--connect"),
    ("sample",),
    ("send-test", "team"),
    ("send-test", "office"),
    ("send-test", "pager"),
    ("acknowledge", ORDER, "--by", "Ana"),
    ("report", "--out", "reports"),
    ("once",),
    ("history", "402-0000000-0000000"),
    ("forget", "402-8888888-1234567", "--yes"),
    ("backup", "copies/plain.backup"),
)
FEW_COMMANDS = (("check-config", "--connect"), ("send-test", "pager"), ("backup", "copies/plain.backup"))


def run_everything(world: PlantedWorld, commands: Sequence[tuple[str, ...]]) -> str:
    """Run commands beside the worker, whatever becomes of each, and return all that was said."""

    def run(arguments: tuple[str, ...]) -> str:
        done = subprocess.run(
            [sys.executable, *world.worker.program, *arguments],
            cwd=world.folder,
            env=world.worker.environ,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode in (0, 1), (arguments, done.stderr)
        assert b"Traceback" not in done.stderr, (arguments, done.stderr.decode())
        return f"$ {arguments}\n{done.stdout.decode()}{done.stderr.decode()}"

    with ThreadPoolExecutor(4) as pool:
        return "\n".join(pool.map(run, commands))


def page(world: PlantedWorld, password: str = "") -> str:
    """Return the worker's own page, or what is said instead."""
    request = urllib.request.Request(f"http://127.0.0.1:{world.worker.port}/")
    if password:
        request.add_header("Authorization", f"Basic {b64encode(f'office:{password}'.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


@pytest.mark.parametrize(("form", "program"), [("console", ()), ("json", LOUD)], ids=["console", "json at debug level"])
def test_secrets_and_buyers_words_are_nowhere(tmp_path: Path, form: str, program: tuple[str, ...]) -> None:
    with planted_world(tmp_path, log_format=form, program=program) as world:
        deliver_everything(world)
        spoil_providers(world)
        worker = world.worker
        worker.start(wait=False)
        wait_until(lambda: EARLY in str(world.slack.messages()), "the alert in Slack, after its troubles")
        wait_until(lambda: ORDER in str(world.twilio.sent), "the SMS, after its troubles")
        wait_until(lambda: world.smtp.accepted != [] and hasattr(world.hook, "accepted"), "mail and webhook")
        world.slack.press("replyby_acknowledge", user="U0999")  # of the workspace, and unknown to ReplyBy
        world.twilio.inbound("+447700900999", f"1 {WORDS}")
        world.twilio.inbound("+447700900123", WORDS)
        wait_until(lambda: worker.metric("replyby_answers_total", outcome="rejected") == 2, "both strangers")
        assert {one["acknowledged_by"] for one in worker.status()} == {None}, "strangers change nothing"
        processes = list(process_texts(worker.process.pid)) if worker.process else []
        said = run_everything(world, FEW_COMMANDS if program else COMMANDS)
        shown = {
            "metrics": worker.get("/metrics"),
            "healthz": health(world),
            "page": page(world, SECRETS["page"]),
            "refused page": page(world, "wrong-planted-guess"),
        }
        world.dovecot.put_in_sent(seller_reply(utc_now(), order=ORDER, alias=ALIAS))
        wait_until(lambda: worker.metric("replyby_clocks_total", outcome="met") >= 1, "the reply")
        assert_private(
            tmp_path / "var", ("replyby.db", "replyby.db-wal", "replyby.db-shm", "replyby.db.lock", "replyby.key")
        )
        assert_private(tmp_path / "copies", ("plain.backup", "plain.backup.key"))
        live = list(files_below(tmp_path, "secrets", "oauth"))
        worker.stop(signal.SIGTERM)

        told = world.told()
        log = worker.log()
        everything = {
            **dict(files_below(tmp_path, "secrets", "oauth")),
            **{f"{name}, while at work": content for name, content in live},
            **dict(processes),
            **{name: text.encode() for name, text in shown.items()},
            "commands": said.encode(),
        }
        found = {name: leaks(content, SECRETS) for name, content in everything.items()}
        assert {name: what for name, what in found.items() if what} == {}
        found = {name: leaks(content, BUYER) for name, content in {**everything, "told": told.encode()}.items()}
        assert {name: what for name, what in found.items() if what} == {}

        # The search finds what is there, and all the troubles were had.
        assert leaks(dict(live)["var/data/replyby.db-wal"] + dict(live)["var/data/replyby.db"], (ORDER,)) == [ORDER]
        assert {"var/data/replyby.db", "copies/plain.backup", "worker.log"} <= set(everything)
        assert bool(program) or any(name.startswith("reports/") for name in everything)
        assert "Loads again" in shown["page"] and "password" in shown["refused page"]
        assert {"cmdline" in name for name in dict(processes)} == {True, False}
        for word in ("delivery_", "sms_reply_rejected", "slack_press_rejected", "invalid_grant"):
            assert word in log, word
        assert world.amazon.calls("login") != []
        if form == "json":
            assert "http.client" in log or "send:" in log, "the libraries were talkative"
        problems = [*world.slack.problems, *world.twilio.problems, *world.hook.problems]
        assert problems == []


def health(world: PlantedWorld) -> str:
    try:
        return world.worker.get("/healthz")
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def assert_private(folder: Path, names: tuple[str, ...]) -> None:
    """The worker ran under umask 000: every folder is its owner's alone all the same, and so is every file."""
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert set(names) <= set(found)
    folders = {path.name for path in (folder, *folder.rglob("*")) if path.is_dir()}
    assert found == {name: 0o700 if name in folders else 0o600 for name in found}

"""Setting up as a person does it: a real terminal, a real mail server, stand-ins for Slack and Twilio."""

import json
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pexpect
import pytest

from monitor.cli.first_look import look_once
from monitor.config.loader import load_config
from monitor.setup.probes import probe_twilio
from monitor.store.engine import WorkerLock
from monitor.store.opening import open_store
from monitor.wallclock import utc_now
from tests.support.dovecot import PASSWORD, USERNAME, Dovecot, running_dovecot
from tests.support.mails import buyer_mail, seller_reply
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
REPLYBY = [sys.executable, "-m", "monitor"]
ENVIRON = {
    **{key: value for key, value in os.environ.items() if not key.startswith(("REPLYBY_", "SLACK_", "TWILIO_"))},
    "PYTHONPATH": str(ROOT),
    "TZ": "Europe/Paris",
    "TERM": "dumb",
}
CHOSEN = ("402-1234567-0000001", "402-1234567-0000002", "402-1234567-0000003")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REPLYBY, *arguments],
        cwd=folder,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def fill(dovecot: Dovecot) -> None:
    """Three buyer messages of last week: two answered in time from Sent, one never."""
    for number, order in enumerate(CHOSEN):
        asked_at = utc_now() - timedelta(days=3 + number)
        alias = f"k7c2v9m4x1q8w{number}z@marketplace.amazon.fr"
        dovecot.deliver(buyer_mail(asked_at, order=order, alias=alias), asked_at)
        if number < 2:
            answered_at = asked_at + timedelta(hours=2)
            dovecot.put_in_sent(seller_reply(answered_at, order=order, alias=alias), answered_at)


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Any]:
    """A command in a pseudo-terminal of 100 columns."""
    child = pexpect.spawn(
        REPLYBY[0],
        [*REPLYBY[1:], *arguments],
        cwd=str(folder),
        env=ENVIRON,
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(40, 100),
    )
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


@pytest.mark.integration
def test_an_empty_folder_becomes_a_delivered_alert_and_a_first_figure(tmp_path: Path) -> None:
    with running_dovecot() as dovecot, SlackServer() as slack, TwilioServer() as twilio:
        fill(dovecot)
        options = ["--slack-api-url", slack.api_url, "--twilio-api-url", twilio.base_url]
        conversation = [
            ("Which mailbox does Amazon write to", "ops at acme", "Not an e-mail address"),
            ("Which mailbox does Amazon write to", USERNAME, None),
            ("IMAP server:", "127.0.0.1", None),
            ("Port:", str(dovecot.port), None),
            ("User name:", "", None),
            ("Its password:", "wrong", "login refused"),
            ("Its password:", PASSWORD, "✓ logged in, 3 folders"),
            ("Where shall secrets be kept", "", None),
            ("Alerts in Slack", "y", "slack.com/apps"),
            ("App token:", slack.app_token, None),
            ("Bot token:", "xoxb-wrong", "Slack: invalid_auth"),
            ("Bot token:", slack.bot_token, "✓ Slack: Acme"),
            ("Which channel", "support", "✓ #support"),
            ("Wake somebody by SMS", "n", None),
            ("Time zone:", "", None),
            ("Are there hours", "n", None),
            ("Its address", "", "config.toml written"),
        ]
        said = ""
        with terminal(tmp_path, "init", *options) as child:
            for question, answer, reaction in conversation:
                child.expect(re.escape(question) + r"[^\n]* $")
                said += child.before + child.after
                child.sendline(answer)
                if reaction is not None:
                    child.expect_exact(reaction)
                    said += child.before + child.after
            child.expect(r"3 mails from Amazon in 90 days: 3 buyer messages, at least 66 % answered in time")
            child.expect_exact("no copy of a reply made in Seller Central was ever seen")
            child.expect_exact("Start: replyby run")
            child.expect(pexpect.EOF)
            child.wait()
            assert child.exitstatus == 0
        problems = [line for line in said.splitlines() if line.lstrip("\r").startswith("✗")]
        assert len(problems) == 3, said
        assert PASSWORD not in said and slack.bot_token not in said and slack.app_token not in said

        text = (tmp_path / "config.toml").read_text()
        for secret in (PASSWORD, slack.bot_token, slack.app_token):
            assert secret not in text
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (tmp_path / "secrets").iterdir())
        assert not list(tmp_path.rglob("*.db")), "the first look keeps nothing"
        checked = run(tmp_path, "check-config")
        assert (checked.returncode, checked.stdout.splitlines()[0]) == (0, "config.toml: valid"), checked.stderr

        sent = run(tmp_path, "send-test", "team")
        assert (sent.returncode, sent.stdout.strip()) == (0, "team by slack: sent, and read back"), sent.stderr
        assert len(slack.messages("C0123")) == 1

        looked = run(tmp_path, "doctor", "--json")
        found = {one["subject"]: one for one in json.loads(looked.stdout)["findings"] if one["grade"] == "good"}
        assert {"Slack", "clock", "database", "outbox"} <= set(found), looked.stdout
        assert looked.returncode == 1, "no worker runs yet"


@pytest.mark.integration
def test_every_answer_can_be_an_option_and_a_phone_is_proven(tmp_path: Path) -> None:
    with running_dovecot() as dovecot, SlackServer() as slack, TwilioServer() as twilio:
        given = {
            "address": USERNAME,
            "host": "127.0.0.1",
            "port": str(dovecot.port),
            "password": PASSWORD,
            "slack-app-token": slack.app_token,
            "slack-bot-token": slack.bot_token,
            "slack-channel": "#support",
            "slack-api-url": slack.api_url,
            "name": "Ana",
            "phone": "+33612345678",
            "twilio-account-sid": twilio.account_sid,
            "twilio-auth-token": twilio.auth_token,
            "twilio-from": "+15005550006",
            "twilio-api-url": twilio.base_url,
            "days": "mon-fri",
        }
        done = run(tmp_path, "init", *(f"--{key}={value}" for key, value in given.items()))
        assert done.returncode == 0, done.stderr
        assert "none of them a buyer message" in done.stdout
        again = run(tmp_path, "init", *(f"--{key}={value}" for key, value in given.items()))
        assert (again.returncode, again.stderr.count("\n")) == (1, 1)
        assert "--overwrite y" in again.stderr
        with terminal(tmp_path, "send-test", "phones-sms", "--page") as child:
            child.expect_exact("Waiting up to 10 minutes")
            asked = re.search(r"reply (\d+)", twilio.sent_to("+33612345678")[0])
            assert asked is not None
            twilio.inbound("+33612345678", asked.group(1), to="+15005550006")
            child.expect_exact("Answered: Ana")
            child.expect(pexpect.EOF)
        subjects = [one["text"] for one in json.loads(run(tmp_path, "doctor", "--json").stdout)["findings"]]
        assert not any("never answered a test" in text for text in subjects)


def test_the_first_look_tells_the_marketplaces_that_were_seen_and_keeps_nothing(tmp_path: Path) -> None:
    for part in ("cur", "new"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    for number, market in enumerate(("fr", "fr", "de")):
        at = utc_now() - timedelta(days=5 + number)
        alias = f"k7c2v9m4x1q8w{number}z@marketplace.amazon.{market}"
        mail = buyer_mail(at, order=CHOSEN[number], alias=alias, marketplace=market)
        mail = mail.replace(b"A13V1IB3VIYZZH", {"fr": b"A13V1IB3VIYZZH", "de": b"A1PA6795UKMFR9"}[market])
        file = tmp_path / "Maildir" / "new" / f"{number}.mail"
        file.write_bytes(mail)
        os.utime(file, (at.timestamp(), at.timestamp()))
    path = tmp_path / "config.toml"
    path.write_text('[[mailbox]]\ntype = "maildir"\npath = "Maildir"\n[[receiver]]\ntype = "console"\n')
    lines = look_once(load_config(path, {}))
    assert lines[0].startswith("✓ 3 mails from Amazon in 90 days: 3 buyer messages, at least 0 % answered in time")
    assert lines[1] == "  By marketplace: FR 2, DE 1."
    assert not list(tmp_path.rglob("*.db")), "nothing of the mails is kept"


def test_a_doctor_finds_what_is_wrong_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[worker]\nheartbeat_url = "http://127.0.0.1:{free_port()}/secret-path"\n'
        f'[[mailbox]]\nname = "shop"\nhost = "127.0.0.1"\nport = {free_port()}\nsecurity = "none"\n'
        'username = "ops@acme.example"\npassword = "hush-hush"\n[[receiver]]\ntype = "console"\n'
    )
    looked = run(tmp_path, "doctor", "--json")
    assert looked.returncode == 1
    document = json.loads(looked.stdout)
    bad = {one["subject"]: one for one in document["findings"] if one["grade"] == "bad"}
    assert set(bad) == {"worker", 'mailbox "shop"', "dead-man's switch"}
    assert document["bad"] == 3
    assert all(one["advice"] for one in bad.values())
    plain = run(tmp_path, "doctor")
    assert plain.stdout.startswith("✗ ")
    assert "hush-hush" not in plain.stdout + plain.stderr + looked.stdout
    assert "secret-path" not in plain.stdout + plain.stderr + looked.stdout


HOURS = ("init", "hours", "--overwrite=y", "--days=mon-fri")


def test_a_reader_that_goes_away_leaves_a_written_file_and_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n')
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*REPLYBY, *HOURS],
            cwd=tmp_path,
            env=ENVIRON,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert load_config(path, {}).staffed


def test_beside_a_running_worker_init_asks_for_a_restart(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n')
    assert run(tmp_path, *HOURS).stdout.splitlines()[-1] == "Start: replyby run"
    assert not (tmp_path / "var").exists(), "looking for a worker makes no database"
    store = open_store(load_config(tmp_path / "config.toml", {}))
    assert run(tmp_path, *HOURS).stdout.splitlines()[-1] == "Start: replyby run"
    lock = WorkerLock(store.engine)
    lock.acquire(threading.Event())
    try:
        last = run(tmp_path, *HOURS).stdout.splitlines()[-1]
    finally:
        lock.release()
        store.engine.dispose()
    assert last == (
        "A worker runs and does not know of this file yet. "
        "Restart it: systemctl restart replyby, or stop it and run: replyby run"
    )


def test_the_clock_is_held_against_twilios_where_there_is_no_slack() -> None:
    with TwilioServer() as twilio:
        facts = probe_twilio(twilio.account_sid, twilio.auth_token, twilio.base_url)
    assert facts.clock_skew is not None
    assert abs(facts.clock_skew) < timedelta(seconds=30)


def test_reports_that_could_not_be_written_are_told_before_one_falls_due(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        '[[mailbox]]\ntype = "simulated"\n[[receiver]]\nname = "terminal"\ntype = "console"\n'
        '[report]\nto = "terminal"\ndirectory = "taken"\n'
    )
    (tmp_path / "taken").write_text("")
    said = f"[report] directory: {tmp_path / 'taken'} cannot be written (Not a directory)"
    checked = run(tmp_path, "check-config")
    assert checked.returncode == 0
    assert f"  note: {said}. Give it to the worker's user, or name another." in checked.stdout
    findings = json.loads(run(tmp_path, "doctor", "--json").stdout)["findings"]
    assert said in [one["text"] for one in findings if one["subject"] == "report"]


def test_a_database_of_another_program_is_told_by_the_doctor_not_thrown(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "replyby.db").write_bytes(b"no database at all" * 100)
    (tmp_path / "config.toml").write_text(
        '[worker]\ndatabase = "sqlite:///var/replyby.db"\n'
        '[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n'
    )
    looked = run(tmp_path, "doctor")
    assert looked.returncode == 1
    assert any(line.startswith("✗ database: ") for line in looked.stdout.splitlines()), looked.stdout + looked.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["service", "install", "--help"], 0, "--user"),
        (["service", "uninstall", "--help"], 0, "stay"),
        (["init", "--help"], 0, "--heartbeat-url"),
        (["init", "kitchen"], 2, "mailbox"),
        (["login", "nobody"], 2, "no such mailbox. Mailboxes: shop."),
        (["login", "shop"], 2, "signs in with a password"),
        (["service", "install", "--print", "--user", "nobody"], 0, "run --config"),
    ],
)
def test_each_command_says_what_it_is_for_and_what_was_wrong(
    arguments: list[str], status: int, words: str, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(
        '[[mailbox]]\nname = "shop"\nhost = "imap.acme.example"\nusername = "ops@acme.example"\npassword = "secret"\n'
        '[[receiver]]\ntype = "console"\n'
    )
    done = run(tmp_path, *arguments)
    assert done.returncode == status, done.stderr
    assert words in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr

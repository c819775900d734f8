"""Each thing that can be wrong has its line, the worst first; a sound installation has none."""

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config.loader import parse_config
from monitor.config.model import Config
from monitor.core.messages import Where
from monitor.report.digest import Trouble
from monitor.setup.doctor import find_troubles, list_for_digest
from monitor.setup.doctor_facts import Facts, Grade, MailboxLook, SilenceLook
from monitor.setup.probes import SlackFacts, TwilioFacts
from monitor.sources.base import FolderFacts, MailboxFacts

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TEXT = b"""
[worker]
heartbeat_url = "https://hc.example/1"
[[account]]
name = "acme"
[account.sp_api]
refresh_token = "r"
lwa_app_id = "i"
lwa_client_secret = "s"
marketplaces = ["FR"]
secret_expires = 2027-03-01
[[mailbox]]
host = "imap.acme.example"
username = "support@acme.example"
password = "p"
[slack]
bot_token = "xoxb-1"
app_token = "xapp-1"
[twilio]
account_sid = "AC1"
auth_token = "t"
from = "+15005550006"
[[person]]
name = "Ana"
phone = "+33612345678"
[[receiver]]
name = "team"
type = "slack"
channel = "C0123"
"""
FOLDERS = tuple(FolderFacts(name=str(role), where=role, mails=5) for role in Where)
MAILBOX = MailboxFacts(folders=FOLDERS, authserv_ids=(("mx.acme.example", 1.0),))
SLACK = SlackFacts("Acme", "replyby", {"C0123": "support"}, frozenset({"C0123"}), {})
TWILIO = TwilioFacts(("+15005550006",), balance="12.34 USD")


@pytest.fixture(scope="module")
def config() -> Config:
    return parse_config(TEXT, Path("/srv/config.toml"), "config.toml", {})


def facts_of(config: Config, **changes: Any) -> Facts:
    sound = Facts(
        config=config,
        now=NOW,
        mailboxes={"mailbox": MailboxLook(facts=MAILBOX, last_read_at=NOW - MINUTE)},
        clock_skew=timedelta(seconds=2),
        disk_free={"database": 20 * 1024**3},
        database="",
        worker=True,
        outbox_pending=0,
        slack=SLACK,
        twilio=TWILIO,
        on_call={"primary": "Ana"},
        heartbeat_at=NOW - MINUTE,
    )
    return dataclasses.replace(sound, **changes)


def test_a_sound_installation_has_no_trouble(config: Config) -> None:
    findings = find_troubles(facts_of(config))
    assert {finding.grade for finding in findings} == {Grade.GOOD}
    assert {finding.subject for finding in findings} >= {"worker", "database", "disk", "clock", "outbox", "Slack"}


def test_what_was_not_looked_at_is_not_judged(config: Config) -> None:
    findings = find_troubles(Facts(config=config, now=NOW, heartbeat_at=NOW))
    assert [finding.subject for finding in findings] == ["dead-man's switch", "configuration"]


CASES: dict[str, tuple[dict[str, Any], Grade, str, str, str]] = {
    "no worker": (
        {"worker": False},
        Grade.BAD,
        "worker",
        "not running: nothing is read and nobody is told",
        "Start it: replyby run.",
    ),
    "login refused": (
        {"mailboxes": {"mailbox": MailboxLook(trouble="imap:993: login refused for s@a. Check the password.")}},
        Grade.BAD,
        'mailbox "mailbox"',
        "imap:993: login refused for s@a",
        "Check the password.",
    ),
    "blind": (
        {"mailboxes": {"mailbox": MailboxLook(facts=MAILBOX, last_read_at=NOW - 95 * MINUTE)}},
        Grade.BAD,
        'mailbox "mailbox"',
        "last read 95m ago",
        "Look at the worker's log.",
    ),
    "reports that cannot be written": (
        {"report": "[report] directory: /srv/r cannot be written (Permission denied). Give it to the worker's user."},
        Grade.BAD,
        "report",
        "[report] directory: /srv/r cannot be written (Permission denied)",
        "Give it to the worker's user.",
    ),
    "no Sent": (
        {"mailboxes": {"mailbox": MailboxLook(facts=dataclasses.replace(MAILBOX, folders=FOLDERS[:2]))}},
        Grade.DOUBTFUL,
        'mailbox "mailbox"',
        "no Sent folder: replies by mail are not seen",
        'Write its name: sent = "…".',
    ),
    "no spam folder": (
        {"mailboxes": {"mailbox": MailboxLook(facts=dataclasses.replace(MAILBOX, folders=(FOLDERS[0], FOLDERS[2])))}},
        Grade.DOUBTFUL,
        'mailbox "mailbox"',
        "no spam folder: buyer mail in it is not seen",
        'Write its name: junk = "…".',
    ),
    "no verdicts": (
        {"mailboxes": {"mailbox": MailboxLook(facts=dataclasses.replace(MAILBOX, authserv_ids=()))}},
        Grade.DOUBTFUL,
        'mailbox "mailbox"',
        "its mails carry no verdict on their sender",
        "Copies of replies then count by DKIM alone; if none ever does, set require_proof = false.",
    ),
    "sign-in ends": (
        {"tokens": {"mailbox": 'mailbox "mailbox": the sign-in ends on 2026-11-22. Run `replyby login mailbox`.'}},
        Grade.DOUBTFUL,
        'mailbox "mailbox"',
        'mailbox "mailbox": the sign-in ends on 2026-11-22',
        "Run `replyby login mailbox`.",
    ),
    "clock ahead": (
        {"clock_skew": 4 * MINUTE},
        Grade.DOUBTFUL,
        "clock",
        "240 s ahead: deadlines are wrong by as much",
        "Switch time synchronisation on (timedatectl set-ntp true).",
    ),
    "clock behind": (
        {"clock_skew": -6 * MINUTE},
        Grade.BAD,
        "clock",
        "360 s behind: deadlines are wrong by as much",
        "Switch time synchronisation on (timedatectl set-ntp true).",
    ),
    "disk low": (
        {"disk_free": {"database": 500 * 1024**2}},
        Grade.DOUBTFUL,
        "disk",
        "500 MB left where the database lies",
        "Make room.",
    ),
    "disk full": ({"disk_free": {"database": 0}}, Grade.BAD, "disk", "0 MB left where the database lies", "Make room."),
    "database": (
        {"database": "replyby.db: the file is damaged. Restore the last `replyby backup`."},
        Grade.BAD,
        "database",
        "replyby.db: the file is damaged",
        "Restore the last `replyby backup`.",
    ),
    "outbox": (
        {"outbox_pending": 3, "outbox_oldest_due_at": NOW - 20 * MINUTE},
        Grade.BAD,
        "outbox",
        "3 undelivered, the oldest due 20m ago",
        "See which receiver fails: replyby check-config --connect.",
    ),
    "Slack refuses": (
        {"slack": "Slack: token_revoked. Install the app again."},
        Grade.BAD,
        "Slack",
        "Slack: token_revoked",
        "Install the app again.",
    ),
    "Slack lacks a right": (
        {"slack": dataclasses.replace(SLACK, lacking={"chat:write": "posts messages"})},
        Grade.DOUBTFUL,
        "Slack",
        "the app lacks chat:write, which posts messages",
        "Put the manifest into the app again and install it anew.",
    ),
    "not in the channel": (
        {"not_member_of": ("team",)},
        Grade.BAD,
        "Slack",
        'the bot is not in the channel of "team"',
        "Type there: /invite @replyby.",
    ),
    "Twilio refuses": ({"twilio": "Twilio: HTTP 401. Copy it."}, Grade.BAD, "Twilio", "Twilio: HTTP 401", "Copy it."),
    "foreign sender": (
        {"twilio": TwilioFacts(("+33700000001",), balance="9 USD")},
        Grade.BAD,
        "Twilio",
        "+15005550006 is no number of the account",
        "Write one of: +33700000001.",
    ),
    "little money": (
        {"twilio": dataclasses.replace(TWILIO, balance="1.20 USD")},
        Grade.DOUBTFUL,
        "Twilio",
        "balance 1.20 USD: SMS stop when it is used up",
        "Top it up.",
    ),
    "STOP": (
        {"opted_out": ("Ana",)},
        Grade.BAD,
        "phone",
        "Ana sent STOP and gets no SMS",
        "Ana sends START to the number.",
    ),
    "phone never tried": (
        {"unproven": ("Ana",)},
        Grade.DOUBTFUL,
        "phone",
        "Ana's phone never answered a test",
        "Run: replyby send-test phones-sms --page.",
    ),
    "nobody on call": (
        {"on_call": {"primary": None}},
        Grade.BAD,
        "on call",
        'nobody on "primary" now',
        "Correct its rotation or calendar.",
    ),
    "a gap to come": (
        {"gaps": {"primary": NOW + DAY}},
        Grade.DOUBTFUL,
        "on call",
        'nobody on "primary" from 2026-11-21 08:00 UTC',
        "Correct its rotation or calendar.",
    ),
    "silence left on": (
        {"silences": (SilenceLook(id=4, until=NOW + 3 * DAY, by="Bo"),)},
        Grade.DOUBTFUL,
        "silence",
        "4 by Bo mutes alerts for more than a day, until 2026-11-23 08:00 UTC",
        "If it was forgotten: replyby silence expire 4.",
    ),
    "no ping": (
        {"heartbeat_at": NOW - 16 * MINUTE},
        Grade.BAD,
        "dead-man's switch",
        "not pinged lately",
        "Check heartbeat_url, and whether the worker's /healthz is 200.",
    ),
    "secret ends": (
        {"now": datetime(2027, 2, 1, tzinfo=UTC), "worker": None, "heartbeat_at": datetime(2027, 2, 1, tzinfo=UTC)},
        Grade.DOUBTFUL,
        'SP-API of "acme"',
        "the client secret ends on 2027-03-01",
        "Renew it in Seller Central; write the new lwa_client_secret and secret_expires.",
    ),
    "Amazon refuses": (
        {"amazon": (("acme", 'SP-API of "acme", getOrder: HTTP 403 Unauthorized. Give the application the role.'),)},
        Grade.BAD,
        'SP-API of "acme"',
        "HTTP 403 Unauthorized",
        "Give the application the role.",
    ),
    "another figure": (
        {"differing": (("acme", "FR"),)},
        Grade.DOUBTFUL,
        "acme FR",
        "Amazon's figure and ours differ",
        "Run: replyby report. It shows both and names the likely cause.",
    ),
    "blind spot": (
        {"blind": (("acme", "FR"),)},
        Grade.DOUBTFUL,
        "acme FR",
        "no reply made in Seller Central was ever seen",
        "Seller Central → Settings → Notification Preferences → Messaging → Confirmation Notifications.",
    ),
    "damaged mails": (
        {"damaged": 3},
        Grade.DOUBTFUL,
        "mails",
        "3 read only in part within a week",
        "Run: replyby review, and look at them in the mailbox.",
    ),
    "edited since the start": (
        {"worker_started_at": NOW - DAY, "config_changed_at": NOW - MINUTE},
        Grade.DOUBTFUL,
        "configuration",
        "config.toml was changed at 2026-11-20 07:59 UTC, after the worker started, which does not know of it",
        "Restart the worker: systemctl restart replyby, or stop it and run: replyby run.",
    ),
    "review": ({"review_pending": 2}, Grade.DOUBTFUL, "review", "2 decisions wait", "Run: replyby review."),
}


@pytest.mark.parametrize(("changes", "grade", "subject", "text", "advice"), CASES.values(), ids=list(CASES))
def test_a_trouble_is_told_first_and_alone(
    changes: dict[str, Any], grade: Grade, subject: str, text: str, advice: str, config: Config
) -> None:
    findings = find_troubles(facts_of(config, **changes))
    worst = findings[0]
    assert (worst.grade, worst.subject, worst.text, worst.advice) == (grade, subject, text, advice)
    assert all(finding.grade is Grade.GOOD for finding in findings[1:])


def test_an_interface_of_amazon_that_answers_is_seen_to_have_been_looked_at(config: Config) -> None:
    (found,) = [one for one in find_troubles(facts_of(config)) if one.subject == 'SP-API of "acme"']
    assert (found.grade, found.text) == (Grade.GOOD, "nothing refused lately; the client secret holds until 2027-03-01")


def test_the_worst_comes_first(config: Config) -> None:
    findings = find_troubles(facts_of(config, review_pending=1, worker=False))
    assert [finding.grade for finding in findings] == sorted(finding.grade for finding in findings)
    assert findings[0].subject == "worker"


def test_a_warning_of_the_configuration_is_a_finding(config: Config) -> None:
    warned = dataclasses.replace(config, warnings=("line 3 [x] y: empty: nobody is told. Write it.",))
    finding = find_troubles(facts_of(warned))[0]
    assert (finding.text, finding.advice) == ("line 3 [x] y: empty: nobody is told", "Write it.")


@pytest.mark.parametrize(
    "changes",
    [
        {"config_changed_at": NOW - DAY},
        {"config_changed_at": NOW - DAY - MINUTE},
        {"worker": False},
        {"worker": None},
        {"worker_started_at": None},
        {"config_changed_at": None},
    ],
    ids=["at the start", "before", "no worker", "not looked at", "start not known", "file gone"],
)
def test_a_file_that_the_running_worker_knows_needs_no_restart(config: Config, changes: dict[str, Any]) -> None:
    facts = facts_of(config, worker_started_at=NOW - DAY, config_changed_at=NOW - MINUTE)
    assert any("was changed" in one.text for one in find_troubles(facts))
    assert not any("was changed" in one.text for one in find_troubles(dataclasses.replace(facts, **changes)))


def test_no_switch_configured_is_a_finding(config: Config) -> None:
    bare = parse_config(TEXT.replace(b'heartbeat_url = "https://hc.example/1"', b""), config.path, "config.toml", {})
    (finding,) = [one for one in find_troubles(facts_of(bare)) if one.grade is not Grade.GOOD]
    assert "heartbeat_url" in finding.text
    assert finding.advice == "Write the address of a dead-man's switch."
    assert list_for_digest(facts_of(bare)) == [], "the digest has words of its own for it"


def test_the_digest_gets_the_same_lines_but_not_what_it_tells_anyway(config: Config) -> None:
    assert list_for_digest(facts_of(config)) == []
    facts = facts_of(
        config, review_pending=2, blind=(("acme", "FR"),), unproven=("Ana",), twilio="HTTP 401. Copy the token again."
    )
    assert list_for_digest(facts) == [Trouble("Twilio: HTTP 401. Copy the token again.", bad=True)]
    trusted = list_for_digest(facts_of(config, unproven=("Ana",), worker=False))
    assert [(one.bad, one.line.partition(":")[0]) for one in trusted] == [(True, "worker"), (False, "phone")]

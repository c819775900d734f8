"""One look at everything that can be wrong: facts in, findings out, the worst first, each with what to do.

Fetches nothing: whoever calls gathers the facts, so that the digest and `replyby doctor` say the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from monitor.config.durations import render_duration
from monitor.core.messages import Where
from monitor.report.digest import Trouble
from monitor.setup.doctor_facts import Facts, Finding, Grade, MailboxLook

SKEW_TOLERATED = timedelta(seconds=30)
SKEW_BAD = timedelta(minutes=5)
DISK_LOW, DISK_FULL = 1024**3, 100 * 1024**2  # bytes
OUTBOX_OLD = timedelta(minutes=15)
HEARTBEAT_OLD = timedelta(minutes=15)
BALANCE_LOW = 5.0
SECRET_ENDS_SOON = timedelta(days=30)
SILENCE_LONG = timedelta(hours=24)
PHONES = ("sms", "voice", "person")


def find_troubles(facts: Facts) -> list[Finding]:
    """Return all findings, the worst first, otherwise in the order of the checks; good ones included."""
    findings = [finding for check in CHECKS for finding in check(facts)]
    return sorted(findings, key=lambda finding: finding.grade)


def list_for_digest(facts: Facts) -> list[Trouble]:
    """Return what the daily digest tells of these findings, the worst first: what it tells anyway, or weekly, is left out."""
    warnings = tuple(line for line in facts.config.warnings if "heartbeat_url" not in line)
    told = replace(facts, config=replace(facts.config, warnings=warnings), review_pending=0, blind=())
    findings = (finding for finding in find_troubles(told) if finding.grade is not Grade.GOOD)
    return [Trouble(finding.line, finding.grade is Grade.BAD) for finding in findings]


def _check_configuration(facts: Facts) -> Iterator[Finding]:
    for warning in facts.config.warnings:
        what, _, advice = warning.rpartition(". ")
        yield Finding(Grade.DOUBTFUL, "configuration", what or warning, advice if what else "")
    started_at, changed_at = facts.worker_started_at, facts.config_changed_at
    if facts.worker and started_at is not None and changed_at is not None and changed_at > started_at:
        yield Finding(
            Grade.DOUBTFUL,
            "configuration",
            f"{facts.config.path.name} was changed at {changed_at:%Y-%m-%d %H:%M} UTC, after the worker started, "
            "which does not know of it",
            "Restart the worker: systemctl restart replyby, or stop it and run: replyby run.",
        )
    elif not facts.config.warnings:
        yield Finding(Grade.GOOD, "configuration", "nothing to say of it")


def _check_worker(facts: Facts) -> Iterator[Finding]:
    if facts.worker is False:
        yield Finding(Grade.BAD, "worker", "not running: nothing is read and nobody is told", "Start it: replyby run.")
    elif facts.worker:
        yield Finding(Grade.GOOD, "worker", "running")


def _check_mailboxes(facts: Facts) -> Iterator[Finding]:
    for name, look in facts.mailboxes.items():
        subject = f'mailbox "{name}"'
        if look.trouble is not None:
            yield Finding(Grade.BAD, subject, *_split(look.trouble))
            continue
        if name in facts.tokens:
            yield Finding(Grade.DOUBTFUL, subject, *_split(facts.tokens[name]))
        blind_after = facts.config.worker.blind_after
        if facts.worker and look.last_read_at is not None and facts.now - look.last_read_at > blind_after:
            age = render_duration(_whole_minutes(facts.now - look.last_read_at))
            yield Finding(Grade.BAD, subject, f"last read {age} ago", "Look at the worker's log.")
        yield from _check_folders(facts, name, look, subject)


def _check_folders(facts: Facts, name: str, look: MailboxLook, subject: str) -> Iterator[Finding]:
    mailbox = next((one for one in facts.config.mailboxes if one.name == name), None)
    if look.facts is None or mailbox is None:
        return
    roles = {folder.where for folder in look.facts.folders}
    if Where.SENT not in roles and mailbox.sent:
        yield Finding(
            Grade.DOUBTFUL, subject, "no Sent folder: replies by mail are not seen", 'Write its name: sent = "…".'
        )
    if Where.JUNK not in roles and mailbox.junk:
        yield Finding(
            Grade.DOUBTFUL, subject, "no spam folder: buyer mail in it is not seen", 'Write its name: junk = "…".'
        )
    if not look.facts.authserv_ids and mailbox.authserv_id:
        yield Finding(
            Grade.DOUBTFUL,
            subject,
            "its mails carry no verdict on their sender",
            "Copies of replies then count by DKIM alone; if none ever does, set require_proof = false.",
        )
    if roles >= {Where.INBOX, Where.SENT, Where.JUNK}:
        mails = sum(folder.mails for folder in look.facts.folders)
        yield Finding(Grade.GOOD, subject, f"opens, {len(look.facts.folders)} folders, {mails} mails")


def _check_clock(facts: Facts) -> Iterator[Finding]:
    if facts.clock_skew is None:
        return
    skew = abs(facts.clock_skew)
    if skew <= SKEW_TOLERATED:
        yield Finding(Grade.GOOD, "clock", "right")
        return
    side = "ahead" if facts.clock_skew > timedelta(0) else "behind"
    grade = Grade.BAD if skew > SKEW_BAD else Grade.DOUBTFUL
    advice = "Switch time synchronisation on (timedatectl set-ntp true)."
    yield Finding(grade, "clock", f"{int(skew.total_seconds())} s {side}: deadlines are wrong by as much", advice)


def _check_disk(facts: Facts) -> Iterator[Finding]:
    for what, free in facts.disk_free.items():
        if free < DISK_LOW:
            grade = Grade.BAD if free < DISK_FULL else Grade.DOUBTFUL
            yield Finding(grade, "disk", f"{free // 1024**2} MB left where the {what} lies", "Make room.")
        else:
            yield Finding(Grade.GOOD, "disk", f"{free // 1024**3} GB left where the {what} lies")


def _check_report(facts: Facts) -> Iterator[Finding]:
    if facts.report:
        yield Finding(Grade.BAD, "report", *_split(facts.report))


def _check_database(facts: Facts) -> Iterator[Finding]:
    if facts.database:
        yield Finding(Grade.BAD, "database", *_split(facts.database))
    elif facts.database == "":
        yield Finding(Grade.GOOD, "database", "sound")


def _check_outbox(facts: Facts) -> Iterator[Finding]:
    if facts.outbox_pending is None:
        return
    oldest = facts.outbox_oldest_due_at
    if oldest is not None and facts.now - oldest > OUTBOX_OLD:
        age = render_duration(_whole_minutes(facts.now - oldest))
        advice = "See which receiver fails: replyby check-config --connect."
        yield Finding(Grade.BAD, "outbox", f"{facts.outbox_pending} undelivered, the oldest due {age} ago", advice)
    else:
        yield Finding(Grade.GOOD, "outbox", f"{facts.outbox_pending} waiting, none late")


def _check_slack(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.slack, str):
        yield Finding(Grade.BAD, "Slack", *_split(facts.slack))
        return
    if facts.slack is None:
        return
    for scope, purpose in facts.slack.lacking.items():
        advice = "Put the manifest into the app again and install it anew."
        yield Finding(Grade.DOUBTFUL, "Slack", f"the app lacks {scope}, which {purpose}", advice)
    for receiver in facts.not_member_of:
        yield Finding(
            Grade.BAD,
            "Slack",
            f'the bot is not in the channel of "{receiver}"',
            f"Type there: /invite @{facts.slack.bot}.",
        )
    if not facts.slack.lacking and not facts.not_member_of:
        yield Finding(Grade.GOOD, "Slack", f"{facts.slack.team}, all rights, in every channel")


def _check_twilio(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.twilio, str):
        yield Finding(Grade.BAD, "Twilio", *_split(facts.twilio))
        return
    if facts.twilio is None or facts.config.twilio is None:
        return
    sender = facts.config.twilio.sender
    if sender.startswith("+") and facts.twilio.senders and sender not in facts.twilio.senders:
        known = ", ".join(facts.twilio.senders)
        yield Finding(Grade.BAD, "Twilio", f"{sender} is no number of the account", f"Write one of: {known}.")
    if facts.twilio.trial:
        yield Finding(Grade.DOUBTFUL, "Twilio", "a trial account reaches verified numbers only", "Upgrade it.")
    balance = _number(facts.twilio.balance)
    if balance is not None and balance < BALANCE_LOW:
        grade = Grade.BAD if balance <= 0 else Grade.DOUBTFUL
        yield Finding(grade, "Twilio", f"balance {facts.twilio.balance}: SMS stop when it is used up", "Top it up.")
    for name in facts.opted_out:
        yield Finding(Grade.BAD, "phone", f"{name} sent STOP and gets no SMS", f"{name} sends START to the number.")
    for name in facts.unproven:
        reaches = (one.name for one in facts.config.receivers if one.type in PHONES and name in one.people)
        advice = f"Run: replyby send-test {next(reaches, 'RECEIVER')} --page."
        yield Finding(Grade.DOUBTFUL, "phone", f"{name}'s phone never answered a test", advice)


def _check_silences(facts: Facts) -> Iterator[Finding]:
    for silence in facts.silences:
        left = silence.until - facts.now
        long = " for more than a day" if left > SILENCE_LONG else ""
        yield Finding(
            Grade.DOUBTFUL,
            "silence",
            f"{silence.id} by {silence.by} mutes alerts{long}, until {silence.until:%Y-%m-%d %H:%M} UTC",
            f"If it was forgotten: replyby silence expire {silence.id}.",
        )


def _check_on_call(facts: Facts) -> Iterator[Finding]:
    for schedule, person in facts.on_call.items():
        if person is None:
            yield Finding(Grade.BAD, "on call", f'nobody on "{schedule}" now', "Correct its rotation or calendar.")
        elif schedule in facts.gaps:
            gap = facts.gaps[schedule]
            what = f'nobody on "{schedule}" from {gap:%Y-%m-%d %H:%M} UTC'
            yield Finding(Grade.DOUBTFUL, "on call", what, "Correct its rotation or calendar.")
        else:
            yield Finding(Grade.GOOD, "on call", f'{person} on "{schedule}"')


def _check_heartbeat(facts: Facts) -> Iterator[Finding]:
    if not facts.config.worker.heartbeat_url:
        return  # the configuration's own warnings say so
    if facts.heartbeat_at is None or facts.now - facts.heartbeat_at > HEARTBEAT_OLD:
        advice = "Check heartbeat_url, and whether the worker's /healthz is 200."
        yield Finding(Grade.BAD, "dead-man's switch", "not pinged lately", advice)
    else:
        yield Finding(Grade.GOOD, "dead-man's switch", "pinged")


def _check_amazon(facts: Facts) -> Iterator[Finding]:
    for account in facts.config.accounts:
        if account.sp_api is None:
            continue
        expires = account.sp_api.secret_expires
        left = timedelta.max if expires is None else expires - facts.now.date()
        subject = f'SP-API of "{account.name}"'
        advice = "Renew it in Seller Central; write the new lwa_client_secret and secret_expires."
        if left <= timedelta(0):
            yield Finding(Grade.BAD, subject, f"the client secret ended on {expires}", advice)
        elif left <= SECRET_ENDS_SOON:
            yield Finding(Grade.DOUBTFUL, subject, f"the client secret ends on {expires}", advice)
        elif facts.database == "" and account.name not in {name for name, _ in facts.amazon}:
            holds = "" if expires is None else f"; the client secret holds until {expires}"
            yield Finding(Grade.GOOD, subject, f"nothing refused lately{holds}")
    for account_name, problem in facts.amazon:
        what, advice = _split(problem.partition(": ")[2])
        yield Finding(Grade.BAD, f'SP-API of "{account_name}"', what, advice)
    for account_name, marketplace in facts.blind:
        yield Finding(
            Grade.DOUBTFUL,
            f"{account_name} {marketplace}",
            "no reply made in Seller Central was ever seen",
            "Seller Central → Settings → Notification Preferences → Messaging → Confirmation Notifications.",
        )
    for account_name, marketplace in facts.differing:
        yield Finding(
            Grade.DOUBTFUL,
            f"{account_name} {marketplace}",
            "Amazon's figure and ours differ",
            "Run: replyby report. It shows both and names the likely cause.",
        )


def _check_review(facts: Facts) -> Iterator[Finding]:
    if facts.review_pending:
        yield Finding(Grade.DOUBTFUL, "review", f"{facts.review_pending} decisions wait", "Run: replyby review.")
    if facts.damaged:
        what = f"{facts.damaged} read only in part within a week"
        yield Finding(Grade.DOUBTFUL, "mails", what, "Run: replyby review, and look at them in the mailbox.")


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _check_worker,
    _check_mailboxes,
    _check_database,
    _check_disk,
    _check_report,
    _check_clock,
    _check_outbox,
    _check_slack,
    _check_twilio,
    _check_on_call,
    _check_silences,
    _check_heartbeat,
    _check_amazon,
    _check_review,
    _check_configuration,
)


def _split(line: str) -> tuple[str, str]:
    """Return what is wrong and what to do of a line `<where>: <what>. <what to do>.`"""
    what, point, advice = line.partition(". ")
    return what.rstrip("."), advice if point else ""


def _whole_minutes(span: timedelta) -> timedelta:
    return timedelta(minutes=int(span.total_seconds() // 60))


def _number(text: str) -> float | None:
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return None

"""`replyby check-config`: whether everything is right, and with --connect whether everything can be reached."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import ConfigOption, JsonOption, quiet_logs, read_config
from monitor.cli.output import instant_text, print_json, print_line, print_table
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.jobs.checking import Finding
    from monitor.jobs.services import Services
    from monitor.store.evidence import EvidenceRow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-config")(check_config)


def check_config(
    config: ConfigOption = None,
    connect: Annotated[
        bool, typer.Option("--connect", help="Log in to every mailbox, to Slack, Twilio and Amazon too; sends nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Say everything that is wrong with the configuration. With --connect, whether what it names can be reached."""
    try:
        loaded = read_config(config)
    except ConfigError as error:
        if json:
            print_json({"config": error.where, "valid": False, "problems": list(error.problems)})
        raise
    notes = [*loaded.warnings]
    if loaded.report is not None and loaded.report.directory is not None:
        from monitor.report.place import find_directory_trouble

        trouble = find_directory_trouble(loaded.report.directory)
        notes += [] if trouble is None else [trouble]  # a note: this may be another user than the worker's
    findings: list[Finding] = []
    evidence: list[EvidenceRow] = []
    if connect:
        from monitor.bootstrap import build_services
        from monitor.jobs.checking import read_evidence_table
        from monitor.store.opening import open_store

        store = open_store(loaded)
        services = build_services(loaded, store, with_sources=True)
        for finding in _look(services):
            findings.append(finding)
            if not json:
                print_line(f"{'✓' if finding.ok else '✗'} {finding.what}: {finding.line}")
        evidence = read_evidence_table(services)
        if not evidence and not _was_read(services):
            from monitor.cli.first_look import evidence_of_a_look

            quiet_logs(loaded)  # a mailbox that failed stands above
            evidence = evidence_of_a_look(loaded)
    if json:
        print_json(
            {
                "config": str(loaded.path),
                "valid": True,
                "warnings": notes,
                "findings": [{"what": one.what, "ok": one.ok, "line": one.line} for one in findings],
                "evidence": [_evidence_json(row) for row in evidence],
            }
        )
    else:
        print_line(f"{_shown(loaded)}: valid")
        for warning in notes:
            print_line(f"  note: {warning}")
        if connect:
            _print_evidence(evidence, loaded)
    failed = [finding for finding in findings if not finding.ok]
    if failed:
        raise ReplyByError(f"{len(failed)} of {len(findings)} cannot be used; see above.")


def _was_read(services: "Services") -> bool:
    """Return whether a worker has read any of the mailboxes."""
    from monitor.store.engine import reading
    from monitor.store.health import read_health

    with reading(services.engine) as connection:
        return any(one.last_success_at is not None for one in read_health(connection))


def _shown(config: "Config") -> str:
    here = Path.cwd()
    return str(config.path.relative_to(here)) if config.path.is_relative_to(here) else str(config.path)


def _look(services: "Services") -> "Iterator[Finding]":
    from monitor.jobs.amazon.checking import check_amazon
    from monitor.jobs.checking import check_mailboxes

    yield from check_mailboxes(services)
    yield from _look_at_slack(services)
    yield from _look_at_twilio(services)
    yield from check_amazon(services)


def _look_at_slack(services: "Services") -> "Iterator[Finding]":
    from monitor.jobs.checking import Finding
    from monitor.setup.probes import ProbeFailed, probe_slack

    slack = services.config.slack
    if slack is None:
        return
    try:
        facts = probe_slack(slack.bot_token, slack.app_token, slack.api_url)
    except ProbeFailed as error:
        yield Finding("slack", False, str(error))
        return
    yield Finding("slack", True, f"{facts.bot} of {facts.team}")
    for scope, why in facts.lacking.items():
        yield Finding("slack", False, f"scope {scope} is missing ({why}). Add it to the app and install it again.")
    for receiver in services.config.receivers:
        if receiver.type != "slack" or receiver.target is None:
            continue
        name = facts.channels.get(receiver.target)
        if name is None:
            yield Finding(
                f"receiver {receiver.name}", False, f"channel {receiver.target} is not visible. Invite the app to it."
            )
        elif receiver.target not in facts.member_of:
            yield Finding(
                f"receiver {receiver.name}", False, f"the app is not in #{name}. Type /invite @{facts.bot} there."
            )
        else:
            yield Finding(f"receiver {receiver.name}", True, f"#{name}")


def _look_at_twilio(services: "Services") -> "Iterator[Finding]":
    from monitor.jobs.checking import Finding
    from monitor.setup.probes import ProbeFailed, probe_twilio

    twilio = services.config.twilio
    if twilio is None:
        return
    try:
        facts = probe_twilio(twilio.account_sid, twilio.auth_token, twilio.api_url)
    except ProbeFailed as error:
        yield Finding("twilio", False, str(error))
        return
    trial = "; a trial account reaches only verified numbers" if facts.trial else ""
    yield Finding("twilio", True, f"logged in; {len(facts.senders)} numbers{trial}")
    number = twilio.replies_to or twilio.sender
    if facts.senders and number and number not in facts.senders:
        yield Finding("twilio", False, f"{number} is none of the account's numbers: {', '.join(facts.senders)}.")


EVIDENCE_WORDS = {
    "buyer_message": "BUYER MESSAGES",
    "confirmation_copy": "COPIES",
    "sent_reply": "REPLIES IN SENT",
    "delivery_failure": "FAILURES",
    "opt_out": "OPT-OUTS",
}
HINT = (
    "Replies made in Seller Central were never seen for {where}. If your team answers there: Seller Central → Settings → "
    "Notification Preferences → Messaging → Confirmation Notifications, for each marketplace."
)


def _print_evidence(rows: "Iterable[EvidenceRow]", config: "Config") -> None:
    table: dict[tuple[str, str], dict[str, str]] = {}
    zone = config.worker.time_zone
    for row in rows:
        last = f"{row.last_seen_at.astimezone(zone):%Y-%m-%d}"
        table.setdefault((row.account, row.marketplace), {})[row.evidence] = f"{row.count} ({last})"
    if not table:
        print_line("No mail from Amazon was seen yet.")
        return
    print_line()
    print_table(
        ["ACCOUNT", "MARKET", *EVIDENCE_WORDS.values()],
        [
            [account, marketplace or "?", *(seen.get(kind, "–") for kind in EVIDENCE_WORDS)]
            for (account, marketplace), seen in sorted(table.items())
        ],
    )
    blind = [
        f"{account} {marketplace}".strip() if len(config.accounts) > 1 else marketplace
        for (account, marketplace), seen in sorted(table.items())
        if marketplace and "buyer_message" in seen and "confirmation_copy" not in seen
    ]
    if blind:
        print_line(HINT.format(where=", ".join(blind)))


def _evidence_json(row: "EvidenceRow") -> dict[str, Any]:
    return {
        "account": row.account,
        "marketplace": row.marketplace or None,
        "evidence": row.evidence,
        "count": row.count,
        "last_seen_at": instant_text(row.last_seen_at),
    }

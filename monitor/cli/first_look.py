"""What `replyby init` does once the file stands: a first reading into a store that is thrown away, and a test page."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.output import print_line
from monitor.cli.progress import Progress, say_line
from monitor.errors import ReplyByError

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.jobs.services import Services
    from monitor.store.evidence import EvidenceRow

RATE_DAYS = 90
CLICKS = "Seller Central → Settings → Notification Preferences → Messaging → Confirmation Notifications"


def look_once(config: "Config") -> list[str]:
    """Return lines on 90 days of the mailboxes: buyer messages, the first response rate, blind spots. Keeps nothing."""
    with _looking(config) as (services, found, failed):
        return [f"✗ {line}" for line in failed] or _describe(services, found)


def evidence_of_a_look(config: "Config") -> "list[EvidenceRow]":
    """Return the evidence table of what the mailboxes hold, for who has not run the worker yet. Keeps nothing."""
    from monitor.jobs.checking import read_evidence_table

    with _looking(config) as (services, _, _):
        return read_evidence_table(services)


@contextmanager
def _looking(config: "Config") -> "Iterator[tuple[Services, Mapping[str, int], Sequence[str]]]":
    """Read every mailbox into a store that is thrown away; give it, the mails by kind, and why a mailbox failed."""
    from monitor.bootstrap import build_services
    from monitor.jobs.intake import poll_mailbox
    from monitor.store.opening import open_store

    with tempfile.TemporaryDirectory(prefix="replyby-look-") as name:
        folder = Path(name)
        worker = replace(config.worker, database=f"sqlite:///{folder / 'look.db'}", state_directory=folder)
        store = open_store(replace(config, worker=worker))
        try:
            # Tokens lie in the real state directory: the sources are those of the real configuration.
            built = build_services(config, store, with_sources=True)
            services = replace(built, sources={key: Progress(one, say_line) for key, one in built.sources.items()})
            found: dict[str, int] = {}
            failed = []
            for mailbox in config.mailboxes:
                result = poll_mailbox(services, mailbox.name)
                services.sources[mailbox.name].close()
                if result.failed is not None:
                    failed.append(result.failed)
                for kind, count in result.new.items():
                    found[kind] = found.get(kind, 0) + count
            yield services, found, failed
        finally:
            store.engine.dispose()


def _describe(services: "Services", found: Mapping[str, int]) -> list[str]:
    from monitor.store.engine import reading
    from monitor.store.evidence import read_evidence, read_sighted
    from monitor.store.snapshots import read_rates

    with reading(services.engine) as connection:
        rates = read_rates(connection, services.utc_now())
        sighted = read_sighted(connection)
        writing = {
            (row.account, row.marketplace): row.count
            for row in read_evidence(connection)
            if row.evidence == "buyer_message"
        }
    blind = sorted(place for place in writing if place not in sighted)
    on_time = sum(rate[RATE_DAYS][0] for rate in rates.values())
    judged = sum(rate[RATE_DAYS][1] for rate in rates.values())
    lines = describe_look(found, on_time, judged, blind, everywhere=bool(blind) and not sighted)
    if len(writing) > 1:
        several = len(services.config.accounts) > 1
        counted = sorted(writing.items(), key=lambda one: -one[1])
        shown = (
            f"{f'{account} {market}' if several else market or '?'} {count}" for (account, market), count in counted
        )
        lines.insert(1, f"  By marketplace: {', '.join(shown)}.")
    return lines


def describe_look(
    found: Mapping[str, int], on_time: int, judged: int, blind: list[tuple[str, str]], *, everywhere: bool
) -> list[str]:
    """Return the lines of a first look.

    Args:
        found: mails by kind. on_time, judged: buyer messages answered within 24 hours, and those that can be judged.
        blind: accounts and marketplaces where no copy of a reply was seen; everywhere: nowhere was one.
    """
    ours = ("unrelated", "seller_reply")
    mails = sum(count for kind, count in found.items() if kind not in ours)
    messages = found.get("buyer_message", 0)
    if not messages:
        return [
            f"✗ {mails} mails from Amazon in {RATE_DAYS} days, none of them a buyer message.",
            "  If buyers do write: Seller Central → Settings → Notification Preferences → Messaging → Buyer Messages, "
            "with this address.",
        ]
    line = f"✓ {mails} mails from Amazon in {RATE_DAYS} days: {messages} buyer message{'' if messages == 1 else 's'}"
    if judged:
        share = f"{int(100 * on_time / judged)} %"  # never rounded up: "at least" must hold
        line += (
            f", at least {share} answered in time (replies by mail only, see below)" if blind else f", {share} in time"
        )
    else:
        line += ", none of them old enough to be judged"
    if not blind:
        return [line]
    where = "" if everywhere else " for " + ", ".join(f"{account} {market}".strip() for account, market in blind)
    return [
        line,
        f"✗ no copy of a reply made in Seller Central was ever seen{where}.",
        f"  If your team answers there: {CLICKS}, for each marketplace.",
    ]


def page_person(config: "Config", person: str) -> str:
    """Send one SMS to a person through the outbox, wait for the answer, and return a line on what came of it."""
    from monitor.bootstrap import build_services
    from monitor.cli.testing import run_test
    from monitor.store.opening import open_store

    order = ("sms", "person", "voice")
    fitting = [one for one in config.receivers if one.type in order and person in one.people]
    if not fitting:
        return f"✗ No receiver reaches {person} by phone. Add one to the file, then: replyby send-test NAME --page"
    receiver = min(fitting, key=lambda one: order.index(one.type)).name
    store = open_store(config)
    try:
        run_test(build_services(config, store), receiver, page=True)
    except KeyboardInterrupt:
        print_line()
        return f"✗ Given up. Later: replyby send-test {receiver} --page"
    except ReplyByError as error:
        return f"✗ {error} Later: replyby send-test {receiver} --page"
    finally:
        store.engine.dispose()
    return f"✓ {person} can be reached"

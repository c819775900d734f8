"""Looking into each mailbox, without sending anything: can it be read, and what does it hold."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.errors import ReplyByError
from monitor.jobs.services import Services
from monitor.sources.base import MailboxFacts
from monitor.store.engine import reading
from monitor.store.evidence import EvidenceRow, read_evidence


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what, whether it is well, and a line that says what was found or what to do."""

    what: str
    ok: bool
    line: str


def check_mailboxes(services: Services) -> Iterable[Finding]:
    """Log in to each mailbox and yield what was found in it."""
    for mailbox in services.config.mailboxes:
        source = services.sources[mailbox.name]
        try:
            facts = source.probe()
        except ReplyByError as error:
            yield Finding(f'mailbox "{mailbox.name}"', False, str(error))
            continue
        finally:
            source.close()
        yield Finding(f'mailbox "{mailbox.name}"', True, _mailbox_line(facts))
        trusted = [identity for identity, share in facts.authserv_ids[:1] if share > 0.5]
        if mailbox.authserv_id == "auto" and not trusted:
            yield Finding(
                f'mailbox "{mailbox.name}"',
                True,
                "its mails hold no verdicts of one server (Authentication-Results): confirmation copies are believed "
                "only with Amazon's own signature, or with require_proof = false",
            )


def _mailbox_line(facts: MailboxFacts) -> str:
    folders = ", ".join(f'{folder.where.value} "{folder.name}" ({folder.mails} mails)' for folder in facts.folders)
    parts = [f"logged in; {folders}"]
    if facts.authserv_ids:
        identity, share = facts.authserv_ids[0]
        parts.append(f"verdicts by {identity} on {share:.0%} of the mails looked at")
    parts.append(
        "new mail is announced (IDLE)" if facts.supports_idle else "no IDLE: new mail is seen at the next poll"
    )
    return "; ".join(parts)


def read_evidence_table(services: Services) -> list[EvidenceRow]:
    """Return what was ever seen, by account, marketplace and kind of evidence."""
    with reading(services.engine) as connection:
        return read_evidence(connection)

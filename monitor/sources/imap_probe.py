"""What a login to an IMAP server shows: folders, whose Authentication-Results the mails carry, who writes replies."""

from collections.abc import Iterator, Sequence

from monitor.core.messages import Where
from monitor.sources.base import FolderFacts, MailboxFacts
from monitor.sources.imap_folders import ReadFolder
from monitor.sources.imap_protocol import FolderState, ImapConnection
from monitor.sources.imap_reader import fetch_each
from monitor.sources.sampled_headers import SAMPLE_MAILS, count_authserv_ids, count_recipients, count_senders

RECEIVED, SENDER = "HEADER.FIELDS (AUTHENTICATION-RESULTS FROM TO)", "HEADER.FIELDS (FROM)"


def probe_mailbox(connection: ImapConnection, folders: Sequence[ReadFolder]) -> MailboxFacts:
    """Return what the folders hold. Reads the newest 200 headers of received and of sent mail.

    Raises:
        MailboxError: a folder cannot be opened.
    """
    facts: list[FolderFacts] = []
    received: list[bytes] = []
    sent: list[bytes] = []
    for folder in folders:
        state = connection.examine(folder.folder)
        facts.append(FolderFacts(name=folder.folder.name, where=folder.where, mails=state.mails))
        if folder.where is Where.INBOX:
            received += _sample(connection, state, RECEIVED)
        elif folder.where is Where.SENT:
            sent += _sample(connection, state, SENDER)
    return MailboxFacts(
        folders=tuple(facts),
        authserv_ids=count_authserv_ids(received),
        supports_idle=connection.supports_idle,
        sent_from=count_senders(sent),
        written_to=count_recipients(received),
    )


def _sample(connection: ImapConnection, state: FolderState, section: str) -> Iterator[bytes]:
    if not state.mails:
        return
    uids = connection.search(f"{max(1, state.mails - SAMPLE_MAILS + 1)}:{state.mails}")
    if not uids:
        return
    for mail in fetch_each(connection, uids, f"BODY.PEEK[{section}]", {}, proof=False).values():
        headers = mail.get(f"BODY[{section}]".encode())
        yield headers if isinstance(headers, bytes) else b""

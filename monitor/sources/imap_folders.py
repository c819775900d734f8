"""Which folders of an IMAP server are read, and in what role: by special use, by name, by what people call them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.config.model import MailboxConfig
from monitor.core.messages import Where
from monitor.errors import MailboxError
from monitor.sources.imap_protocol import Folder

# Servers without special uses (Exchange Online among them) leave only the name to go by.
SENT_NAMES = """
sent; sent items; sent messages; sent mail; envoyés; éléments envoyés; messages envoyés; gesendet; gesendete elemente;
gesendete objekte; enviados; elementos enviados; itens enviados; inviati; posta inviata; verzonden; verzonden items;
wysłane; elementy wysłane; skickat; skickade objekt; gönderilmiş öğeler; 送信済み; 送信済みアイテム; 送信済みメール
"""
JUNK_NAMES = """
junk; spam; junk e-mail; junk email; bulk mail; courrier indésirable; indésirables; junk-e-mail; spamverdacht;
correo no deseado; lixo eletrônico; posta indesiderata; ongewenste e-mail; wiadomości-śmieci; skräppost;
gereksiz e-posta; 迷惑メール
"""


@dataclass(frozen=True, slots=True)
class ReadFolder:
    """A folder that is read, and its role."""

    folder: Folder
    where: Where


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """The folders to read, and one error for each that is named and not there."""

    folders: tuple[ReadFolder, ...]
    missing: tuple[MailboxError, ...] = ()


def plan_folders(folders: Sequence[Folder], mailbox: MailboxConfig, where: str) -> FolderPlan:
    """Return what to read of the listed folders: received mail first, then sent, then junk; none twice.

    Args:
        folders: what the server lists.
        mailbox: `folders`, `sent` and `junk` of the configuration.
        where: host and port, for the error lines.
    """
    chosen: dict[str, ReadFolder] = {}
    missing: list[MailboxError] = []
    for wanted, role in _choose(folders, mailbox):
        if isinstance(wanted, Folder):
            chosen.setdefault(wanted.name, ReadFolder(wanted, role))
        else:
            known = ", ".join(folder.name for folder in folders[:20])
            text = f'{where}: folder "{wanted}" does not exist. Folders: {known}. Correct [[mailbox]] "{mailbox.name}".'
            missing.append(MailboxError(text, "folder"))
    return FolderPlan(tuple(chosen.values()), tuple(missing))


def _choose(folders: Sequence[Folder], mailbox: MailboxConfig) -> Iterator[tuple[Folder | str, Where]]:
    if mailbox.folders is None:
        yield _by_use(folders, "\\all") or _by_name(folders, "INBOX"), Where.INBOX
    for name in mailbox.folders or ():
        yield _by_name(folders, name), Where.INBOX
    sent = _auto_or_named(folders, mailbox.sent, "\\sent", SENT_NAMES)
    if sent:
        yield sent, Where.SENT
    # A mailbox that only shows replies holds no buyer mail, in junk neither.
    if mailbox.folders == () and mailbox.junk == "auto":
        return
    junk = _auto_or_named(folders, mailbox.junk, "\\junk", JUNK_NAMES)
    if junk:
        yield junk, Where.JUNK


def _auto_or_named(folders: Sequence[Folder], setting: str, use: str, names: str) -> Folder | str | None:
    if setting == "auto":
        known = {name.strip() for name in names.split(";")}
        return _by_use(folders, use) or next((folder for folder in folders if _leaf(folder) in known), None)
    return _by_name(folders, setting) if setting else None


def _by_use(folders: Sequence[Folder], use: str) -> Folder | None:
    return next((folder for folder in folders if use in folder.attributes), None)


def _leaf(folder: Folder) -> str:
    """Return the last part of a name: some servers keep every folder below INBOX."""
    return folder.name.removeprefix("INBOX").lstrip("./").casefold()


def _by_name(folders: Sequence[Folder], name: str) -> Folder | str:
    for folder in folders:
        # INBOX alone is the same in any case (RFC 3501); a name copied from a server's log is in wire form.
        if name in (folder.name, folder.wire_name.decode("ascii", "replace")):
            return folder
        if name.upper() == "INBOX" == folder.name.upper():
            return folder
    return name

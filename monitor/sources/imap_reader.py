"""Reading what is new in one IMAP folder: headers of all, the text of what is wanted, a bounded lot at a time.

Headers come first because Gmail suspends a mailbox that is downloaded as a whole (about 2,500 MB a day).
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.sources.base import Batch, Cursor, RawMail, WantsMail
from monitor.sources.imap_folders import ReadFolder
from monitor.sources.imap_login import CommandRefused
from monitor.sources.imap_parts import parse_structure, plan_items, render_mail, trim_encoded
from monitor.sources.imap_protocol import FolderState, ImapConnection
from monitor.sources.imap_response import Value, parse_internaldate, render_uid_set

BATCH_MAILS = 500
BATCH_BYTES = 8 << 20
HEADER_BYTES = 1 << 16  # a header bomb is cut here
SMALL_BYTES = 1 << 17  # up to here a mail is fetched whole: Amazon's own are 10 to 70 KiB
FALLBACK_BYTES = 1 << 20  # the beginning of a large mail whose parts the server does not tell
FEW_MAILS = 2  # refused and alone in their folder, these are not yet a server that refuses everything


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a mail before its text."""

    uid: int
    received_at: datetime
    size: int
    headers: bytes

    @property
    def is_small(self) -> bool:
        """Whether headers and text together are simply the whole mail."""
        return self.size <= SMALL_BYTES and len(self.headers) < HEADER_BYTES


def new_uids(connection: ImapConnection, state: FolderState, cursor: Cursor | None, since: datetime) -> Sequence[int]:
    """Return the uids to read in the open folder, ascending; some may be gone meanwhile.

    Without a cursor that still holds, these are the mails since a day before `since`: SEARCH SINCE goes by the
    server's own calendar day, so the instant is compared mail by mail later.
    """
    if cursor is None or cursor.uidvalidity != state.uidvalidity:
        day = since - timedelta(days=1)
        month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][day.month - 1]
        return connection.search(f"SINCE {day.day}-{month}-{day.year:04d}") if state.mails else ()
    first = cursor.last_uid + 1
    if state.next_uid is not None and state.next_uid - first <= BATCH_MAILS:
        return range(first, state.next_uid)
    # With "*" the newest mail is always found, however old: hence the comparison.
    last = "*" if state.next_uid is None else str(state.next_uid - 1)
    return [uid for uid in connection.search(f"UID {first}:{last}") if uid >= first]


class FolderReader:
    """Reads lots of one folder. Holds no more than one lot."""

    def __init__(self, folder: ReadFolder, uidvalidity: int, since: datetime | None, wants: WantsMail) -> None:
        """Read `folder`; mails received before `since` are left out, None reads all."""
        self._folder = folder
        self._uidvalidity = uidvalidity
        self._since = since
        self._wants = wants

    def read(
        self, connection: ImapConnection, uids: Sequence[int], last_uid: int, *, texts: bool = True
    ) -> Iterator[Batch]:
        """Yield these mails (at most 500) in batches of bounded size; the last one's cursor is `last_uid`.

        Without `texts` only their headers are fetched, which may still start a clock; they count as unreadable.

        Raises:
            MailboxError: the link broke, or the server refuses everything.
        """
        unreadable: dict[int, str] = {}
        heads = self._fetch_heads(connection, uids, unreadable)
        if self._since is not None:
            heads = [head for head in heads if head.received_at >= self._since]
        wanted = [head for head in heads if self._wants(head.headers, self._folder.where)]
        unrelated = len(heads) - len(wanted)
        lots = list(_lots(wanted)) or [[]]
        for lot in lots:
            if texts:
                mails = self._fetch_texts(connection, lot, unreadable)
            else:
                mails = [self._raw_mail(head, head.headers) for head in lot]
                unreadable |= {head.uid: "only its headers could be fetched" for head in lot}
            yield Batch(
                folder=self._folder.folder.name,
                where=self._folder.where,
                cursor=Cursor(self._uidvalidity, last_uid if lot is lots[-1] else lot[-1].uid),
                mails=tuple(mails),
                unrelated=unrelated,
                unreadable=unreadable or None,
            )
            unrelated, unreadable = 0, {}

    def _fetch_heads(self, connection: ImapConnection, uids: Sequence[int], unreadable: dict[int, str]) -> list[Head]:
        items = f"INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"
        heads = []
        for uid, mail in sorted(fetch_each(connection, uids, items, unreadable).items()):
            headers, size = mail.get(b"BODY[HEADER]"), mail.get(b"RFC822.SIZE")
            try:
                received_at = parse_internaldate(mail.get(b"INTERNALDATE"))
                heads.append(Head(uid, received_at, int(_bytes(size)), _bytes(headers)))
            except ValueError:
                unreadable[uid] = "the server gives no date or size for it"
        return heads

    def _fetch_texts(
        self, connection: ImapConnection, lot: Sequence[Head], unreadable: dict[int, str]
    ) -> list[RawMail]:
        small = [head for head in lot if head.is_small]
        # The limit is for servers whose RFC822.SIZE is wrong.
        item = f"BODY.PEEK[TEXT]<0.{FALLBACK_BYTES}>"
        texts = fetch_each(connection, [head.uid for head in small], item, unreadable, proof=False) if small else {}
        mails = []
        for head in lot:
            if head.is_small:
                # Expunged or refused since: the headers alone may still start a clock.
                content = head.headers + _bytes(texts.get(head.uid, {}).get(b"BODY[TEXT]"))
            else:
                content = _fetch_large(connection, head, unreadable)
            mails.append(self._raw_mail(head, content))
        return mails

    def _raw_mail(self, head: Head, content: bytes) -> RawMail:
        """Return the mail as the port hands it over."""
        return RawMail(
            folder=self._folder.folder.name,
            where=self._folder.where,
            uid=head.uid,
            received_at=head.received_at,
            content=content,
        )

    def empty(self, last_uid: int) -> Batch:
        """Return a batch that only moves the cursor."""
        return Batch(
            folder=self._folder.folder.name, where=self._folder.where, cursor=Cursor(self._uidvalidity, last_uid)
        )


def with_unreadable(batch: Batch, unreadable: Mapping[int, str]) -> Batch:
    """Return the batch with more mails that could not be read."""
    return replace(batch, unreadable={**unreadable, **(batch.unreadable or {})} or None)


def _bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _lots(heads: Sequence[Head]) -> Iterator[list[Head]]:
    lot: list[Head] = []
    size = 0
    for head in heads:
        cost = min(head.size, FALLBACK_BYTES)
        if lot and size + cost > BATCH_BYTES:
            yield lot
            lot, size = [], 0
        lot.append(head)
        size += cost
    if lot:
        yield lot


def fetch_each(
    connection: ImapConnection, uids: Sequence[int], items: str, unreadable: dict[int, str], *, proof: bool = True
) -> dict[int, dict[bytes, Value]]:
    """Fetch items of many mails at once, and one by one where the server refuses the lot.

    Without `proof` it may refuse a few that are asked for: their headers came, and the trouble is these mails'.

    Raises:
        CommandRefused: it refuses everything, or says that the trouble is its own.
    """
    try:
        return connection.fetch(render_uid_set(uids), items)
    except CommandRefused as refused:
        if refused.temporary:
            raise
    found: dict[int, dict[bytes, Value]] = {}
    failed: dict[int, str] = {}
    refusal: CommandRefused | None = None
    for uid in connection.search(f"UID {render_uid_set(uids)}"):
        try:
            found.update(connection.fetch(str(uid), items))
        except CommandRefused as refused:
            if refused.temporary:
                raise
            failed[uid] = "the server does not hand it out"
            refusal = refused
    asked = proof or len(failed) > FEW_MAILS
    if refusal is not None and not found and asked and not _hands_out_another(connection, items, failed):
        raise refusal
    unreadable.update(failed)
    return found


def _hands_out_another(connection: ImapConnection, items: str, failed: Collection[int]) -> bool:
    """Return whether another mail of the folder can be had: then it is these mails' trouble, and not the server's."""
    others = [uid for uid in connection.search("ALL") if uid not in failed]
    if not others:
        return len(failed) <= FEW_MAILS
    for uid in (others[-1], others[0]):  # its newest neighbour may have been damaged with them
        with contextlib.suppress(CommandRefused):
            if connection.fetch(str(uid), items):
                return True
    return False


def _fetch_large(connection: ImapConnection, head: Head, unreadable: dict[int, str]) -> bytes:
    """Return headers and text parts of a mail whose attachments would cost too much."""
    try:
        structure = parse_structure(
            connection.fetch(str(head.uid), "BODYSTRUCTURE").get(head.uid, {}).get(b"BODYSTRUCTURE")
        )
        items = plan_items(structure)
        parts = connection.fetch(str(head.uid), " ".join(items)).get(head.uid, {}) if items else {}
        return render_mail(head.headers, structure, parts)
    except (CommandRefused, ValueError):
        pass  # a server that cannot tell the parts of this mail: its beginning then
    try:
        whole = connection.fetch(str(head.uid), f"BODY.PEEK[]<0.{FALLBACK_BYTES}>").get(head.uid, {})
    except CommandRefused as refused:
        if refused.temporary:
            raise
        unreadable[head.uid] = "the server does not hand out its text"
        whole = {}
    return trim_encoded(_bytes(whole.get(b"BODY[]")), b"base64") or head.headers

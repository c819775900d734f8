"""The files of one Maildir folder: which there are, and their mails in batches of bounded size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

from monitor.sources.base import Batch, Cursor, RawMail, WantsMail
from monitor.sources.imap_folders import ReadFolder
from monitor.sources.large_file import HEADER_BYTES, read_text_parts
from monitor.sources.maildir_index import digest_name

BATCH_MAILS = 500
BATCH_BYTES = 8 << 20
SMALL_BYTES = 1 << 17  # a larger mail is read without its attachments
LINE_BYTES = 1 << 16
LAST_SECOND = 253402300799  # of the year 9999, where a datetime ends
MOVES = 10  # so often is a mail followed; each takes a mail program's rename between a listing and the next call
STRAYS = 20  # so many mails are searched for singly before all are listed again
LISTINGS = 2  # a listing may miss a file that is renamed meanwhile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MailFile:
    """A mail's file, and when it was delivered: its mtime, as a delivery agent sets it."""

    path: Path
    received_at: datetime
    size: int


def unique_name(file_name: str) -> str:
    """Return what of a file's name stays when its flags change."""
    return file_name.partition(":2,")[0]


def list_files(folder: Path) -> dict[str, Path]:
    """Return the present mails' files by the digest of their unique names.

    Raises:
        OSError: a directory cannot be read.
    """
    # New before cur: a mail that moves in between is then seen twice instead of never.
    files = chain((folder / "new").iterdir(), (folder / "cur").iterdir())
    return {digest_name(unique_name(file.name)): file for file in files if not file.name.startswith(".")}


def describe_file(file: Path) -> MailFile | None:
    """Return when a mail was delivered and its size, or None when it is gone or no regular file.

    Raises:
        OSError: it is there and cannot be looked at.
    """
    try:
        file, facts = follow(file, lambda place: (place, place.stat()))
    except FileNotFoundError:
        return None
    if not S_ISREG(facts.st_mode):
        return None
    seconds = min(max(facts.st_mtime, 0), LAST_SECOND)
    return MailFile(file, datetime.fromtimestamp(seconds, UTC), facts.st_size)


def delivery_order(file: Path) -> tuple[float, str]:
    """Return what sorts new mails oldest first; what cannot be looked at comes last."""
    try:
        return file.lstat().st_mtime, file.name
    except OSError:
        return float("inf"), file.name


def follow(file: Path, use: Callable[[Path], T]) -> T:
    """Return what `use` makes of a mail's file, wherever that has moved since the directory was listed.

    Raises:
        FileNotFoundError: the mail is gone.
        OSError: it cannot be used, or moves on each time it was found.
    """
    for _ in range(MOVES):
        try:
            return use(file)
        except FileNotFoundError:
            moved = find_again(file)
            if moved is None:
                raise
            file = moved
    raise OSError(0, "it moves whenever it is found")


def find_again(file: Path) -> Path | None:
    """Return where a mail lies now that is not at its place; None when no fresh listing shows it.

    Raises:
        NotADirectoryError: the folder itself is gone.
        OSError: a directory cannot be read.
    """
    unique, folder = unique_name(file.name), file.parent.parent
    for _ in range(LISTINGS):
        try:
            for other in chain((folder / "new").iterdir(), (folder / "cur").iterdir()):
                # At the same place again it was moved back, or is a link that leads nowhere.
                if unique_name(other.name) == unique and (other != file or not other.is_symlink()):
                    return other
        except FileNotFoundError:
            raise NotADirectoryError(0, "no new and cur in it") from None
    return None


def _places(folder: Path) -> dict[str, Path]:
    """Return where all mails lie now, by unique name: whoever moves one may be moving all, and one listing finds them."""
    try:
        return {unique_name(file.name): file for file in list_files(folder).values()}
    except OSError:
        return {}  # each is searched for by itself, which tells what is wrong


def read_headers(file: Path) -> bytes:
    """Return a mail's header block, at most 64 KiB."""
    with follow(file, lambda place: place.open("rb")) as content:
        return _header_block(content.read(HEADER_BYTES))


def _header_block(start: bytes) -> bytes:
    ends = [place + len(gap) for gap in (b"\r\n\r\n", b"\n\n") if (place := start.find(gap)) >= 0]
    return start[: min(ends, default=len(start))]


class MaildirReader:
    """Reads lots of one folder. Holds no more than one lot."""

    def __init__(self, folder: ReadFolder, uidvalidity: int, since: datetime | None, wants: WantsMail) -> None:
        """Mails delivered before `since` are left out; None reads all."""
        self._folder = folder
        self._uidvalidity = uidvalidity
        self._since = since
        self._wants = wants

    def read(self, unread: Sequence[tuple[int, Path]], done: int) -> Iterator[Batch]:
        """Yield these mails in batches; at least one batch, with the cursor `done` when there is nothing.

        Raises:
            NotADirectoryError: the folder is gone.
        """
        mails: list[RawMail] = []
        unreadable: dict[int, str] = {}
        unrelated, looked_at, size = 0, 0, 0
        moved: dict[str, Path] = {}
        strays = 0
        for uid, path in unread:
            if looked_at >= BATCH_MAILS or size >= BATCH_BYTES:
                yield self._batch(done, mails, unrelated, unreadable)
                mails, unreadable, unrelated, looked_at, size = [], {}, 0, 0, 0
            done, looked_at = uid, looked_at + 1
            try:
                place = moved.get(unique_name(path.name), path)
                file = describe_file(place)
                if file is not None and file.path != place:
                    if strays % STRAYS == 0:
                        moved = _places(path.parent.parent)
                    strays += 1
                if file is None or (self._since is not None and file.received_at < self._since):
                    continue
                content = self._read_wanted(file)
            except FileNotFoundError:
                continue  # removed while it was read
            except NotADirectoryError:
                raise  # it is the folder that is gone: its mails may come back
            except OSError as error:
                unreadable[uid] = f"its file cannot be read ({error.strerror})"
                continue
            if content is None:
                unrelated += 1
                continue
            size += len(content)
            mails.append(self._raw_mail(uid, file, content))
        yield self._batch(done, mails, unrelated, unreadable)

    def _read_wanted(self, file: MailFile) -> bytes | None:
        """Return what of a mail is wanted, or None when it has nothing to do with us."""
        with follow(file.path, lambda place: place.open("rb")) as content:
            start = content.read(HEADER_BYTES)
            if not self._wants(_header_block(start), self._folder.where):
                return None
            if file.size <= SMALL_BYTES:
                return start + content.read(SMALL_BYTES)
            content.seek(0)
            return read_text_parts(iter(partial(content.readline, LINE_BYTES), b""))

    def _raw_mail(self, uid: int, file: MailFile, content: bytes) -> RawMail:
        return RawMail(
            folder=self._folder.folder.name,
            where=self._folder.where,
            uid=uid,
            received_at=file.received_at,
            content=content,
        )

    def _batch(self, last_uid: int, mails: list[RawMail], unrelated: int, unreadable: dict[int, str]) -> Batch:
        return Batch(
            folder=self._folder.folder.name,
            where=self._folder.where,
            cursor=Cursor(self._uidvalidity, last_uid),
            mails=tuple(mails),
            unrelated=unrelated,
            unreadable=unreadable or None,
        )

"""One IMAP connection, read-only: EXAMINE and BODY.PEEK, never a command that changes a mailbox.

imaplib connects, secures and logs in. Fetching and IDLE are done here: imaplib has no IDLE, and its reading
of FETCH answers keeps no bound on what a server may send.
"""

import contextlib
import io
import select
import ssl
import threading
import time
from array import array
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from monitor.errors import MailboxError
from monitor.sources.folder_names import decode_folder_name, quote_folder_name
from monitor.sources.imap_login import CommandRefused, ConnectionLost, ImapServer, drop, log_in, told_in_one_line
from monitor.sources.imap_response import Value, parse_fetch, parse_literal_size, parse_values

BUFFER_BYTES = 1 << 18
MAX_LINE_BYTES = 1 << 24  # a SEARCH answer lists two million mails in this
STOP_SEEN_SECONDS = 0.5
MAX_ANSWER_BYTES = 1 << 26  # of one command: beyond it the server sends garbage
MAX_CHATTER = 1000  # lines taken in one go while watching, so that a talkative server does not hide a stop
SLOWEST_ANSWER = 20  # times the socket's time-out: for a server that drips


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the server: its name for people, its name on the wire, its attributes in lower case."""

    name: str
    wire_name: bytes
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class FolderState:
    """What EXAMINE says. `next_uid` is None where the server does not tell."""

    uidvalidity: int
    next_uid: int | None
    mails: int


class ImapConnection:
    """A logged-in connection. Every method raises MailboxError, and the connection is of no use after one."""

    def __init__(self, server: ImapServer) -> None:
        """Connect and log in.

        Raises:
            LoginRefused: wrong credentials.
            MailboxError: unreachable, not trusted, or no IMAP server.
        """
        self._server = server
        self._imap = log_in(server)
        # A buffer of our own: imaplib's 8 KiB would mean a system call for every mail.
        self._stream = cast(io.BufferedReader, self._imap.sock.makefile("rb", BUFFER_BYTES))
        self._tag = 0
        self._idle_tag = b""
        self._mails = 0
        self._announced = False

    def _translated(self, doing: str) -> AbstractContextManager[None]:
        return told_in_one_line(self._server, doing)

    # Commands

    @property
    def supports_idle(self) -> bool:
        """Whether the server announces changes."""
        return "IDLE" in self._imap.capabilities

    def list_folders(self) -> list[Folder]:
        """Return every folder that can be opened."""
        # Without RETURN some servers keep special uses to themselves.
        extended = {"LIST-EXTENDED", "SPECIAL-USE"} <= set(self._imap.capabilities)
        folders = []
        for segments in self._run('LIST "" "*"' + (" RETURN (SPECIAL-USE)" if extended else ""), "listing folders"):
            if segments[0][:7].upper() != b"* LIST ":
                continue
            with self._translated("listing folders"):
                attributes, _, name = parse_values([segments[0][7:], *segments[1:]])[:3]
                if not isinstance(attributes, list) or not isinstance(name, bytes):
                    raise ValueError("not a folder")
            flags = frozenset(flag.decode("ascii", "replace").lower() for flag in attributes if isinstance(flag, bytes))
            if not flags & {"\\noselect", "\\nonexistent"}:
                folders.append(Folder(decode_folder_name(name), name, flags))
        return folders

    def examine(self, folder: Folder) -> FolderState:
        """Open a folder read-only.

        Raises:
            MailboxError: reason "folder" when the server does not open it.
        """
        try:
            answers = self._run(b"EXAMINE " + quote_folder_name(folder.wire_name), f'opening folder "{folder.name}"')
        except CommandRefused as refused:
            raise MailboxError(
                f'{self._server.where}: folder "{folder.name}" cannot be opened. Check folders, sent and junk of '
                f"{self._server.section}.",
                "unreachable" if refused.temporary else "folder",
            ) from None
        numbers: dict[bytes, int] = {}
        for segments in answers:
            words = segments[0][2:].replace(b"[", b" ").replace(b"]", b" ").split()
            for word, number in ((0, 1), (1, 0), (1, 2)):  # "12 EXISTS", "OK [UIDNEXT 7]"
                if len(words) > max(word, number) and words[number].isdigit():
                    numbers.setdefault(words[word].upper(), int(words[number]))
        if b"UIDVALIDITY" not in numbers:
            raise MailboxError(
                f'{self._server.where}: folder "{folder.name}" has no UIDVALIDITY, so what is new cannot be told. '
                "Ask the provider for persistent UIDs.",
                "protocol",
            )
        self._mails = numbers.get(b"EXISTS", 0)
        return FolderState(numbers[b"UIDVALIDITY"], numbers.get(b"UIDNEXT"), self._mails)

    def search(self, criteria: str) -> Sequence[int]:
        """Return the uids that fit, ascending."""
        found = array("Q")
        for segments in self._run(f"UID SEARCH {criteria}", "searching"):
            if segments[0][:8].upper() == b"* SEARCH":
                with self._translated("searching"):
                    found.extend(map(int, segments[0][8:].split()))
        return found if all(a < b for a, b in pairwise(found)) else sorted(set(found))

    def fetch(self, uid_set: str, items: str) -> dict[int, dict[bytes, Value]]:
        """Return the items of each mail by uid; a mail that is gone is not there.

        Raises:
            CommandRefused: the server would not hand out at least one of them, or garbles what it says of one.
        """
        found: dict[int, dict[bytes, Value]] = {}
        for segments in self._run(f"UID FETCH {uid_set} (UID {items})", "fetching mail"):
            try:
                mail = parse_fetch(segments)
                uid = mail.get(b"UID") if mail else None
                if mail and isinstance(uid, bytes):  # without a uid it only tells of changed flags
                    found.setdefault(int(uid), {}).update(mail)
            except ValueError:
                # The answer was read to its end: the link is in step, and another mail may come whole.
                raise CommandRefused(
                    f"{self._server.where}: an answer that is not IMAP while fetching mail. Check host and port of "
                    f"{self._server.section}.",
                    "",
                ) from None
        return found

    def _run(self, command: str | bytes, doing: str) -> list[list[bytes]]:
        """Send one command and return its untagged responses, each as segments of text and literals."""
        with self._translated(doing):
            self._tag += 1
            tag = b"R%d" % self._tag
            self._imap.send(tag + b" " + (command.encode("ascii") if isinstance(command, str) else command) + b"\r\n")
            return self._read_until(tag, doing)

    def _read_until(self, tag: bytes, doing: str) -> list[list[bytes]]:
        answers: list[list[bytes]] = []
        total = 0
        give_up_at = time.monotonic() + SLOWEST_ANSWER * self._server.timeout_seconds
        while True:
            segments = self._read_response(MAX_ANSWER_BYTES - total)
            total += sum(map(len, segments))
            if time.monotonic() > give_up_at:
                raise TimeoutError
            line = segments[0]
            if line.startswith(b"* "):
                if line[2:5].upper() == b"BYE":
                    raise ConnectionLost(
                        f"{self._server.where}: the server ended the connection while {doing}. ReplyBy tries again."
                    )
                answers.append(segments)
            elif line.startswith(tag + b" "):
                words = line.split(b" ", 2)
                if words[1].upper() == b"OK":
                    return answers
                answer = words[2].decode("ascii", "replace") if len(words) > 2 else ""
                raise CommandRefused(
                    f"{self._server.where}: the server refused while {doing}. ReplyBy tries again; if it stays, look "
                    "at the server's log.",
                    answer,
                )
            elif not line.startswith(b"+"):
                raise ValueError("neither tagged nor untagged")

    def _read_response(self, budget: int) -> list[bytes]:
        segments: list[bytes] = []
        while True:
            line = self._stream.readline(MAX_LINE_BYTES)
            if not line.endswith(b"\r\n"):
                if len(line) >= MAX_LINE_BYTES:
                    raise ValueError("a line without an end")
                raise ConnectionResetError
            line = line[:-2]
            segments.append(line)
            # The free text of a status may end in braces and mean nothing by it.
            data = len(segments) > 1 or (
                line[:2] == b"* " and line[2:5].upper() not in (b"OK ", b"NO ", b"BAD", b"BYE")
            )
            size = parse_literal_size(line) if data else None
            if size is None:
                return segments
            budget -= size + len(line)
            if budget < 0:
                raise ValueError("more than a command may bring")
            literal = self._stream.read(size)
            if len(literal) < size:
                raise ConnectionResetError
            segments.append(literal)

    # IDLE

    def idle_begin(self, stop: threading.Event) -> bool:
        """Ask the server to announce changes of the open folder; return False when `stop` was set before it agreed."""
        with self._translated("watching"):
            self._tag += 1
            self._idle_tag = b"R%d" % self._tag
            self._imap.send(self._idle_tag + b" IDLE\r\n")
            give_up_at = time.monotonic() + self._server.timeout_seconds
            while not stop.is_set():
                if self._has_data(STOP_SEEN_SECONDS):
                    line = self._read_response(MAX_LINE_BYTES)[0]
                    if line.startswith(b"+"):
                        return True
                    self._note(line)
                elif time.monotonic() > give_up_at:
                    raise TimeoutError
            return False

    def idle_wait(self, seconds: float) -> bool:
        """Return True when the server announced mail, False when it announced none within `seconds`."""
        with self._translated("watching"):
            for _ in range(MAX_CHATTER):
                if self._announced or not self._has_data(seconds):
                    break
                self._note(self._read_response(MAX_LINE_BYTES)[0])
                seconds = 0.0
            return self._announced

    def idle_end(self) -> bool:
        """End IDLE and return whether mail was announced meanwhile. A dead link shows here, by its time-out."""
        with self._translated("watching"):
            self._imap.send(b"DONE\r\n")
            for segments in self._read_until(self._idle_tag, "watching"):
                self._note(segments[0])
        announced, self._announced = self._announced, False
        return announced

    def _note(self, line: bytes) -> None:
        """Keep count of the folder's mails: some servers repeat an unchanged count, which is no news."""
        if not line.startswith(b"* ") or line[2:5].upper() == b"BYE":
            raise ConnectionResetError
        number, _, word = line[2:].partition(b" ")
        if number.isdigit() and word.upper() == b"EXPUNGE":
            self._mails -= 1
        elif number.isdigit() and word.upper() == b"EXISTS":
            self._announced = self._announced or int(number) > self._mails
            self._mails = int(number)

    def _has_data(self, seconds: float) -> bool:
        """Return whether something can be read now or within `seconds`, in our buffer or from the socket."""
        if self._peek():
            return True
        poller = select.poll()
        poller.register(self._imap.sock, select.POLLIN)
        if not poller.poll(seconds * 1000):
            return False
        # Readable without data: the end, or a TLS record that carries none (then `_peek` returns None).
        if (data := self._peek()) == b"":
            raise ConnectionResetError
        return bool(data)

    def _peek(self) -> bytes | None:
        """Return buffered bytes without waiting; None when TLS has none to give yet."""
        sock = self._imap.sock
        sock.settimeout(0)
        try:
            return self._stream.peek(1)
        except ssl.SSLWantReadError:
            return None
        finally:
            sock.settimeout(self._server.timeout_seconds)

    def close(self) -> None:
        """Log out if the server listens, and drop the connection. Never raises."""
        with contextlib.suppress(OSError, ValueError):
            self._imap.sock.settimeout(min(2.0, self._server.timeout_seconds))
            self._imap.send(b"R0 LOGOUT\r\n")
        with contextlib.suppress(OSError, ValueError):
            self._stream.close()
        drop(self._imap)

"""An IMAP server that says whatever a test wants: refusals, garbage, silence. For faults a real server does not show."""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
CAPABILITIES = b"IMAP4rev1 AUTH=PLAIN SASL-IR IDLE SPECIAL-USE LIST-EXTENDED"
MAIL = b"From: <a1b2c3@marketplace.amazon.fr>\r\nSubject: mail %d\r\n\r\nWords of mail %d.\r\n"


@dataclass
class ScriptedImap:
    """Answers like a small mailbox of `mails` mails, except where `answers` has another answer.

    `answers` maps a pattern of a whole command ("UID FETCH 3 .*BODY") to bytes that are sent, with `TAG` in place of the
    command's tag, or to None: then the connection is closed. The first pattern that fits is taken.
    """

    mails: int = 3
    greeting: bytes = b"* OK ready\r\n"
    answers: dict[str, bytes | None] = field(default_factory=dict)
    capabilities: bytes = CAPABILITIES
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def _usual(self, command: str) -> bytes:
        if command.startswith("CAPABILITY"):
            return b"* CAPABILITY " + self.capabilities + b"\r\n"
        if command.startswith("LIST"):
            return b'* LIST (\\HasNoChildren) "/" INBOX\r\n'
        if command.startswith("EXAMINE"):
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT %d] ok\r\n" % (self.mails, self.mails + 1)
        if command.startswith("UID SEARCH"):
            _, by_uid, named = command.partition("SEARCH UID ")
            uids = _numbers(named, self.mails) if by_uid else range(1, self.mails + 1)
            return b"* SEARCH " + b" ".join(b"%d" % uid for uid in uids) + b"\r\n"
        if command.startswith("UID FETCH"):
            return b"".join(self.fetched(uid, command) for uid in _numbers(command.split()[2], self.mails))
        return b""

    def fetched(self, uid: int, command: str) -> bytes:
        """Return the FETCH response of one mail."""
        mail = MAIL % (uid, uid)
        head, _, text = mail.partition(b"\r\n\r\n")
        if "BODY.PEEK[HEADER]" in command:
            block = head + b"\r\n\r\n"
            items = b'INTERNALDATE "20-Nov-2026 10:00:00 +0000" RFC822.SIZE %d BODY[HEADER]<0> {%d}\r\n%s'
            return b"* %d FETCH (UID %d " % (uid, uid) + items % (len(mail), len(block), block) + b")\r\n"
        return b"* %d FETCH (UID %d BODY[TEXT] {%d}\r\n%s)\r\n" % (uid, uid, len(text), text)

    def answer(self, command: str, tag: bytes) -> bytes | None:
        """Return what is sent for a command."""
        for pattern, scripted in self.answers.items():
            if re.match(pattern, command):
                return None if scripted is None else scripted.replace(b"TAG", tag)
        return self._usual(command) + tag + b" OK done\r\n"


def _numbers(uid_set: str, last: int) -> list[int]:
    found: list[int] = []
    for part in uid_set.split(","):
        first, _, end = part.partition(":")
        found += range(int(first), int(end or first) + 1)
    return [number for number in found if 1 <= number <= last]


def _serve(server: ScriptedImap, client: socket.socket) -> None:
    with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
        client.sendall(server.greeting)
        idle_tag = b""
        for line in lines:
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            if command == b"IDLE":
                idle_tag = tag
            elif tag == b"DONE":
                tag, command = idle_tag, b"DONE"
            server.commands.append(command.decode("ascii", "replace"))
            if command.startswith(b"AUTHENTICATE") and b" " not in command[13:]:
                client.sendall(b"+ \r\n")
                lines.readline()
            answer = server.answer(command.decode("ascii", "replace"), tag)
            if answer is None:
                return
            client.sendall(answer)


@contextmanager
def running_scripted_imap(server: ScriptedImap) -> Iterator[ScriptedImap]:
    """Run the server on a free port of 127.0.0.1."""
    listener = socket.create_server((HOST, 0))
    server.port = listener.getsockname()[1]
    clients: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            clients.append(client)
            threading.Thread(target=_serve, args=(server, client), daemon=True).start()

    accepting: Callable[[], None] = accept
    thread = threading.Thread(target=accepting, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        thread.join(5)

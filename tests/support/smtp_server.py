"""A stand-in for an SMTP server on loopback: plain, STARTTLS or TLS, with or without login; keeps what it accepted."""

import base64
import contextlib
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.wallclock import utc_now


@dataclass(frozen=True, slots=True)
class AcceptedMail:
    """One mail that was accepted with 250."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass(slots=True)
class Script:
    """Answers to give instead of the usual ones, first come first served, by command ("RCPT", "DATA")."""

    answers: dict[str, list[str]] = field(default_factory=dict)

    def next(self, command: str) -> str | None:
        """Take the next answer scripted for a command."""
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    owner: "SmtpServer"

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients that distrust the certificate hang up in the middle."""


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: _Server
    timeout = 20

    def handle(self) -> None:
        owner = self.server.owner
        self.secure = False
        self.logged_in = not owner.username
        self.sender, self.recipients = "", list[str]()
        if owner.security == "tls":
            self._encrypt()
        self._say("220 stand-in ESMTP")
        while line := self.rfile.readline(2000):
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not self._obey(verb.upper(), rest):
                return

    def _obey(self, verb: str, rest: str) -> bool:
        """Do one command; return whether the session goes on."""
        owner = self.server.owner
        scripted = owner.script.next(verb) if verb != "DATA" else None
        if scripted is not None:
            self._say(scripted)
        elif verb in ("EHLO", "HELO"):
            features = ["stand-in", "8BITMIME", "SMTPUTF8"]
            features += ["STARTTLS"] if owner.security == "starttls" and not self.secure else []
            features += ["AUTH PLAIN"] if owner.username and (self.secure or owner.security == "none") else []
            for feature in features[:-1]:
                self._say(f"250-{feature}")
            self._say(f"250 {features[-1]}")
        elif verb == "STARTTLS" and owner.security == "starttls":
            self._say("220 go ahead")
            self._encrypt()
        elif verb == "AUTH":
            given = base64.b64decode(rest.partition(" ")[2]).split(b"\0")[1:]
            self.logged_in = given == [owner.username.encode(), owner.password.encode()]
            self._say("235 welcome" if self.logged_in else "535 5.7.8 wrong name or password")
        elif not self.logged_in and verb in ("MAIL", "RCPT", "DATA"):
            self._say("530 5.7.0 log in first")
        elif verb == "MAIL":
            self.sender = rest.partition("<")[2].partition(">")[0]
            self.recipients = []
            self._say("250 OK")
        elif verb == "RCPT":
            self.recipients.append(rest.partition("<")[2].partition(">")[0])
            self._say("250 OK")
        elif verb == "DATA":
            return self._take_mail()
        elif verb == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("250 OK" if verb in ("RSET", "NOOP") else "502 unknown")
        return True

    def _take_mail(self) -> bool:
        owner = self.server.owner
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        scripted = owner.script.next("DATA")
        if scripted in (None, "drop after"):
            message = message_from_bytes(b"".join(lines), policy=policy.default)
            assert isinstance(message, EmailMessage)
            owner.accepted.append(AcceptedMail(self.sender, tuple(self.recipients), message))
        if scripted is not None and scripted.startswith("drop"):
            return False
        self._say(scripted or "250 accepted")
        return True

    def _encrypt(self) -> None:
        context = self.server.owner.context
        assert context is not None
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure = True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def finish(self) -> None:
        """Close whatever the session ended with."""
        for closing in (self.wfile, self.rfile, self.connection):
            with contextlib.suppress(OSError, ValueError):
                closing.close()


class SmtpServer:
    """See the module.

    Attributes:
        accepted: mails answered with 250. script: answers for the next commands; "drop before" and "drop after" (DATA)
            cut the connection instead, before or after the mail was taken.
    """

    def __init__(
        self,
        *,
        security: str = "none",
        username: str = "",
        password: str = "",
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        """Bind a free port; `certificate` is (certificate, key), needed for "tls" and "starttls"."""
        self.accepted: list[AcceptedMail] = []
        self.script = Script()
        self.security, self.username, self.password = security, username, password
        self.context: ssl.SSLContext | None = None
        if certificate is not None:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self.context.load_cert_chain(*certificate)
        self.host = "127.0.0.1"
        self._server = _Server((self.host, 0), _Session)
        self._server.owner = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in-smtp", daemon=True
        )

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for localhost and 127.0.0.1; return (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = directory / "certificate.pem", directory / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file

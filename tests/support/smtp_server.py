"""A stand-in for an SMTP server on loopback: plain, STARTTLS or TLS, with or without login; keeps what it accepted."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
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
class _Script:
    """Answers to give instead of the usual ones, first come first served, by command ("RCPT", "DATA")."""

    answers: dict[str, list[str]] = field(default_factory=dict)

    def next(self, command: str) -> str | None:
        waiting = self.answers.get(command)
        return waiting.pop(0) if waiting else None


class _Handler:
    def __init__(self, server: "SmtpServer") -> None:
        self.server = server

    async def handle_RCPT(
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        scripted = self.server.script.next("RCPT")
        if scripted is not None:
            return scripted
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:
        scripted = self.server.script.next("DATA")
        if scripted is not None and not scripted.startswith("drop"):
            return scripted
        if scripted != "drop before":
            content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
            message = message_from_bytes(content, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.server.accepted.append(AcceptedMail(envelope.mail_from or "", tuple(envelope.rcpt_tos), message))
        if scripted is not None and isinstance(smtp.transport, asyncio.Transport):
            smtp.transport.abort()  # the answer is lost
        return "250 OK"


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
        """Take a free port; `certificate` is (certificate, key), needed for "tls" and "starttls"."""
        self.accepted: list[AcceptedMail] = []
        self.script = _Script()
        self.host = "127.0.0.1"
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port: int = probe.getsockname()[1]
        context: ssl.SSLContext | None = None
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*certificate)
        options: dict[str, Any] = {"decode_data": False}
        if username:
            options.update(
                auth_required=True,
                authenticator=_authenticator(username, password),
                auth_require_tls=security == "starttls",
            )
        if security == "starttls":
            options.update(tls_context=context, require_starttls=True)
        self._controller = Controller(
            _Handler(self),
            hostname=self.host,
            port=self.port,
            ssl_context=context if security == "tls" else None,
            **options,
        )

    def __enter__(self) -> Self:
        """Start."""
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._controller.stop()


def _authenticator(username: str, password: str) -> Callable[..., AuthResult]:
    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data == LoginPassword(username.encode(), password.encode())
        return AuthResult(success=good)

    return check


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

"""Connecting and logging in to an IMAP server, and the one line that each failure is told in.

imaplib connects, secures and logs in; the certificate is always verified, which imaplib alone does not do.
"""

import contextlib
import imaplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from monitor.errors import LoginRefused, MailboxError
from monitor.sources.folder_names import quote_folder_name

LOOPBACK = ("127.0.0.1", "::1", "localhost")
TEMPORARY = (
    *("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[OVERQUOTA]", "TOO MANY", "TEMPORAR", "TRY AGAIN"),
    *("EXCEEDED COMMAND", "BANDWIDTH", "THROTTL"),  # Gmail, Microsoft
)
"""In what words a server says that it is not the mail's fault."""


class ConnectionLost(MailboxError):
    """The link was cut: the same command may succeed on a new one."""

    def __init__(self, message: str) -> None:
        """Set the reason."""
        super().__init__(message, "unreachable")


class CommandRefused(MailboxError):
    """The server answered NO or BAD, or garbled, and stays in service. `answer` is its text, which may name folders."""

    def __init__(self, message: str, answer: str) -> None:
        """Keep the answer."""
        super().__init__(message, "protocol")
        self.answer = answer

    @property
    def temporary(self) -> bool:
        """Whether the server says that it is not the mail's fault."""
        return is_temporary(self.answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """Where to log in and as whom. `token` (OAuth) goes before `password`; both are asked anew at each login."""

    mailbox: str
    host: str
    port: int
    security: str
    username: str
    password: Callable[[], str]
    token: Callable[[], str] | None = None
    timeout_seconds: float = 30.0
    ca_file: str = ""

    @property
    def where(self) -> str:
        """How error lines name it."""
        return f"{self.host}:{self.port}"

    @property
    def section(self) -> str:
        """Where in config.toml it stands."""
        return f'[[mailbox]] "{self.mailbox}"'


def log_in(server: ImapServer) -> imaplib.IMAP4:
    """Return a connection that is secured and logged in; every read on it has the server's time-out.

    Raises:
        LoginRefused: wrong credentials.
        MailboxError: unreachable, not trusted, or no IMAP server.
    """
    with told_in_one_line(server, "connecting"):
        imap = _connect(server)
    try:
        with told_in_one_line(server, "logging in"):
            if server.security == "starttls":
                _start_tls(server, imap)
            if imap.state != "AUTH":  # PREAUTH: a tunnel that logged in already
                _authenticate(server, imap)
            # Servers offer more after the login; imaplib does not look again.
            _, capabilities = imap.capability()
            imap.capabilities = tuple((capabilities[-1] or b"").decode("ascii", "replace").upper().split())
    except BaseException:
        drop(imap)
        raise
    return imap


def drop(imap: imaplib.IMAP4) -> None:
    """Close the socket. Never raises."""
    with contextlib.suppress(OSError, ValueError):
        imap.shutdown()


def _connect(server: ImapServer) -> imaplib.IMAP4:
    if server.security == "tls":
        return imaplib.IMAP4_SSL(
            server.host, server.port, ssl_context=_tls_context(server), timeout=server.timeout_seconds
        )
    if server.security != "starttls" and server.host not in LOOPBACK:
        raise MailboxError(
            f'{server.where}: security = "{server.security}" would send the password in clear. '
            f'Set security = "tls" or "starttls" in {server.section}.',
            "tls",
        )
    return imaplib.IMAP4(server.host, server.port, server.timeout_seconds)


def _start_tls(server: ImapServer, imap: imaplib.IMAP4) -> None:
    if "STARTTLS" not in imap.capabilities or imap.state != "NONAUTH":
        raise MailboxError(
            f'{server.where}: STARTTLS is not offered. Set security = "tls" and its port in {server.section}.', "tls"
        )
    imap.starttls(_tls_context(server))


def _tls_context(server: ImapServer) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.ca_file or None)
    except OSError as error:
        raise MailboxError(
            f"{server.ca_file}: no readable certificate file ({error.strerror or 'not PEM'}). "
            f"Check ca_file of {server.section}.",
            "tls",
        ) from None


def _authenticate(server: ImapServer, imap: imaplib.IMAP4) -> None:
    try:
        if server.token is not None:
            token = server.token()
            # The second call answers the server's reason for a refusal, which ends the exchange.
            answers = iter([f"user={server.username}\x01auth=Bearer {token}\x01\x01".encode()])
            imap.authenticate("XOAUTH2", lambda _: next(answers, b""))
        elif "AUTH=PLAIN" in imap.capabilities:
            # Unlike imaplib's LOGIN, it carries any character.
            secret = f"\0{server.username}\0{server.password()}".encode()
            imap.authenticate("PLAIN", lambda _: secret)
        else:
            imap.login(quote_folder_name(server.username.encode()).decode(), server.password())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise _login_error(server, imap, str(error)) from None
    except UnicodeEncodeError:
        raise LoginRefused(
            f"{server.where}: the server takes ASCII passwords only. Change the password of {server.section}."
        ) from None


def _login_error(server: ImapServer, imap: imaplib.IMAP4, answer: str) -> MailboxError:
    if is_temporary(answer):
        return MailboxError(
            f"{server.where}: login put off for {server.username}: the server is busy. ReplyBy tries again.",
            "unreachable",
        )
    what = f"{server.where}: login refused for {server.username}."
    if server.token is not None:
        return LoginRefused(f"{what} Run `replyby login {server.mailbox}` to allow it again.")
    if "pplication-specific password" in answer:
        return LoginRefused(f"{what} Google wants an app password here: make one and set it in {server.section}.")
    if "LOGINDISABLED" in imap.capabilities and "AUTH=PLAIN" not in imap.capabilities:
        return LoginRefused(
            f"{what} The server takes no password on this connection: check security and oauth of {server.section}."
        )
    return LoginRefused(f"{what} Check the password of {server.section}.")


def is_temporary(answer: str) -> bool:
    """Return whether a refusal says that it will pass by itself (RFC 5530, and what Gmail and Exchange write)."""
    return any(word in answer.upper() for word in TEMPORARY)


@contextmanager
def told_in_one_line(server: ImapServer, doing: str) -> Iterator[None]:
    """Turn what the network, TLS and imaplib raise into one line each."""
    try:
        yield
    except MailboxError:
        raise
    except TimeoutError:
        raise MailboxError(
            f"{server.where}: no answer within {server.timeout_seconds:g} s while {doing}. "
            "The server or the way to it is stalled; ReplyBy tries again.",
            "timeout",
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise MailboxError(
            f"{server.where}: certificate refused: {error.verify_message}. Use the host name in the certificate, "
            f"or set ca_file of {server.section}.",
            "tls",
        ) from None
    except ssl.SSLError as error:
        raise MailboxError(
            f"{server.where}: TLS failed while {doing} ({error.reason or 'closed'}). Check port and security of "
            f'{server.section}: 993 is usually "tls", 143 "starttls".',
            "tls",
        ) from None
    except socket.gaierror:
        raise MailboxError(
            f"{server.where}: host name not found. Check host of {server.section}.", "unreachable"
        ) from None
    except ConnectionRefusedError:
        raise MailboxError(
            f"{server.where}: connection refused. Check host and port of {server.section}, or whether the server "
            "is up.",
            "unreachable",
        ) from None
    except (OSError, imaplib.IMAP4.abort):
        raise ConnectionLost(
            f"{server.where}: connection lost while {doing}. ReplyBy tries again; if it stays, look at the "
            "server's log."
        ) from None
    except (imaplib.IMAP4.error, ValueError, KeyError, IndexError):
        # What it sent is not shown: it may hold a buyer's words.
        raise MailboxError(
            f"{server.where}: an answer that is not IMAP while {doing}. Check host and port of {server.section}.",
            "protocol",
        ) from None

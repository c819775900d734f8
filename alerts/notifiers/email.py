"""E-mail over SMTP: TLS verified, one mail a delivery, its Message-ID made from the reference.

SMTP cannot be asked what it took: after a doubtful attempt a page is repeated (mail programs that know the Message-ID fold
the two into one), a notice is not.
"""

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from alerts.core.model import Channel, Delivery, Purpose, Receipt
from alerts.core.words.mail import MailText, bare_mail, render_mail
from alerts.core.words.render import render_or_facts
from alerts.errors import DeliveryError, Reason
from alerts.notifiers.http import network_error, redact

DEFAULT_TIMEOUT_SECONDS: Final = 20.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class EmailNotifier:
    """Sends by one SMTP server; a connection for each mail, so that it is safe to call from several threads."""

    def __init__(
        self,
        *,
        host: str,
        sender: str,
        port: int = 587,
        security: str = "starttls",
        username: str = "",
        password: str = "",
        ca_file: str = "",
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        """Keep the settings; connects to nothing.

        Args:
            security: "tls" (from the first byte), "starttls" or "none".
            ca_file: certificates to trust beside the system's own.

        Raises:
            ValueError: "none" to a host that is not this machine: the password and the orders would travel in the open.
        """
        if security not in ("tls", "starttls", "none"):
            raise ValueError(f'smtp: security "{security}" is unknown. Write "tls", "starttls" or "none".')
        if security == "none" and host not in _LOOPBACK:
            raise ValueError(
                f'smtp: security "none" to {host}. It is for this machine only; write "starttls" or "tls".'
            )
        self._host, self._port, self._security = host, port, security
        self._sender, self._username, self._password = sender, username, password
        self._ca_file, self._timeout = ca_file, timeout_seconds
        self._domain = sender.rsplit("@", 1)[-1].strip("> ") or "replyby.invalid"

    @property
    def channel(self) -> Channel:
        """E-mail."""
        return Channel.EMAIL

    def send(self, delivery: Delivery) -> Receipt:
        """Send one mail; the receipt's `provider_id` is its Message-ID.

        Raises:
            DeliveryError: see `Notifier.send`.
        """
        rendered = render_or_facts(delivery, render_mail, bare_mail)
        message, trouble = self._build(delivery, rendered.value)
        where = f'email receiver "{delivery.receiver}" ({self._host}:{self._port})'
        self._transmit(where, delivery.address, message)
        detail = "; ".join(part for part in (rendered.trouble, trouble) if part)
        return Receipt(provider_id=str(message["Message-ID"]), detail=detail)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Raise: SMTP keeps no list of what it took.

        Raises:
            DeliveryError: always, `retryable=False`.
        """
        text = f'email receiver "{delivery.receiver}": SMTP cannot be asked what it took. A page is sent again.'
        raise DeliveryError(text, retryable=False, reason=Reason.BAD_ANSWER)

    def check(self, receipt: Receipt) -> str | None:
        """Return None: whether the mail arrived is never known."""
        return None

    def _build(self, delivery: Delivery, mail: MailText) -> tuple[EmailMessage, str]:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = delivery.address
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(delivery.now)
        digest = hashlib.sha256(delivery.reference.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{digest}@{self._domain}>"
        # So that an alert in a watched mailbox, which shows Amazon's links, is not taken for the buyer's message itself.
        message["X-ReplyBy"] = delivery.purpose.value
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notice comes back
        if (
            delivery.purpose not in (Purpose.REPORT, Purpose.DIGEST, Purpose.TEST, Purpose.LOOK_AHEAD)
            and delivery.threads
        ):
            # All mails about one thread stand together in the reader's program.
            message["References"] = f"<thread-{delivery.threads[0].thread_id}.replyby@{self._domain}>"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message, self._add_images(message, delivery)

    def _add_images(self, message: EmailMessage, delivery: Delivery) -> str:
        trouble = []
        html_part = message.get_body(("html",))
        for image in delivery.content.get("images", []) if delivery.purpose is Purpose.REPORT else []:
            path = Path(str(image["path"]))
            try:
                data = path.read_bytes()
            except OSError as problem:  # the words of the report still go out
                trouble.append(f"picture {path.name} not read: {problem.strerror}")
                continue
            name = str(image.get("name") or path.stem)
            if html_part is not None:
                html_part.add_related(
                    data, maintype="image", subtype="png", cid=f"<{name}>", filename=path.name, disposition="inline"
                )
        return "; ".join(trouble)

    def _transmit(self, where: str, address: str, message: EmailMessage) -> None:
        handed_over = False
        try:
            with self._connect() as server:
                if self._username:
                    server.login(self._username, self._password)
                _expect(server.mail(self._sender_address()), (250,), "sender")
                _expect(server.rcpt(address), (250, 251), "recipient")
                handed_over = True
                code, answer = server.data(message.as_bytes())
                if code != 250:
                    raise _RefusedError("message", code, answer)
                handed_over = False  # a broken farewell takes nothing back
        except smtplib.SMTPAuthenticationError as problem:
            raise self._refused(where, "login", problem.smtp_code, problem.smtp_error) from None
        except _RefusedError as problem:
            raise self._refused(where, problem.step, problem.code, problem.answer) from None
        except smtplib.SMTPResponseException as problem:
            raise self._refused(where, "connection", problem.smtp_code, problem.smtp_error) from None
        except smtplib.SMTPNotSupportedError:
            text = f"{where}: the server offers no {'STARTTLS' if self._security == 'starttls' else 'such login'}."
            raise DeliveryError(f"{text} Check port and security.", retryable=False, reason=Reason.REJECTED) from None
        except (smtplib.SMTPException, OSError) as problem:
            error = network_error(where, problem)
            if handed_over:
                raise DeliveryError(str(error), retryable=True, reason=error.reason, ambiguous=True) from None
            text = f"{where}: no connection, or it broke before the mail was handed over. It is tried again."
            raise DeliveryError(
                str(error) if not error.ambiguous else text, retryable=True, reason=error.reason
            ) from None

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=None)
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=context)
        server = smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        if self._security == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server

    def _sender_address(self) -> str:
        from email.utils import parseaddr

        return parseaddr(self._sender)[1]

    def _refused(self, where: str, step: str, code: int, answer: bytes | str) -> DeliveryError:
        words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
        words = redact(" ".join(words.split()), [self._password])[:120]
        said = f"{where}: {step} refused with {code} ({words})"
        if 400 <= code < 500:
            return DeliveryError(f"{said}. It is tried again.", retryable=True, reason=Reason.SERVER_ERROR)
        reason, advice = {
            "login": (Reason.BAD_CREDENTIALS, "Check username and password."),
            "recipient": (Reason.BAD_ADDRESS, "Check the address."),
            "sender": (Reason.REJECTED, "Check `from`: the server must allow it."),
        }.get(step, (Reason.REJECTED, "Ask whoever runs the mail server."))
        return DeliveryError(f"{said}, not retried. {advice}", retryable=False, reason=reason)


class _RefusedError(Exception):
    def __init__(self, step: str, code: int, answer: bytes | str) -> None:
        self.step, self.code, self.answer = step, code, answer
        super().__init__(step, code)


def _expect(answer: tuple[int, bytes], good: tuple[int, ...], step: str) -> None:
    if answer[0] not in good:
        raise _RefusedError(step, answer[0], answer[1])

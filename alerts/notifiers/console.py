"""The terminal: one line that says it all, details below; colours on a terminal, plain text in a pipe."""

import threading
from typing import TextIO

from alerts.core.model import Channel, Delivery, Purpose, Receipt
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words
from alerts.core.words.mail import thread_lines
from alerts.core.words.render import plain_summary, render_or_facts
from alerts.core.words.summaries import SUMMARY_PURPOSES
from alerts.errors import DeliveryError, Reason

_STYLES = {"breached": "bold red", "at_risk": "yellow", "running": "blue", "met": "green", "late": "magenta"}


class ConsoleNotifier:
    """Writes to a stream (default: standard output); a lock keeps the lines of two deliveries apart."""

    def __init__(self, stream: TextIO | None = None, *, details: bool = True) -> None:
        """Keep the stream; `details` False: one line a thread."""
        from rich.console import Console  # late: it is slow to import, and only this notifier needs it

        self._console = Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)
        self._details = details
        self._lock = threading.Lock()

    @property
    def channel(self) -> Channel:
        """Console."""
        return Channel.CONSOLE

    def send(self, delivery: Delivery) -> Receipt:
        """Write; the receipt's `provider_id` is the reference.

        Raises:
            DeliveryError: the stream is closed.
        """
        rendered = render_or_facts(delivery, self._lines, lambda facts: tuple(facts.split("\n")))
        style = _style(delivery)
        try:
            with self._lock:
                for number, line in enumerate(rendered.value):
                    self._console.print(line, style=style if number == 0 else "dim")
        except (OSError, ValueError) as problem:
            text = (
                f'console receiver "{delivery.receiver}": the stream is closed ({type(problem).__name__}), not retried.'
            )
            raise DeliveryError(text, retryable=False, reason=Reason.GONE) from None
        return Receipt(provider_id=delivery.reference, detail=rendered.trouble)

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return None: what scrolled by may be said again."""
        return None

    def check(self, receipt: Receipt) -> str | None:
        """Return "delivered"."""
        return "delivered" if receipt.provider_id else None

    def _lines(self, words: Words, delivery: Delivery) -> tuple[str, ...]:
        if delivery.purpose in SUMMARY_PURPOSES:
            title, *rest = plain_summary(words, delivery)
            return (f"{words.instant(delivery.now, delivery.now)} {title}", *(f"      {line}" for line in rest))
        stamp = words.instant(delivery.now, delivery.now)
        lines: list[str] = []
        for facts in delivery.threads:
            sign = "🔁" if delivery.purpose is Purpose.REOPENED else said.state_sign(facts, delivery.now)
            line = said.line(words, facts, delivery.now, name_people=delivery.name_people)
            to = f" → {delivery.person or delivery.receiver}"
            lines.append(f"{stamp} {sign} {line}{to}")
            if self._details:
                lines.extend(f"      {detail}" for detail in thread_lines(words, facts, delivery)[1:])
        if not lines:
            raise ValueError("console: an alert without a thread. Fill `Delivery.threads`.")
        return tuple(lines)


def _style(delivery: Delivery) -> str:
    if not delivery.threads:
        return "bold"
    first = delivery.threads[0]
    if said.is_overdue(first, delivery.now):
        return _STYLES["breached"]
    return _STYLES.get(first.state, "bold")

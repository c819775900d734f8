"""The port every notifier fills."""

from typing import Protocol

from alerts.core.model import Channel, Delivery, Receipt


class Notifier(Protocol):
    """Sends one delivery at a time; safe to call from several threads."""

    @property
    def channel(self) -> Channel:
        """The channel it serves."""

    def send(self, delivery: Delivery) -> Receipt:
        """Send and return the provider's receipt.

        Raises:
            DeliveryError: not accepted, or not known to be accepted (`ambiguous`).
        """

    def find(self, delivery: Delivery) -> Receipt | None:
        """Return the receipt of an earlier attempt at this very delivery, or None if the provider has none.

        Asked only after an ambiguous outcome or a crash.

        Raises:
            DeliveryError: the provider could not be asked, or cannot be asked at all (`retryable=False`).
        """

    def check(self, receipt: Receipt) -> str | None:
        """Return how a delivery ended at the provider: "delivered", None while it is not known or never will be.

        Raises:
            DeliveryError: it was accepted but did not arrive (a phone that is off, a number that is none).
        """

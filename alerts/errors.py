"""The alerts' exceptions.

DeliveryError   a notification did not arrive, or may not have
"""

from datetime import timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why a delivery failed: a closed set, for metrics, logs and `history`."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    BAD_CREDENTIALS = "bad_credentials"
    BAD_ADDRESS = "bad_address"
    OPTED_OUT = "opted_out"
    REJECTED = "rejected"
    GONE = "gone"
    BAD_ANSWER = "bad_answer"
    UNDELIVERED = "undelivered"


class DeliveryError(Exception):
    """A send that did not succeed.

    Attributes:
        retryable: False: never again to this address; the next receiver takes over.
        ambiguous: the provider may have accepted it: look it up before sending again. False: certainly not accepted.
        retry_after: what the server asked for; None: our own backoff.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        reason: Reason,
        ambiguous: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        """Keep what decides the next step; `message` holds no secret and no buyer's word."""
        self.retryable = retryable
        self.reason = reason
        self.ambiguous = ambiguous
        self.retry_after = retry_after
        super().__init__(message)

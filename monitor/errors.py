"""The monitor's exceptions.

    ReplyByError
    ├── ConfigError        wrong configuration or usage: exit status 2, every problem listed
    ├── MailboxError       a mailbox could not be read: counted, retried, told
    │   └── LoginRefused   credentials are wrong: told at once
    ├── StoreError         the database cannot be used: one clear line, nothing silent
    │   └── StoreUnreachable   its server does not answer: a worker waits for it
    └── AmazonError        SP-API did not answer as needed: counted, retried or given up
        ├── AmazonLoginRefused   the application's secret or its authorisation is not accepted
        ├── AmazonRoleMissing    the application may not ask this
        └── AmazonThrottled      asked too often

Each message reads `<where>: <what, with the value seen>. <What to do next>.` and holds no secret and no buyer's word.
"""

from collections.abc import Sequence
from datetime import timedelta


class ReplyByError(Exception):
    """Anything that is told in one line and without a traceback: exit status 1."""


class ConfigError(ReplyByError):
    """What is wrong with a configuration: all of it at once, one line a problem."""

    def __init__(self, where: str, problems: Sequence[str]) -> None:
        """Keep the problems; `where` is the file, or the command."""
        self.where = where
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{where}: {count}", *(f"  {problem}" for problem in self.problems)]))


class MailboxError(ReplyByError):
    """A mailbox could not be read. `reason` is from a closed set and becomes a metric label."""

    REASONS = ("unreachable", "timeout", "tls", "login", "protocol", "folder", "other")

    def __init__(self, message: str, reason: str = "other") -> None:
        """Keep the reason."""
        if reason not in self.REASONS:
            raise ValueError(f"unknown reason {reason!r}")
        self.reason = reason
        super().__init__(message)


class LoginRefused(MailboxError):
    """The server refused the credentials."""

    def __init__(self, message: str) -> None:
        """Set the reason."""
        super().__init__(message, "login")


class StoreError(ReplyByError):
    """The database cannot be opened, is newer than the program, or is in use by another worker."""


class StoreUnreachable(StoreError):
    """The database's server does not answer: what was configured may be right, and a worker waits for it."""


class AmazonError(ReplyByError):
    """SP-API did not give what was asked for. `reason` is from a closed set and becomes a metric label.

    Attributes:
        retryable: the same call may succeed later.
        retry_after: how long Amazon wants to be left alone, where it says so.
        rate: calls a second that Amazon allows for this operation, where it says so.
    """

    REASONS = (
        "login",
        "role",
        "throttled",
        "unreachable",
        "timeout",
        "server",
        "empty",
        "unreadable",
        "not_found",
        "rejected",
        "other",
    )

    def __init__(
        self,
        message: str,
        *,
        retryable: bool,
        reason: str = "other",
        retry_after: timedelta | None = None,
        rate: float | None = None,
    ) -> None:
        """Keep what decides the next step."""
        if reason not in self.REASONS:
            raise ValueError(f"unknown reason {reason!r}")
        self.retryable = retryable
        self.reason = reason
        self.retry_after = retry_after
        self.rate = rate
        super().__init__(message)


class AmazonLoginRefused(AmazonError):
    """Login with Amazon refused: every call of the account would fail; a person has to change something."""

    def __init__(self, message: str) -> None:
        """Set the reason. Tried again now and then: it may be mended outside."""
        super().__init__(message, retryable=True, reason="login")


class AmazonRoleMissing(AmazonError):
    """The application lacks the role for this operation."""

    def __init__(self, message: str) -> None:
        """Set the reason."""
        super().__init__(message, retryable=False, reason="role")


class AmazonThrottled(AmazonError):
    """Asked too often."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None, rate: float | None = None) -> None:
        """Set the reason."""
        super().__init__(message, retryable=True, reason="throttled", retry_after=retry_after, rate=rate)

"""The monitor's exceptions.

    ReplyByError
    ├── ConfigError        wrong configuration or usage: exit status 2, every problem listed
    ├── MailboxError       a mailbox could not be read: counted, retried, told
    │   └── LoginRefused   credentials are wrong: told at once
    ├── StoreError         the database cannot be used: one clear line, nothing silent
    └── AmazonError        SP-API did not answer as needed: counted, retried or given up

Each message reads `<where>: <what, with the value seen>. <What to do next>.` and holds no secret and no buyer's word.
"""

from collections.abc import Sequence


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


class AmazonError(ReplyByError):
    """SP-API did not give what was asked for. `retryable` decides whether the call is tried again later."""

    def __init__(self, message: str, *, retryable: bool, reason: str = "other") -> None:
        """Keep what decides the next step."""
        self.retryable = retryable
        self.reason = reason
        super().__init__(message)

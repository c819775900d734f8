"""What became of a stored clock when mails or persons changed it: what those who were told have to learn."""

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What happened to a clock that somebody may have been told about."""

    OPENED = "opened"
    CLOSED = "closed"
    REOPENED = "reopened"
    CHANGED = "changed"
    ABSORBED = "absorbed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange:
    """One change, with the ids it concerns.

    Attributes:
        thread_id: the thread that the clock is in now, or, of an absorbed one, that its messages are in.
        left: the thread that it was in before, where it is there no more.
        into: of an absorbed clock the one that its messages are part of now; None: none of them is a buyer's any more.
        was_open: of an absorbed clock whether somebody still waited by it.
    """

    kind: ChangeKind
    clock_id: int
    thread_id: int
    left: int | None = None
    into: int | None = None
    was_open: bool = False

    @property
    def heir(self) -> int | None:
        """The clock that what was told of this one counts for: itself, unless it was absorbed."""
        return self.into if self.kind is ChangeKind.ABSORBED else self.clock_id

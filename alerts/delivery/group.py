"""What goes together in one message, and what a later notification makes superfluous. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.core.model import Channel, Purpose, ThreadFacts
from alerts.outbox import GROUPED_CHANNELS

_OVERTAKES = {
    Purpose.CLOSED: (Purpose.ALERT, Purpose.REOPENED, Purpose.UPDATE),
    Purpose.REOPENED: (Purpose.CLOSED,),
}
_LEADING = (Purpose.REOPENED, Purpose.ALERT, Purpose.CLOSED, Purpose.UPDATE)
_GROUPED = (Purpose.ALERT, Purpose.CLOSED, Purpose.REOPENED)
_RINGING = (Purpose.ALERT, Purpose.REOPENED)  # what is open again is due at once: one message says both


@dataclass(frozen=True, slots=True)
class Group:
    """One message: its purpose, the ids of the rows it carries, and of those that it makes superfluous."""

    purpose: Purpose
    carried: tuple[int, ...]
    superseded: tuple[int, ...] = ()


def choose_group(rows: Sequence[Any]) -> Group:
    """Return what to send next out of rows of one slot (at least one), which stand most urgent first.

    A phone gets one message for all that rings, and one for all that ended. A thread in a channel gets one message about its
    newest clock: an end outweighs what was still to be said before it, a ring carries the redrawing with it.
    """
    if rows[0].channel in GROUPED_CHANNELS:
        return _for_a_phone(rows)
    if rows[0].thread_id is None or rows[0].purpose == Purpose.TEST:
        return Group(Purpose(rows[0].purpose), (rows[0].id,))
    return _for_a_thread(rows)


def _for_a_phone(rows: Sequence[Any]) -> Group:
    superseded = _overtaken(rows)
    left = [row for row in rows if row.id not in superseded]
    purpose = Purpose(left[0].purpose)
    if purpose not in _GROUPED:
        return Group(purpose, (left[0].id,), tuple(sorted(superseded)))
    together = _RINGING if purpose in _RINGING else (purpose,)
    carried = [row for row in left if row.purpose in together]
    if purpose in _RINGING:
        reopened = {row.clock_id for row in carried if row.purpose == Purpose.REOPENED}
        all_reopened = all(row.clock_id in reopened for row in carried)
        purpose = Purpose.REOPENED if all_reopened else Purpose.ALERT
    return Group(purpose, tuple(row.id for row in carried), tuple(sorted(superseded)))


def _overtaken(rows: Sequence[Any]) -> set[int]:
    """Return the rows about a clock that ended, or ran on again, after they were planned."""
    turns: dict[int, Any] = {}
    for row in rows:
        if row.purpose in _OVERTAKES and row.clock_id is not None:
            known = turns.get(row.clock_id)
            turns[row.clock_id] = row if known is None or row.id > known.id else known
    return {
        row.id
        for row in rows
        if (turn := turns.get(row.clock_id)) is not None
        and row.id < turn.id
        and row.purpose in _OVERTAKES[Purpose(turn.purpose)]
    }


def _for_a_thread(rows: Sequence[Any]) -> Group:
    newest_clock = max((row.clock_id for row in rows if row.clock_id is not None), default=None)
    superseded = _overtaken(rows) | {
        row.id for row in rows if row.clock_id != newest_clock and row.purpose != Purpose.UPDATE
    }
    left = [row for row in rows if row.id not in superseded]
    purposes = {Purpose(row.purpose) for row in left}
    leading = next((purpose for purpose in _LEADING if purpose in purposes), Purpose(left[0].purpose))
    together = {leading, Purpose.UPDATE} | ({Purpose.ALERT} if leading == Purpose.REOPENED else set())
    return Group(leading, tuple(row.id for row in left if row.purpose in together), tuple(sorted(superseded)))


def facts_in_order(rows: Sequence[Any], facts: Mapping[int, ThreadFacts]) -> tuple[ThreadFacts, ...]:
    """Return the facts of the rows' clocks, each once, nearest deadline first."""
    clocks = dict.fromkeys(row.clock_id for row in rows if row.clock_id in facts)
    return tuple(sorted((facts[clock] for clock in clocks), key=lambda item: (item.deadline_at, item.clock_id)))


def is_grouped(channel: Channel) -> bool:
    """Return whether one phone gets one message for many threads by this channel."""
    return channel in GROUPED_CHANNELS

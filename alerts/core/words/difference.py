"""That Amazon's figure and ours differ, in words: both figures, what that means, and what is likely behind it."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alerts.core.words.catalog import Words
from alerts.core.words.content import read_instant

_DUST = 1e-9
_COUNTED = {"copies_undecided": "undecided", "copies_in_junk": "junk", "waived_here": "waived", "marked_here": "marked"}


def difference_lines(words: Words, difference: Mapping[str, Any], now: datetime) -> list[str]:
    """Return the lines of `content.figure_differs`, the figures first.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    amazon, ours = float(difference["amazon"]), float(difference["ours"])
    shown = {"amazon": words.percent(_floor(amazon)), "ours": words.percent(_floor(ours))}
    figures = words.say("difference", days=difference["days"], **shown)
    return [figures, *meaning_lines(words, difference, now)]


def meaning_lines(words: Words, difference: Mapping[str, Any], now: datetime) -> list[str]:
    """Return what the difference means and its likely causes, the first one first, without the figures."""
    fewer_replies = float(difference["ours"]) < float(difference["amazon"])
    lines = [words.say("difference_replies" if fewer_replies else "difference_messages")]
    for place, cause in enumerate(difference["causes"]):
        text = _cause(words, str(cause), difference, now)
        lines.append(words.say("difference_or" if place else "difference_likely", cause=text))
    return lines


def _floor(share: float) -> float:
    """Return a share of success rounded down to a tenth of a percent, as the report does: never better than it is."""
    return math.floor(share * 1000 + _DUST) / 1000


def _cause(words: Words, cause: str, difference: Mapping[str, Any], now: datetime) -> str:
    key = f"difference_{cause}"
    if cause in _COUNTED:
        return words.count(key, int(difference.get(_COUNTED[cause]) or 0))
    at = read_instant(difference.get("copies_last_at"))
    # A month may be shortened with a full stop, and the sentence ends with one.
    return words.say(key, at="?" if at is None else words.on_day(at, now)).replace("..", ".")

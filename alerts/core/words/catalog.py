"""The words of one language and time zone: plurals, spans of time, instants, names of marketplaces.

Spans of time left are rounded down (never promise a minute that is not there); time taken is rounded up, so that "answered
after 22 h 54 min, 1 h 06 min to spare" adds up.
"""

import importlib
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from alerts.core.words.languages import Table

LANGUAGES: Final = ("en", "fr", "de", "es", "it")
_MINUTE = timedelta(minutes=1)
_WEEKDAY_WITHIN = timedelta(days=6)  # further away a weekday alone would be ambiguous
_TERRITORIES: Final = {"UK": "GB"}  # Amazon's code -> ISO 3166
# The order number stands in running text; what controls text direction or ends a line would let it forge other words.
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})


@dataclass(frozen=True, slots=True)
class Words:
    """One language's words. `zone` is where the reader is: instants are shown as its local time."""

    language: str
    zone: ZoneInfo
    table: Table

    def say(self, key: str, /, **values: object) -> str:
        """Return the text of this key with its values put in.

        Raises:
            LookupError, ValueError: the key or a placeholder of the translation is broken.
        """
        entry = self.table[key]
        if not isinstance(entry, str):
            raise ValueError(f"{self.language}: {key!r} counts something. Use `count`.")
        return entry.format(**values)

    def count(self, key: str, number: int, /, **values: object) -> str:
        """Return the text of this key in the plural form that `number` takes.

        Source: Unicode CLDR plural rules: 0 is singular in French, plural in the other four.
        """
        entry = self.table[key]
        if isinstance(entry, str):
            raise ValueError(f"{self.language}: {key!r} has no plural. Use `say`.")
        one = number in (0, 1) if self.language == "fr" else number == 1
        return entry[0 if one else 1].format(n=number, **values)

    def span(self, length: timedelta, *, up: bool = False) -> str:
        """Return "1 h 32 min"; from two days on "2 d 3 h". Rounded down to the minute, or up."""
        minutes = _minutes(length, up=up)
        if minutes < 1:
            return self.say("under_minute")
        hours, minutes = divmod(minutes, 60)
        if hours >= 48:
            return f"{hours // 24} {self.say('unit_day')} {hours % 24} h"
        return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"

    def short_span(self, length: timedelta, *, up: bool = False) -> str:
        """Return "1h32", "12min" or "2d3h": for a phone."""
        minutes = _minutes(length, up=up)
        hours, minutes = divmod(minutes, 60)
        if hours >= 48:
            return f"{hours // 24}{self.say('unit_day')}{hours % 24}h"
        return f"{hours}h{minutes:02d}" if hours else f"{minutes}min"

    def spoken_span(self, length: timedelta) -> str:
        """Return "1 hour 32 minutes": for a voice."""
        minutes = _minutes(length)
        hours, minutes = divmod(minutes, 60)
        if hours >= 48:
            return f"{self.count('days_spoken', hours // 24)} {self.count('hours_spoken', hours % 24)}"
        parts = [self.count("hours_spoken", hours)] if hours else []
        if minutes or not hours:
            parts.append(self.count("minutes_spoken", minutes))
        return " ".join(parts)

    def instant(self, at: datetime, now: datetime) -> str:
        """Return local time: "04:10" today, "Sat 04:10" within six days, else "Sat 21 Nov 04:10"."""
        from babel.dates import format_datetime  # late: its data is read once, when something is said

        local, here = at.astimezone(self.zone), now.astimezone(self.zone)
        if local.date() == here.date():
            return f"{local:%H:%M}"
        far = "EEE d. MMM HH:mm" if self.language == "de" else "EEE d MMM HH:mm"
        pattern = "EEE HH:mm" if abs(at - now) < _WEEKDAY_WITHIN else far
        return str(format_datetime(local, pattern, locale=self.language))

    def weekday_instant(self, at: datetime) -> str:
        """Return local time with its weekday, today or not: "Sat 21:14"."""
        from babel.dates import format_datetime

        return str(format_datetime(at.astimezone(self.zone), "EEE HH:mm", locale=self.language))

    def day(self, at: datetime) -> str:
        """Return the local day in full: "Monday, November 23, 2026"."""
        from babel.dates import format_date

        return str(format_date(at.astimezone(self.zone).date(), "full", locale=self.language))

    def on_day(self, at: datetime, now: datetime) -> str:
        """Return the local day in short: "Mon 23 Nov", with its year where that is another than today's."""
        return self.short_date(at.astimezone(self.zone).date(), now.astimezone(self.zone).date())

    def short_date(self, day: date, today: date) -> str:
        """Return "Mon 23 Nov", with the year where that is another than today's."""
        from babel.dates import format_date

        pattern = "EEE d. MMM" if self.language == "de" else "EEE d MMM"
        return str(format_date(day, pattern if day.year == today.year else f"{pattern} y", locale=self.language))

    def percent(self, share: float) -> str:
        """Return "96.4 %" in the language's own notation."""
        from babel.numbers import format_decimal

        return f"{format_decimal(round(share * 100, 1), '0.0', locale=self.language)} %"

    def market(self, code: str | None) -> str:
        """Return the marketplace's country: "France"; the code itself where the language has no name for it."""
        if not code:
            return self.say("unknown_market")
        return _country(self.language, code)

    def label(self, name: str) -> str:
        """Return a label in the reader's language; one of the seller's own stays as he named it."""
        entry = self.table.get(f"label_{name}")
        return entry if isinstance(entry, str) else clean(name.replace("_", " "), 40)


def words_for(language: str, time_zone: str) -> Words:
    """Return the words of a language ("fr"; English for one we do not have) and an IANA time zone (else UTC)."""
    known = language if language in LANGUAGES else "en"
    return Words(known, _zone(time_zone), table_of(known))


def table_of(language: str) -> Table:
    """Return a language's own table."""
    module = importlib.import_module(f"alerts.core.words.languages.{language}")
    table: Table = module.WORDS
    return table


def clean(text: str, limit: int = 80) -> str:
    """Return text from outside made fit for one line: no line ends, no direction marks, no zero-width signs, cut at `limit`."""
    shown = "".join(" " if unicodedata.category(char) in _HIDDEN_CATEGORIES else char for char in text)
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _minutes(length: timedelta, *, up: bool = False) -> int:
    whole, rest = divmod(max(length, timedelta(0)), _MINUTE)
    return whole + (1 if up and rest else 0)


@lru_cache(maxsize=256)
def _country(language: str, code: str) -> str:
    from babel import Locale

    names = Locale.parse(language).territories
    return str(names.get(_TERRITORIES.get(code, code), clean(code, 12)))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # a wrong zone was refused at start-up; a text still has to go out
        return ZoneInfo("UTC")

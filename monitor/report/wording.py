"""Words, numbers and dates of one language. Knows no report; the words themselves stand in `words/`."""

import math
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_interval, format_skeleton
from babel.lists import format_list
from babel.numbers import format_decimal

LANGUAGES = ("en", "fr", "de", "es", "it")
_LOCALES = {"en": "en_GB"}  # times of 24 hours, the day before the month
_TERRITORIES = {"UK": "GB"}  # Amazon's own code -> ISO 3166
_DUST = 1e-9  # floating point: 0.9 * 1000 may come out a hair below 900


class Wording:
    """The words of one language, and how it writes numbers, dates and lists."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        """Load the words; instants are shown in `zone`.

        Raises:
            ValueError: there are no words in this language.
        """
        if language not in LANGUAGES:
            raise ValueError(f"language {language!r}: there are words in {', '.join(LANGUAGES)}")
        self.language, self.zone = language, zone
        self._words: dict[str, str] = import_module(f"monitor.report.words.{language}").WORDS
        self._locale = Locale.parse(_LOCALES.get(language, language))

    def say(self, key: str, **values: object) -> str:
        """Return the words of this key with the values filled in."""
        return self._words[key].format(**values)

    def count(self, key: str, n: int, **values: object) -> str:
        """Return the words of this key in the plural form that `n` asks for; `{n}` is the number."""
        form = "one" if self._locale.plural_form(n) == "one" else "other"
        return self._words[f"{key}.{form}"].format(n=self.number(n), **values)

    def labelled(self, key: str, text: str) -> str:
        """Return the words of this key with a colon, and the text behind it."""
        return f"{self.say(key)}{self.say('colon')} {text}"

    def join(self, parts: Iterable[str]) -> str:
        """Return the parts with semicolons between them."""
        return f"{self.say('semicolon')} ".join(parts)

    def number(self, n: float) -> str:
        """Return a whole number with the language's thousands."""
        return format_decimal(round(n), locale=self._locale)

    def percent(self, ratio: float | None, *, up: bool = False) -> str:
        """Return a ratio (0 to 1) in percent with at most one decimal, a dash for None.

        Rounded down (a response rate never looks better than it is: 89.96 % is not 90 %), or up for rates of failure.
        """
        if ratio is None:
            return "–"
        tenths = math.ceil(ratio * 1000 - _DUST) if up else math.floor(ratio * 1000 + _DUST)
        return f"{format_decimal(tenths / 10, format='0.#', locale=self._locale)}\u00a0%"

    def duration(self, length: timedelta | float | None) -> str:
        """Return a length (a float is seconds) as `3 h 12 min`, from two days on in days and hours; a dash for None."""
        if length is None:
            return "–"
        seconds = length.total_seconds() if isinstance(length, timedelta) else length
        minutes = round(seconds / 60)
        if seconds and not minutes:
            return f"{round(seconds)}\u00a0s"
        hours, minutes = divmod(minutes, 60)
        if hours >= 48:
            days, hours = divmod(hours, 24)
            return "\u00a0".join([f"{days}", self.say("days_short")] + ([f"{hours}", "h"] if hours else []))
        if not hours:
            return f"{minutes}\u00a0min"
        return f"{hours}\u00a0h" + (f"\u00a0{minutes:02d}\u00a0min" if minutes else "")

    def short_duration(self, seconds: float | None) -> str:
        """Return a length for a narrow table cell: `3 h 12`, `35 min`; a dash for None."""
        return self.duration(seconds).replace("\u00a0min", "") if (seconds or 0) >= 3600 else self.duration(seconds)

    def time(self, instant: datetime) -> str:
        """Return the local time of day: `14:12`."""
        return instant.astimezone(self.zone).strftime("%H:%M")

    def day_time(self, instant: datetime) -> str:
        """Return weekday and local time: `Sat 14:12`."""
        return format_datetime(instant, "EEE HH:mm", tzinfo=self.zone, locale=self._locale)

    def date_time(self, instant: datetime) -> str:
        """Return weekday, date and local time: `Sat 21 Nov 14:12`."""
        return f"{format_skeleton('MMMEd', instant, tzinfo=self.zone, locale=self._locale)} {self.time(instant)}"

    def day(self, day: date) -> str:
        """Return a date in the medium form: `16 Nov 2026`."""
        return format_date(day, "medium", locale=self._locale)

    def days(self, first: date, last: date) -> str:
        """Return a span of dates, both included: `16–22 Nov 2026`."""
        return str(format_interval(first, last, "yMMMd", locale=self._locale))

    def weekday(self, instant: datetime) -> str:
        """Return the local weekday in full, as it stands within a sentence."""
        return format_datetime(instant, "EEEE", tzinfo=self.zone, locale=self._locale)

    def weekday_names(self) -> list[str]:
        """Return the seven short names, Monday first."""
        names = self._locale.days["stand-alone"]["abbreviated"]
        return [str(names[day]) for day in range(7)]

    def weekday_in_full(self, day: int) -> str:
        """Return the full name of weekday 0 (Monday) to 6, as it stands within a sentence."""
        return str(self._locale.days["format"]["wide"][day])

    def market(self, code: str) -> str:
        """Return the country of a marketplace code: `France`; words for an unknown one, the code itself if it is none."""
        if code == "unknown":
            return self.say("unknown_market")
        return str(self._locale.territories.get(_TERRITORIES.get(code, code), code))

    def label(self, label: str) -> str:
        """Return a label as people read it; a seller's own label as it is."""
        return self._words.get(f"label.{label}", label.replace("_", " "))

    def listing(self, items: Iterable[str]) -> str:
        """Return the items as a list within a sentence: `a, b and c`."""
        return format_list(list(items), locale=self._locale)

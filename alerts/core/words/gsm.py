"""The GSM-7 alphabet: what fits into one SMS segment without turning it into UCS-2 (160 signs to 70)."""

import unicodedata
from functools import lru_cache
from typing import Final

from gsm0338 import Codec

SEGMENT: Final = 160  # septets; 3GPP TS 23.038. Signs of the extension table take two
_CODEC: Final = Codec()
# What typographic programs put where GSM-7 has a plain sign.
_PLAIN: Final = {
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...",
    "·": "-", "•": "-", "→": "->", "↗": "", "ç": "Ç", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L", "×": "x", "−": "-",
}  # fmt: skip


@lru_cache(maxsize=4096)
def _septets(char: str) -> int:
    """Return 1 or 2, or 0 for a sign outside the alphabet."""
    try:
        return len(_CODEC.encode(char)[0])
    except UnicodeError:
        return 0


def septets(text: str) -> int:
    """Return the length of a text in septets.

    Raises:
        ValueError: a sign is outside GSM-7.
    """
    total = 0
    for char in text:
        length = _septets(char)
        if not length:
            raise ValueError(f"sms: U+{ord(char):04X} is outside GSM-7. Pass the text through `to_gsm7` first.")
        total += length
    return total


def fits(text: str) -> bool:
    """Return whether a GSM-7 text is one segment."""
    return septets(text) <= SEGMENT


def to_gsm7(text: str) -> str:
    """Return text in GSM-7: an accent it lacks is dropped, a space of any kind is a space, anything else becomes "?"."""
    return "".join(_to_gsm7(char) for char in text)


def cut(text: str, limit: int = SEGMENT) -> str:
    """Return a GSM-7 text cut to `limit` septets, with ".." where something is missing."""
    if septets(text) <= limit:
        return text
    end, used = 0, 0
    while used + _septets(text[end]) <= limit - 2:  # ends: the whole text is longer than the limit
        used += _septets(text[end])
        end += 1
    return text[:end].rstrip() + ".."


@lru_cache(maxsize=4096)
def _to_gsm7(char: str) -> str:
    if char != "\x1b" and _septets(char):
        return char
    if char in _PLAIN:
        return _PLAIN[char]
    category = unicodedata.category(char)
    if category.startswith("Z"):
        return " "
    if category.startswith(("C", "M")) or category == "So":
        return ""  # direction marks, joiners, emoji
    plain = "".join(part for part in unicodedata.normalize("NFKD", char) if _septets(part) and part != "\x1b")
    return plain or "?"

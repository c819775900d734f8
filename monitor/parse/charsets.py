"""Bytes to text when the charset may be unknown, wrong or hostile.

Owns the choice of codec. Must never raise: what cannot be read is replaced, and said.
"""

import codecs
import re
from functools import lru_cache

_SANE = re.compile(r"[a-z0-9._:+-]{1,40}", re.IGNORECASE)
_NOT_CHARSETS = frozenset(
    {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "palmos"}
)
"""Text codecs of Python that are no charset of a mail; some take quadratic time."""

_BETTER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "ascii": "utf-8", "iso8859-1": "cp1252"}
"""What programs mean when they write the name on the left."""


@lru_cache(maxsize=256)
def codec_for(charset: str) -> str | None:
    """Return Python's codec for a mail's charset, None for an unknown one."""
    name = charset.strip().strip("\"'").lower()
    if not name:
        return "utf-8"
    if not _SANE.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name)
        if not found._is_text_encoding or found.name.replace("-", "_") in _NOT_CHARSETS:
            return None
    except (LookupError, ValueError, UnicodeError):
        return None
    return _BETTER.get(found.name, found.name)


def decode_bytes(data: bytes, charset: str = "") -> tuple[str, str]:
    """Return the text and what was wrong with its charset ("" when nothing was)."""
    codec = codec_for(charset)
    if codec is not None:
        try:
            return data.decode(codec), ""
        except (UnicodeError, ValueError):
            pass
    problem = f"unknown charset {charset[:40]!r}" if codec is None else f"bytes that are not {codec}"
    if not charset and codec == "utf-8":
        problem = "bytes without a charset"
    try:
        return data.decode("utf-8"), problem
    except UnicodeDecodeError:
        if codec is None or codec == "utf-8":
            return _guess(data), problem
        return data.decode(codec, "replace"), problem


def _guess(data: bytes) -> str:
    """Return UTF-8 with its few broken bytes replaced, or, where hardly a letter is, the codec of old programs."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    sound = sum(not letter.isascii() for letter in text) - broken
    return text if sound >= broken else data.decode("cp1252", "replace")

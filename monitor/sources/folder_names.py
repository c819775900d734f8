"""IMAP folder names: modified UTF-7 on the wire, plain text for people and config.toml.

Source: RFC 3501, section 5.1.3. Python has UTF-7 but not IMAP's variant of it.
"""

import base64
import binascii
import re

_UNPRINTABLE = re.compile("[^\x20-\x7e]+")
_SHIFTED = re.compile(rb"&([^-]*)-")


def encode_folder_name(name: str) -> bytes:
    """Return a folder name in modified UTF-7: `Entwürfe` is `Entw&APw-rfe`."""
    return _UNPRINTABLE.sub(_shift, name.replace("&", "&-")).encode("ascii")


def _shift(match: re.Match[str]) -> str:
    encoded = base64.b64encode(match[0].encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{encoded.rstrip('=').replace('/', ',')}-"


def decode_folder_name(name: bytes) -> str:
    """Return a folder name as people read it; a name that is not modified UTF-7 is read as UTF-8, loosely."""
    try:
        return _decode(name)
    except (binascii.Error, UnicodeDecodeError):
        return name.decode("utf-8", "replace")


def _decode(name: bytes) -> str:
    text, end = [], 0
    for match in _SHIFTED.finditer(name):
        text.append(name[end : match.start()].decode("ascii"))
        text.append(_unshift(match[1]))
        end = match.end()
    text.append(name[end:].decode("ascii"))
    return "".join(text)


def _unshift(encoded: bytes) -> str:
    if not encoded:
        return "&"
    padded = encoded.replace(b",", b"/") + b"=" * (-len(encoded) % 4)
    return base64.b64decode(padded, validate=True).decode("utf-16-be")


def quote_folder_name(name: bytes) -> bytes:
    """Return a wire name as an IMAP quoted string."""
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'

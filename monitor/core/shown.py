"""Text from outside made harmless for a terminal and a log: what would act becomes visible instead."""

import re

_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters (terminal commands among them), direction marks and overrides, line ends other than a line feed, and
halves of characters, which no terminal and no file in UTF-8 takes."""


def show(text: str, *, lines: bool = False) -> str:
    r"""Return text in which nothing acts: an escape character stands there as `\x1b`.

    Args:
        lines: keep line feeds; otherwise they become `\n`, so that no text can pretend to be a line of its own.
    """
    shown = _ACTS.sub(_escaped, text)
    return shown if lines else shown.replace("\n", "\\n")


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

"""Compares what was recognised with what a case expects."""

from collections import Counter
from typing import Any

from monitor.core.messages import Message, Where
from monitor.parse import RecognitionContext, parse_message
from monitor.parse.explain import rfc3339
from tests.corpus.generate import AUTHSERV, Case

CONTEXT = RecognitionContext(authserv_ids=frozenset({AUTHSERV}))
CONFUSION: Counter[tuple[str, str, str]] = Counter()
"""(set, expected kind, kind found): printed at the end of the test run."""


def recognise(case: Case, context: RecognitionContext = CONTEXT) -> Message:
    """Return the message of a case, read as a file is."""
    return parse_message(case.content, internaldate=None, where=Where(case.where), context=context)


def differences(case: Case, message: Message) -> dict[str, tuple[Any, Any]]:
    """Return per field what was wanted and what was found, where they differ."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, wanted in case.expected.items():
        if name == "has_label":
            if wanted not in message.labels:
                found[name] = (wanted, message.labels)
            continue
        got = getattr(message, name)
        if name in ("received_at", "refused_at") and got is not None:
            got = rfc3339(got)
        got = list(got) if isinstance(got, tuple) else got
        if got != wanted:
            found[name] = (wanted, got)
    return found


def confusion_table() -> list[str]:
    """Return the lines of the confusion table, one block for each set of mails."""
    lines: list[str] = []
    for group in sorted({key[0] for key in CONFUSION}):
        cells = {(wanted, got): count for (name, wanted, got), count in CONFUSION.items() if name == group}
        kinds = sorted({kind for pair in cells for kind in pair})
        width = max(len(kind) for kind in kinds)
        lines.append(f"{group}: {sum(cells.values())} mails (rows: expected, columns: found)")
        lines.append(" " * (width + 2) + "  ".join(f"{kind:>{max(6, len(kind))}}" for kind in kinds))
        for wanted in kinds:
            row = "  ".join(f"{cells.get((wanted, got), 0) or '·':>{max(6, len(got))}}" for got in kinds)
            lines.append(f"{wanted:<{width}}  {row}")
    return lines

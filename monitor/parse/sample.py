"""`replyby sample`: which templates the mailboxes hold, counted, with nothing personal in it.

Owns what may be shown: sender domains, type tokens, kinds, and delimiter lines that several mails share. A line seen in few
mails may be a buyer's; it is left out, and digits are masked in the others.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from monitor.core.delimiters import delimiter_labels
from monitor.core.domains import domain_of, is_amazon_domain, looks_like_amazon
from monitor.core.messages import Kind, Where
from monitor.parse.context import NO_CONTEXT, RecognitionContext
from monitor.parse.headers import parse_headers, split_mail
from monitor.parse.html import html_to_text
from monitor.parse.message import parse_message
from monitor.parse.mime import read_body

SEEN_AT_LEAST = 3
"""Mails that must share a delimiter line before it is shown."""

LONGEST_LINE = 40
_DIGIT = re.compile(r"\d")
_TOKEN = re.compile(r"[A-Z0-9_]{3,60}")


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """Mails of one shape. `sender_domain` is "(other)" for whoever is not Amazon; `delimiters` is "" where none is shown."""

    sender_domain: str
    type_token: str
    kind: str
    delimiters: str
    mails: int


def sample_mails(
    mails: Iterable[tuple[bytes, Where]], context: RecognitionContext = NO_CONTEXT
) -> tuple[TemplateCount, ...]:
    """Return the shapes found, most frequent first. Takes mails one by one and keeps none."""
    shapes: Counter[tuple[str, str, str, str]] = Counter()
    lines: Counter[str] = Counter()
    for content, where in mails:
        message = parse_message(content, internaldate=None, where=where, context=context)
        if message.kind is Kind.UNRELATED:
            continue
        pair = _delimiters(content) if message.kind in (Kind.BUYER_MESSAGE, Kind.CONFIRMATION_COPY, Kind.NOTICE) else ""
        if pair:
            lines[pair] += 1
        shapes[(_shown_domain(message.sender), _shown_token(content), message.kind.value, pair)] += 1
    shown: Counter[tuple[str, str, str, str]] = Counter()
    for (domain, token, kind, pair), count in shapes.items():
        shown[(domain, token, kind, pair if lines[pair] >= SEEN_AT_LEAST else "")] += count
    return tuple(
        TemplateCount(*shape, mails=count)
        for shape, count in sorted(shown.items(), key=lambda item: (-item[1], item[0]))
    )


def sample_json(counts: Iterable[TemplateCount]) -> list[dict[str, Any]]:
    """Return what `sample --json` prints."""
    return [
        {
            "sender_domain": count.sender_domain,
            "type": count.type_token or None,
            "kind": count.kind,
            "delimiters": count.delimiters or None,
            "mails": count.mails,
        }
        for count in counts
    ]


def render_sample(counts: Iterable[TemplateCount]) -> str:
    """Return the table for a terminal or a report to the project."""
    rows = [
        ("MAILS", "SENDER", "TYPE", "KIND", "DELIMITERS"),
        *((str(c.mails), c.sender_domain, c.type_token or "–", c.kind, c.delimiters or "–") for c in counts),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    )


def _shown_domain(sender: str | None) -> str:
    domain = domain_of(sender or "")
    if is_amazon_domain(domain) or domain.startswith("marketplace.amazon."):
        return domain
    return "(look-alike)" if looks_like_amazon(domain) else "(other)"


def _shown_token(content: bytes) -> str:
    token = parse_headers(split_mail(content)[0]).get("x-space-notification-type").strip()
    return token if _TOKEN.fullmatch(token) else ""


def _delimiters(content: bytes) -> str:
    block, start = split_mail(content)
    body = read_body(content, parse_headers(block), start)
    for text in (*body.plain, *(html_to_text(markup) for markup in body.markup)):
        labels = delimiter_labels(text)
        if len(labels) >= 2:
            first, last = labels[0], labels[-1]
            if len(first) <= LONGEST_LINE and len(last) <= LONGEST_LINE:
                return _DIGIT.sub("#", f"{first} … {last}")
    return ""

"""What could not be delivered: bounces of mail servers, and Amazon's notice that a buyer opted out.

Owns what such a mail names. Whether it undoes a reply is the threads' work.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from monitor.core.domains import domain_of, is_daemon, is_relay_alias, is_relay_domain, split_alias
from monitor.parse.dates import EARLIEST, parse_date
from monitor.parse.headers import Headers, decode_words, message_ids
from monitor.parse.mime import Body

_ADDRESS = re.compile(r"[A-Za-z0-9._+=-]{1,80}@[A-Za-z0-9.-]{3,80}[A-Za-z0-9]")
_RECIPIENT = re.compile(
    r"^(?:Final|Original)-Recipient:[^;\n]{0,40};\s*<?([^\s>]{3,250})", re.IGNORECASE | re.MULTILINE
)
_ACTION = re.compile(r"^Action:\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(r"\n\s*\n")
_HARMLESS = frozenset({"delayed", "delivered", "relayed", "expanded"})
_MESSAGE_ID = re.compile(r"Message-ID:\s*<([^<>\s]{3,300})>", re.IGNORECASE)
_DATE_LINE = re.compile(r"^Date:[ \t]*([^\n]{10,80})$", re.IGNORECASE | re.MULTILINE)
_MAILTO = re.compile(r"mailto:([A-Za-z0-9._+-]{1,80}@[A-Za-z0-9.-]{3,80})", re.IGNORECASE)
_BRACKETED_ORDER = re.compile(r"[(\[（［【][^()\[\]]{0,30}?(\d{3}-\d{7}-\d{7})\s{0,5}[)\]）］】]")
_ISO = re.compile(r"(?<!\d)(20\d\d)[-/.年]\s?(\d{1,2})[-/.月]\s?(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](20\d\d)(?!\d)")
_NAMED = re.compile(r"(?<!\d)(\d{1,2})(?:[.]|er|º)?\s+(?:de\s+|d')?([^\W\d_]{3,12})\.?\s+(?:de\s+)?(20\d\d)(?!\d)")
_NAMED_FIRST = re.compile(r"([^\W\d_]{3,12})\.?\s+(\d{1,2}),?\s+(20\d\d)(?!\d)")
_TIME_IN_UTC = re.compile(
    r"\s{0,3}[^\d\n]{0,12}(\d{1,2})[:.h](\d\d)(?:[:.](\d\d))?\s?(AM|PM)?\s{0,2}\(?(?:UTC|GMT|Z)\b(?!\s?[+-])",
    re.IGNORECASE,
)

_MONTHS = {
    "en": "january february march april may june july august september october november december",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "januar februar märz april mai juni juli august september oktober november dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "sv": "januari februari mars april maj juni juli augusti september oktober november december",
    "tr": "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a report or an opt-out notice names. `names` holds relay recipients, else Message-IDs."""

    names: tuple[str, ...] = ()
    alias: str | None = None
    order_id: str | None = None
    refused_at: datetime | None = None
    message_ids: tuple[str, ...] = ()
    delayed: bool = False


def is_report(headers: Headers, body: Body, senders: Iterable[str]) -> bool:
    """Return whether a mail server reports about another mail. A receipt, which says that one was read, is no report."""
    if "disposition-notification" in headers.get("content-type").lower():
        return False
    if body.is_report or "x-failed-recipients" in headers or body.status:
        return True
    if any(is_daemon(address) for address in senders):
        return True
    return headers.get("return-path").replace(" ", "") == "<>" and bool(body.original)


def read_report(headers: Headers, body: Body) -> Refusal:
    """Return what a mail server's report names: nothing where it is about somebody other than a buyer."""
    status = "\n\n".join(body.status)
    harmless = _is_harmless(_actions(status))
    lost, spared = _recipients(status, harmless)
    lost += [found.address for found in headers.addresses("x-failed-recipients") if found.address not in spared]
    originals = [*body.original, *(inner for inner, _ in body.attached)]
    text = "\n".join(body.plain)[:100_000]
    if not lost and not spared:
        # No field says whom it is about: whoever the mail went to, else the aliases that the words name.
        lost = [found.address for mail in originals for name in ("to", "cc") for found in mail.addresses(name)]
        lost = lost or [found.lower() for found in _ADDRESS.findall(text) if is_relay_domain(domain_of(found.lower()))]
    refused = [address for address in lost if is_relay_alias(address)]
    relays = tuple(dict.fromkeys(refused or filter(is_relay_alias, spared)))
    if not relays and lost:
        # A relay on the way may put an address of its own for the alias. What went to nobody else is about the alias.
        meant = [found.address for mail in originals for name in ("to", "cc") for found in mail.addresses(name)]
        if meant and all(map(is_relay_alias, meant)):
            relays, refused = tuple(dict.fromkeys(meant)), meant
    if not relays and (lost or spared):
        return Refusal()
    ids: list[str] = []
    sent_at: datetime | None = None
    subject = ""
    for original in originals:
        ids += message_ids(original.get("message-id"))
        sent_at = sent_at or parse_date(original.get("date"))
        subject = subject or decode_words(original.get("subject"))
    if not ids:
        ids = _MESSAGE_ID.findall(text)
    if sent_at is None:
        dated = _DATE_LINE.search(text)
        sent_at = parse_date(dated[1]) if dated else None
    return Refusal(
        names=relays or tuple(ids),
        alias=split_alias(relays[0])[0] if relays else None,
        order_id=_first_order(subject) or _first_order(headers.text("subject")) or _first_order(text),
        refused_at=sent_at,
        message_ids=tuple(dict.fromkeys(ids)),
        delayed=harmless or bool(relays and not refused),
    )


def _recipients(status: str, harmless: bool) -> tuple[list[str], list[str]]:
    """Return whom a mail did not reach, and whom it reached or may still reach: each by the Action of its own block.

    `harmless`: what holds for a block without any.
    """
    lost: list[str] = []
    spared: list[str] = []
    for block in _BLANK_LINE.split(status):
        actions = _actions(block)
        reached = _is_harmless(actions) if actions else harmless
        (spared if reached else lost).extend(found.lower() for found in _RECIPIENT.findall(block) if "@" in found)
    return lost, spared


def _actions(status: str) -> set[str]:
    return {action.lower() for action in _ACTION.findall(status)}


def _is_harmless(actions: set[str]) -> bool:
    return bool(actions) and actions <= _HARMLESS


def read_opt_out(source: str, text: str, subject: str, received: datetime, tld: str = "") -> Refusal:
    """Return what Amazon's opt-out notice names: alias, order, and when the refused message was sent.

    Args:
        source: the HTML as written: the alias stands in a mailto.
        text: the same as text.
        received: aware; the refused message is not younger.
        tld: of the marketplace, where one is known apart from the alias: in the US the month comes first.
    """
    alias = next((found.lower() for found in _MAILTO.findall(source) if is_relay_alias(found.lower())), None)
    if alias is None:
        alias = next((found.lower() for found in _ADDRESS.findall(text) if is_relay_alias(found.lower())), None)
    bracketed = _BRACKETED_ORDER.search(text)
    order = _first_order(subject) or (bracketed[1] if bracketed else None) or _first_order(text)
    bare = split_alias(alias)[0] if alias else None
    month_first = (domain_of(bare).removeprefix("marketplace.amazon.") if bare else tld) in ("com", "ca")
    return Refusal((bare,) if bare else (), bare, order, find_date(text, received, month_first))


def has_opt_out_shape(source: str, text: str) -> bool:
    """Return whether HTML names an alias in a mailto and an order in brackets, as opt-out notices do."""
    named = any(is_relay_alias(found.lower()) for found in _MAILTO.findall(source))
    return named and _BRACKETED_ORDER.search(text) is not None


def _first_order(text: str) -> str | None:
    match = re.search(r"(?<![\w-])\d{3}-\d{7}-\d{7}(?![\w-])", text)
    return match[0] if match else None


@cache
def _month_numbers() -> dict[str, int]:
    numbers: dict[str, int] = {}
    for names in _MONTHS.values():
        for number, name in enumerate(names.split(), start=1):
            numbers.setdefault(name, number)
            numbers.setdefault(name[:3], number)
            numbers.setdefault(name[:4], number)
    return numbers


def find_date(text: str, received: datetime, month_first: bool = False) -> datetime | None:
    """Return the first date in a text that is not after `received`, in whatever way it is written; aware UTC.

    With the time of day where that stands right behind it in UTC. Any other time is in a zone that nobody knows: then, as
    without one, midnight stands for the whole day.
    """
    latest = received + timedelta(days=1)
    for year, month, day, end in _dates(text[:20_000], month_first):
        try:
            found = datetime(year, month, day, tzinfo=UTC)
        except ValueError:
            continue
        if not EARLIEST <= found <= latest:
            continue
        time = _TIME_IN_UTC.match(text, end)
        if time is not None:
            hour, minute, second = int(time[1]), int(time[2]), int(time[3] or 0)
            if time[4]:
                hour = hour % 12 + (12 if time[4].upper() == "PM" else 0)
            if hour < 24 and minute < 60 and second < 60:
                exact = found.replace(hour=hour, minute=minute, second=second)
                return exact if exact <= latest else found
        return found
    return None


def _dates(text: str, month_first: bool) -> list[tuple[int, int, int, int]]:
    found: list[tuple[int, int, int, int, int]] = []
    for match in _ISO.finditer(text):
        end = match.end() + (1 if text[match.end() : match.end() + 1] == "日" else 0)
        found.append((match.start(), int(match[1]), int(match[2]), int(match[3]), end))
    for match in _NUMERIC.finditer(text):
        first, second = int(match[1]), int(match[2])
        slashed = "/" in match[0]
        day, month = (second, first) if (month_first and slashed and first <= 12) or second > 12 else (first, second)
        found.append((match.start(), int(match[3]), month, day, match.end()))
    months = _month_numbers()
    for match in _NAMED.finditer(text):
        number = months.get(match[2].lower()) or months.get(match[2].lower()[:3])
        if number:
            found.append((match.start(), int(match[3]), number, int(match[1]), match.end()))
    for match in _NAMED_FIRST.finditer(text):
        number = months.get(match[1].lower()) or months.get(match[1].lower()[:3])
        if number:
            found.append((match.start(), int(match[3]), number, int(match[2]), match.end()))
    return [entry[1:] for entry in sorted(found)]

"""ReplyBy's own contact card (vCard 3.0, which every phone takes): saved and starred, it rings through the night mode."""

from collections.abc import Iterable
from typing import Final

from alerts.core.words.catalog import clean

FILE_NAME: Final = "replyby.vcf"


def render_contact_card(numbers: Iterable[str], name: str = "ReplyBy") -> str:
    """Return a vCard with every number that alerts come from; names that cannot be called are left out.

    Raises:
        ValueError: no number is left.
    """
    phones = list(dict.fromkeys(number for number in numbers if number.startswith("+") and number[1:].isdecimal()))
    if not phones:
        raise ValueError("contact card: no number to put on it. Set `from` in [twilio] to a number.")
    shown = clean(name, 40).replace("\\", "").replace(";", " ").replace(",", " ")
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{shown};;;;",
        f"FN:{shown}",
        f"ORG:{shown}",
        *(f"TEL;TYPE=CELL:{phone}" for phone in phones),
        "NOTE:Alerts about replies that fall due. Let this contact through at night.",
        "END:VCARD",
    ]
    return "\r\n".join(lines) + "\r\n"  # RFC 2426 wants CRLF

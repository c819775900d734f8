"""What threads are made of: mails reduced to facts, and what persons said of them.

Identifiers are opaque keyed hashes, so that a thread can be resolved again after the alias and the order number themselves
were erased.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.core.messages import Authenticity, Kind


class Route(StrEnum):
    """How a reply was seen."""

    MAIL = "mail"
    SELLER_CENTRAL = "seller_central"
    HAND = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One stored mail, reduced to what threads are made of. Hashes are of one account's values or of addresses.

    Attributes:
        id: the store's row; key: the mail's own identity, the same however often it is stored: breaks ties.
        accounts: whose it is; a reply in a Sent folder that serves several accounts may have several.
        references: hashes of Message-IDs that a reply cites or a delivery failure names.
        refused_at: when the message that was not delivered went out; midnight UTC where only the day is known.
        trusted: may stop a clock (a mail in Sent, a proven copy).
        spoken_for: a person said that this mail belongs to the thread of that buyer message (its id).
    """

    id: int
    key: int
    kind: Kind
    received_at: datetime
    accounts: tuple[str, ...]
    marketplace: str | None = None
    alias: int | None = None
    suffix: int | None = None
    order: int | None = None
    token: int | None = None
    name: int | None = None
    message: int | None = None
    references: tuple[int, ...] = ()
    refused_at: datetime | None = None
    trusted: bool = True
    authenticity: Authenticity = Authenticity.UNKNOWN
    excluded: bool = False
    spoken_for: int | None = None


class MarkKind(StrEnum):
    """What a person says of a thread."""

    ANSWERED = "answered"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A person's word on the thread that holds the buyer message `message_id`; covers what was received until `at`."""

    id: int
    kind: MarkKind
    message_id: int
    at: datetime
    by: str

"""What recognition may know beyond the mail itself. Everything has a default: `replyby explain` works with none of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from monitor.core.labels import LabelRule

DkimKeys: TypeAlias = Callable[[str, str], bytes | None]
"""Given selector and domain, returns the TXT record of the DKIM key, None where there is none or it cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionContext:
    """The part of the configuration that touches recognition.

    Attributes:
        authserv_ids: whose Authentication-Results are believed, lower-case; None or empty: nobody's.
        own_addresses: the seller's addresses, lower-case (notified_at and reply_from of the accounts).
        own_domains: domains of theirs where nobody else has an address, lower-case.
        recipients_known: it is known where Amazon writes to (notified_at): among the own addresses.
        label_rules: words of one's own, beyond those that come with ReplyBy.
        dkim_keys: where keys come from, for mailboxes that hold no verdicts; None: signatures are not checked.
        want_text: False leaves `buyer_text` and `language` out of the result; labels and digest are made anyway.
    """

    authserv_ids: frozenset[str] | None = None
    own_addresses: frozenset[str] = frozenset()
    own_domains: frozenset[str] = frozenset()
    recipients_known: bool = False
    label_rules: tuple[LabelRule, ...] = ()
    dkim_keys: DkimKeys | None = None
    want_text: bool = True


NO_CONTEXT = RecognitionContext()

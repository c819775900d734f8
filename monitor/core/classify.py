"""What kind of mail it is, and the signals that said so. Structure decides; words in any language never do.

Owns the order of the signals. Must not parse: it is told what stands in the headers, in the links and in the structure.

The border between `suspicious` and an unverified buyer message: a mail whose *From domain* only looks like Amazon's is
suspicious whatever it carries, and so is a type header under a foreign From with nothing of Amazon's behind it. A foreign
From that is no imitation (a colleague's forward, a redirect that rewrote From) with genuine Amazon links, or with the
buyer's alias in Reply-To, stays a buyer message: starting a clock needs no proof.
"""

from dataclasses import dataclass
from enum import StrEnum

from monitor.core.domains import (
    domain_of,
    is_amazon_domain,
    is_daemon,
    is_relay_alias,
    is_relay_domain,
    looks_like_amazon,
)
from monitor.core.links import NO_LINKS, AmazonLinks
from monitor.core.messages import Kind, Message, Signal, Where

BUYER_TYPE = "BBC_MESSAGE_SENT_TO_MERCHANT"
COPY_TYPE = "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"
OPT_OUT_TYPE = "BUYER_OPTED_OUT_BSM_MESSAGES"

KIND_OF_TYPE: dict[str, Kind] = {
    BUYER_TYPE: Kind.BUYER_MESSAGE,
    COPY_TYPE: Kind.CONFIRMATION_COPY,
    OPT_OUT_TYPE: Kind.DELIVERY_FAILURE,
    "RETURN_REQUEST": Kind.NOTICE,
    "REFUND_ISSUED": Kind.NOTICE,
    "BRC_SELLER_NOTIFICATION": Kind.NOTICE,
    "A_Z_CLAIM_RESPONDENT_NOTIFY": Kind.NOTICE,
    "A_Z_CLAIM_RESPONDENT_CLOSE": Kind.NOTICE,
}

LABEL_OF_TYPE: dict[str, str] = {
    "RETURN_REQUEST": "return",
    "REFUND_ISSUED": "refund",
    "BRC_SELLER_NOTIFICATION": "cancellation",
    "A_Z_CLAIM_RESPONDENT_NOTIFY": "claim_threat",
    "A_Z_CLAIM_RESPONDENT_CLOSE": "claim_threat",
}
"""What a notice is about. An A-to-z claim is more than a threat and carries the most urgent label."""


NOTICE_SENDERS = frozenset(
    [
        "atoz-guarantee-no-reply", "cb-seller-notification", "fba-noreply", "fba-ship-confirm", "order-update",
        "payments-messages", "seller-guarantee", "seller-notification", "store-news",
    ]
)  # fmt: skip
"""Local parts at Amazon from which nothing but notices comes: what they send without a type is no new template."""


class SignalName(StrEnum):
    """Every name that stands in `signals`. Closed: dashboards and scripts may rely on it."""

    TYPE_HEADER = "type_header"
    RELAY_SENDER = "relay_sender"
    RELAY_REPLY_TO = "relay_reply_to"
    TYPE_IN_LINK = "type_in_link"
    SIGNED_LINK = "signed_link"
    REPORT_LINK = "report_link"
    AMAZON_SENDER = "amazon_sender"
    CONFIRMATION_SHAPE = "confirmation_shape"
    SENT_TO_RELAY = "sent_to_relay"
    AUTOMATIC = "automatic"
    DELIVERY_REPORT = "delivery_report"
    OPT_OUT_SHAPE = "opt_out_shape"
    FORWARDED_MAIL = "forwarded_mail"
    RELAY_DEFAULT = "relay_default"
    LOOK_ALIKE = "look_alike"
    OWN_MAIL = "own_mail"
    NOTHING_OF_AMAZON = "nothing_of_amazon"


SIGNAL_MEANINGS: dict[SignalName, str] = {
    SignalName.TYPE_HEADER: "X-Space-Notification-Type, under an Amazon From",
    SignalName.RELAY_SENDER: "From a buyer's alias on marketplace.amazon.<tld>",
    SignalName.RELAY_REPLY_TO: "the alias in Reply-To or X-Original-From, where a redirect rewrote From",
    SignalName.TYPE_IN_LINK: "Amazon's type token in a link on an Amazon host",
    SignalName.SIGNED_LINK: "the signed no-response-needed link on Seller Central",
    SignalName.REPORT_LINK: "the link that reports a message, on an Amazon host",
    SignalName.AMAZON_SENDER: "From amazon.<tld> or another domain of Amazon's",
    SignalName.CONFIRMATION_SHAPE: "donotreply@amazon, Amazon.<tld> as name, [commMgrTok:, two dashed lines, no signed link",
    SignalName.SENT_TO_RELAY: "addressed to a buyer's alias; only in Sent is it a reply",
    SignalName.AUTOMATIC: "Auto-Submitted, X-Autoreply or Precedence says that a machine wrote",
    SignalName.DELIVERY_REPORT: "a mail server's report that names a relay recipient or a Message-ID",
    SignalName.OPT_OUT_SHAPE: "auto-communication@amazon naming an alias and an order in brackets",
    SignalName.FORWARDED_MAIL: "the mail attached to this one decided",
    SignalName.RELAY_DEFAULT: "a relay sender and nothing else understood: taken for a buyer",
    SignalName.LOOK_ALIKE: "a domain that pretends to be Amazon's, or a type header without Amazon behind it",
    SignalName.OWN_MAIL: "sent by ReplyBy itself",
    SignalName.NOTHING_OF_AMAZON: "no signal at all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a mail shows. Addresses and domains are lower-case.

    Attributes:
        senders: all From addresses; more than one is already odd.
        stand_ins: Reply-To, X-Original-From and Sender addresses: they count where From is nobody's at Amazon.
        relay_recipients: aliases among To, Cc and Bcc.
        type_header: X-Space-Notification-Type, "" when missing.
        links: what Amazon's links say.
        confirmation_shape: the four marks of a copy were found.
        opt_out_shape: the marks of an opt-out notice were found.
        automatic: a header says that a machine wrote.
        report: the mail is a mail server's report about a mail that could not be delivered.
        report_names: relay recipients or Message-IDs that the report names.
        report_delayed: the report says that the mail is late, not lost.
        from_replyby: the mail carries ReplyBy's own mark.
    """

    where: Where
    senders: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    relay_recipients: tuple[str, ...] = ()
    own_addresses: frozenset[str] = frozenset()
    type_header: str = ""
    links: AmazonLinks = NO_LINKS
    confirmation_shape: bool = False
    opt_out_shape: bool = False
    automatic: bool = False
    report: bool = False
    report_names: tuple[str, ...] = ()
    report_delayed: bool = False
    from_replyby: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The kind and why; `notice_type` is Amazon's token where one was found."""

    kind: Kind
    signals: tuple[Signal, ...]
    notice_type: str | None = None


def classify(evidence: Evidence) -> Decision:
    """Return the kind of a mail with the signals that decided, strongest first.

    A mail in Sent is a reply or nothing; elsewhere it never is one. Everything on a buyer's relay that is not understood
    is a buyer message: a false alarm costs less than a missed buyer.
    """
    relay = next((address for address in evidence.senders if is_relay_alias(address)), None)
    if evidence.where is Where.SENT and relay is None:
        return _classify_sent(evidence)
    if relay is None:
        foreign = not any(is_amazon_domain(domain_of(address)) for address in evidence.senders)
        if foreign:
            return _classify_foreign(evidence)
        return _classify_amazon(evidence)
    signals = _relay_signals(evidence, relay)
    kind, notice_type = _typed(evidence.type_header)
    if kind is None:
        kind = Kind.BUYER_MESSAGE
    return Decision(kind, tuple(signals), notice_type)


def is_new_template(message: Message) -> bool:
    """Return whether a notice is of no type that is known: a person should look at one. A report of a delay is none."""
    if message.kind is not Kind.NOTICE or message.notice_type in KIND_OF_TYPE:
        return False
    if message.notice_type is None and (message.sender or "").partition("@")[0] in NOTICE_SENDERS:
        return False
    return all(signal.name != SignalName.DELIVERY_REPORT for signal in message.signals)


def _typed(token: str) -> tuple[Kind | None, str | None]:
    """Return the kind of Amazon's token, None for a token nobody has published."""
    kind = KIND_OF_TYPE.get(token)
    return kind, token or None


def _relay_signals(evidence: Evidence, relay: str) -> list[Signal]:
    signals = _type_signal(evidence)
    local, _, domain = relay.rpartition("@")
    corroborated = bool(signals) or evidence.links.tells
    if corroborated or (10 <= len(local.partition("+")[0]) <= 24 and local.partition("+")[0].isalnum()):
        signals.append(Signal(SignalName.RELAY_SENDER, f"…@{domain}"))
        signals += _link_signals(evidence.links)
    else:
        signals.append(Signal(SignalName.RELAY_DEFAULT, f"…@{domain}"))
    return signals


def _type_signal(evidence: Evidence) -> list[Signal]:
    if not evidence.type_header:
        return []
    return [Signal(SignalName.TYPE_HEADER, f"X-Space-Notification-Type: {evidence.type_header}")]


def _link_signals(links: AmazonLinks) -> list[Signal]:
    signals = []
    if links.types:
        signals.append(Signal(SignalName.TYPE_IN_LINK, _strongest_type(links.types)))
    if links.signed:
        signals.append(Signal(SignalName.SIGNED_LINK, f"{'m=… ' if links.message_key else ''}on {links.signed_host}"))
    if links.report_host:
        signals.append(Signal(SignalName.REPORT_LINK, f"on {links.report_host}"))
    return signals


def _strongest_type(types: tuple[str, ...]) -> str:
    """Return the token that decides where links disagree: a buyer waits before anything else."""
    if BUYER_TYPE in types:
        return BUYER_TYPE
    return next((token for token in types if token in KIND_OF_TYPE), types[0])


def _classify_sent(evidence: Evidence) -> Decision:
    if not evidence.relay_recipients:
        return Decision(Kind.UNRELATED, (Signal(SignalName.NOTHING_OF_AMAZON, "in Sent, to nobody on a relay domain"),))
    to_relay = Signal(SignalName.SENT_TO_RELAY, f"…@{domain_of(evidence.relay_recipients[0])}")
    if evidence.automatic:
        return Decision(Kind.AUTO_REPLY, (to_relay, Signal(SignalName.AUTOMATIC)))
    return Decision(Kind.SELLER_REPLY, (to_relay,))


def _report(evidence: Evidence) -> Decision | None:
    if not evidence.report or not evidence.report_names:
        return None
    relays = [name for name in evidence.report_names if is_relay_domain(domain_of(name))]
    named = f"names …@{domain_of(relays[0])}" if relays else "names a Message-ID"
    if evidence.report_delayed:
        return Decision(Kind.NOTICE, (Signal(SignalName.DELIVERY_REPORT, f"delayed, {named}"),))
    return Decision(Kind.DELIVERY_FAILURE, (Signal(SignalName.DELIVERY_REPORT, named),))


def _classify_amazon(evidence: Evidence) -> Decision:
    """From Amazon, but not from a buyer's alias."""
    sender = next(address for address in evidence.senders if is_amazon_domain(domain_of(address)))
    from_amazon = Signal(SignalName.AMAZON_SENDER, sender)
    kind, header_type = _typed(evidence.type_header)
    if kind is not None:
        return Decision(kind, (*_type_signal(evidence), from_amazon, *_link_signals(evidence.links)), header_type)
    reported = _report(evidence)
    if reported is not None:
        return reported
    link_signals = _link_signals(evidence.links)
    link_type = _strongest_type(evidence.links.types) if evidence.links.types else ""
    kind, known = _typed(link_type)
    if kind is None and (evidence.links.signed or evidence.links.report_host):
        kind = Kind.BUYER_MESSAGE
    if kind is not None:
        return Decision(kind, (*link_signals, from_amazon), header_type or known)
    if is_daemon(sender) and evidence.relay_recipients and not evidence.report_delayed:
        return Decision(
            Kind.DELIVERY_FAILURE, (Signal(SignalName.DELIVERY_REPORT, "names a relay recipient"), from_amazon)
        )
    if evidence.confirmation_shape:
        return Decision(Kind.CONFIRMATION_COPY, (Signal(SignalName.CONFIRMATION_SHAPE), from_amazon), header_type)
    if evidence.opt_out_shape:
        return Decision(Kind.DELIVERY_FAILURE, (Signal(SignalName.OPT_OUT_SHAPE), from_amazon), header_type)
    return Decision(
        Kind.NOTICE, (*_type_signal(evidence), from_amazon, *link_signals), header_type or link_type or None
    )


def _classify_foreign(evidence: Evidence) -> Decision:
    """From somebody else: a forward, a redirect, a bounce, an imitation, or nothing to do with Amazon."""
    if evidence.from_replyby:
        return Decision(Kind.UNRELATED, (Signal(SignalName.OWN_MAIL),))
    imitation = _imitation(evidence)
    if imitation is not None:
        return Decision(Kind.SUSPICIOUS, (imitation, *_type_signal(evidence)))
    reported = _report(evidence)
    if reported is not None:
        return reported
    if evidence.relay_recipients and evidence.senders:
        # A reply seen outside Sent (a copy to oneself): it quotes the buyer's links, and is neither question nor answer.
        detail = f"…@{domain_of(evidence.relay_recipients[0])}, but not in Sent"
        return Decision(Kind.UNRELATED, (Signal(SignalName.SENT_TO_RELAY, detail),))
    stand_in = next((address for address in evidence.stand_ins if is_relay_alias(address)), None)
    links = evidence.links
    link_type = _strongest_type(links.types) if links.types else ""
    header_kind, header_type = _typed(evidence.type_header)
    genuine = stand_in is not None or links.tells or not evidence.senders or _amazon_stands_in(evidence)
    if evidence.type_header and genuine:
        kind = header_kind or Kind.BUYER_MESSAGE if stand_in or links.signed or links.report_host else header_kind
        signals = [*_type_signal(evidence), *_stand_in_signal(stand_in), *_link_signals(links)]
        return Decision(kind or Kind.NOTICE, tuple(signals), header_type)
    if evidence.type_header:
        domain = domain_of(evidence.senders[0]) if evidence.senders else ""
        return Decision(
            Kind.SUSPICIOUS, (Signal(SignalName.LOOK_ALIKE, f"type header under {domain}"), *_type_signal(evidence))
        )
    if links.fake_host and not links.tells:
        return Decision(Kind.SUSPICIOUS, (Signal(SignalName.LOOK_ALIKE, f"message link on {links.fake_host}"),))
    if stand_in is not None:
        signals = [*_stand_in_signal(stand_in), *_link_signals(links)]
        return Decision(Kind.BUYER_MESSAGE, tuple(signals), link_type or None)
    link_kind, token = _typed(link_type)
    if link_kind is None and (links.signed or links.report_host):
        link_kind = Kind.BUYER_MESSAGE
    if link_kind is not None or links.types:
        return Decision(link_kind or Kind.NOTICE, tuple(_link_signals(links)), token)
    return Decision(Kind.UNRELATED, (Signal(SignalName.NOTHING_OF_AMAZON),))


def _stand_in_signal(stand_in: str | None) -> list[Signal]:
    return [Signal(SignalName.RELAY_REPLY_TO, f"…@{domain_of(stand_in)}")] if stand_in else []


def _amazon_stands_in(evidence: Evidence) -> bool:
    return any(is_amazon_domain(domain_of(address)) for address in evidence.stand_ins)


def _imitation(evidence: Evidence) -> Signal | None:
    own = tuple(f".{domain_of(address)}" for address in evidence.own_addresses)
    for address in evidence.senders:
        domain = domain_of(address)
        if looks_like_amazon(domain) and not f".{domain}".endswith(own):
            return Signal(SignalName.LOOK_ALIKE, domain)
    return None

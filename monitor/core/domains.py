"""Whose domain it is: Amazon's, a buyer's relay, or one that only looks like it.

Owns the comparison of parsed domains. Must never search for "amazon" inside a name to believe it: only to distrust it.
Two strengths: `is_proof_domain` knows Amazon's domains by name and may stop a clock; `is_amazon_domain` and
`is_relay_domain` also accept country domains nobody has listed yet, because starting a clock needs no proof.
"""

import re
import unicodedata
from functools import lru_cache

from monitor.core.marketplaces import BY_TLD

KNOWN_TLDS = frozenset(BY_TLD) | {"cn", "com.cn", "jp", "at"}
"""What Amazon is known to hold behind "amazon."."""

OWNED_DOMAINS = frozenset(
    {"amazonpay.com", "amazonservices.com", "amazonsellerservices.com", "amazonaws.com", "aboutamazon.com"}
)
"""Amazon's, though not named amazon.<tld>. amazonses.com is not among them: anybody sends from there."""

_PROVIDER_WORDS = (
    "gmail googlemail outlook hotmail live msn yahoo ymail rocketmail icloud gmx aol protonmail proton tutanota zoho yandex "
    "naver hanmail daum docomo ezweb softbank"
)
_PUBLIC_PROVIDERS = frozenset(_PROVIDER_WORDS.split())
"""Known by their first label, whatever the country: yahoo.fr, hotmail.co.uk."""

_PUBLIC_WORDS = (
    "me.com mac.com mail.com email.com pm.me web.de t-online.de freenet.de posteo.de mailbox.org orange.fr free.fr wanadoo.fr "
    "laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it tiscali.it alice.it tin.it btinternet.com sky.com wp.pl o2.pl "
    "onet.pl interia.pl seznam.cz ziggo.nl kpnmail.nl telenet.be skynet.be telia.com mail.ru qq.com 163.com 126.com sina.com "
    "comcast.net verizon.net att.net uol.com.br bol.com.br terra.com.br rediffmail.com bigpond.com"
)
_PUBLIC_DOMAINS = frozenset(_PUBLIC_WORDS.split())

SYSTEM_LOCAL_PARTS = frozenset({"donotreply", "no-reply", "noreply", "do-not-reply", "bounces", "bounce"})
DAEMON_LOCAL_PARTS = frozenset({"mailer-daemon", "mail-daemon", "postmaster", "mailerdaemon"})

_COUNTRY_TLD = re.compile(r"(?:(?:com|co|org|net|or)\.)?[a-z]{2}|com")
_ANY_TLD = re.compile(r"(?:(?:com|co|org|net|or)\.)?[a-z]{2}|[a-z]{3,12}")
_TOKENS = re.compile(r"[a-z0-9]+")
_TAIL_WORDS = (
    "marketplace market marketplaces seller sellers sellercentral central support service services pay payments payment eu "
    "help mail email mails notification notifications order orders prime business buyer buyers customer customers "
    "account accounts security verify online shop store message messages messaging secure info team contact"
)
_TAILS = frozenset(_TAIL_WORDS.split()) | {tld.replace(".", "") for tld in KNOWN_TLDS}
_CONFUSABLE = str.maketrans(
    {
        "0": "o", "1": "l", "2": "z", "3": "e", "4": "a", "5": "s", "@": "a",
        "а": "a", "е": "e", "о": "o", "м": "m", "п": "n", "р": "p", "с": "c", "т": "t", "к": "k", "г": "r", "ӏ": "l", "і": "i",
        "α": "a", "ο": "o", "ν": "v", "ζ": "z", "μ": "m", "ɑ": "a", "ᴀ": "a", "ᴢ": "z", "ᴏ": "o", "ᴍ": "m", "ɴ": "n",
        "ո": "n", "օ": "o", "ı": "i", "ƶ": "z", "ᴡ": "w", "ѕ": "s", "ԛ": "q", "ᴠ": "v", "ϻ": "m", "ⲟ": "o", "ө": "o",
    }
)  # fmt: skip


def domain_of(address: str) -> str:
    """Return what stands behind the last @ of an address, "" when there is none."""
    return address.rpartition("@")[2] if "@" in address else ""


def is_public_domain(domain: str) -> bool:
    """Return whether anybody can have an address there: it tells nothing of who writes, or is written to."""
    return domain in _PUBLIC_DOMAINS or (domain.count(".") <= 2 and domain.partition(".")[0] in _PUBLIC_PROVIDERS)


@lru_cache(maxsize=4096)
def amazon_tld(domain: str) -> str | None:
    """Return what follows "amazon." in amazon.<tld> or a subdomain of it, None for everybody else's domains.

    Country domains that Amazon does not use yet are accepted ("cl", "com.co"); other endings are not: `amazon.shop`
    can be anybody's.
    """
    labels = domain.split(".")
    for index in range(len(labels) - 1):
        if labels[index] == "amazon":
            tld = ".".join(labels[index + 1 :])
            if tld in KNOWN_TLDS or _COUNTRY_TLD.fullmatch(tld):
                return tld
    return None


@lru_cache(maxsize=4096)
def is_amazon_domain(domain: str) -> bool:
    """Return whether the domain is amazon.<tld>, a subdomain of it, or another that Amazon owns."""
    return amazon_tld(domain) is not None or domain in OWNED_DOMAINS or domain.endswith(".amazonpay.com")


def is_proof_domain(domain: str) -> bool:
    """Return whether a signature by this domain proves that Amazon wrote: only names known to be Amazon's."""
    return amazon_tld(domain) in KNOWN_TLDS


@lru_cache(maxsize=1024)
def is_relay_domain(domain: str) -> bool:
    """Return whether buyers' aliases live there: marketplace.amazon.<tld>, also of a marketplace nobody knows yet."""
    if not domain.startswith("marketplace.amazon."):
        return False
    return _ANY_TLD.fullmatch(domain.removeprefix("marketplace.amazon.")) is not None


@lru_cache(maxsize=4096)
def is_relay_alias(address: str) -> bool:
    """Return whether the address is a buyer's alias: on a relay domain, and not one of Amazon's own names there."""
    local, _, domain = address.rpartition("@")
    return bool(local) and is_relay_domain(domain) and not is_system_local(local)


def is_system_local(local: str) -> bool:
    """Return whether the part before the @ is a machine's: no buyer has it."""
    plain = local.partition("+")[0]
    return plain in SYSTEM_LOCAL_PARTS or plain in DAEMON_LOCAL_PARTS


def is_daemon(address: str) -> bool:
    """Return whether a mail server itself writes from this address."""
    return address.rpartition("@")[0].partition("+")[0] in DAEMON_LOCAL_PARTS


def split_alias(address: str) -> tuple[str, str | None]:
    """Return the address without its `+suffix`, and the suffix."""
    local, _, domain = address.rpartition("@")
    name, plus, suffix = local.partition("+")
    return f"{name}@{domain}", suffix if plus and suffix else None


@lru_cache(maxsize=4096)
def looks_like_amazon(domain: str) -> bool:
    """Return whether the domain pretends to be Amazon's: named amazon among others' labels, or by letters alike.

    "amazonia.example" pretends nothing; "amazon-marketplace.example", "marketplace.amazon.fr.example.net",
    "arnazon.example" and a Cyrillic "аmazon" do.
    """
    if not domain or len(domain) > 255 or is_amazon_domain(domain) or is_relay_domain(domain):
        return False
    if domain == "amazonses.com" or domain.endswith((".amazonses.com", ".amazonaws.com")):
        return False
    labels = [_skeleton(label) for label in domain.split(".")]
    names = [token for label in labels for token in _TOKENS.findall(label)]
    if any(_pretends(name) for name in names):
        return True
    return ("marketplace" in names or "sellercentral" in names) and any(_one_edit_from_amazon(token) for token in names)


def _pretends(name: str) -> bool:
    head, found, tail = name.partition("amazon")
    if found and not head and not tail:
        return True
    return bool(found) and ((not head and tail in _TAILS) or (not tail and head in _TAILS))


def _skeleton(label: str) -> str:
    """Return the label as the eye reads it."""
    if label.startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode")
        except (UnicodeError, ValueError, OverflowError):
            return label
    folded = "".join(char for char in unicodedata.normalize("NFKD", label.lower()) if not unicodedata.combining(char))
    return folded.translate(_CONFUSABLE).replace("rn", "m").replace("nn", "m").replace("vv", "w")


def _one_edit_from_amazon(token: str) -> bool:
    target = "amazon"
    if abs(len(token) - len(target)) > 1:
        return False
    start = 0
    while start < min(len(token), len(target)) and token[start] == target[start]:
        start += 1
    rest, wanted = token[start:], target[start:]
    return rest[1:] == wanted or rest == wanted[1:] or rest[1:] == wanted[1:]

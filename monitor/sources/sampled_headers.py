"""What a sample of headers tells about a mailbox: whose verdicts it holds, who writes its replies, where Amazon writes to."""

import re
from collections import Counter
from collections.abc import Iterable
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr

from monitor.core.domains import domain_of, is_amazon_domain

SAMPLE_MAILS = 200
_COMMENT = re.compile(r"\([^()]*\)")
_PARSER = BytesHeaderParser(policy=compat32)


def count_authserv_ids(headers: Iterable[bytes]) -> tuple[tuple[str, float], ...]:
    """Return the authserv-ids of the topmost Authentication-Results with their share of all mails, largest first.

    Only the topmost header is the receiving server's own; whoever sent the mail may have written those below.
    """
    found: Counter[str] = Counter()
    mails = 0
    for block in headers:
        mails += 1
        verdict = _first(block, "Authentication-Results")
        words = _COMMENT.sub(" ", verdict.partition(";")[0]).split()
        if words:
            found[words[0].strip('"').lower()] += 1
    return tuple((name, count / mails) for name, count in found.most_common())


def count_senders(headers: Iterable[bytes]) -> tuple[str, ...]:
    """Return the From addresses in lower case, most frequent first."""
    senders = Counter(parseaddr(_first(block, "From"))[1].lower() for block in headers)
    return tuple(address for address, _ in senders.most_common(20) if "@" in address)


def count_recipients(headers: Iterable[bytes]) -> tuple[str, ...]:
    """Return the To addresses of Amazon's mails in lower case, most frequent first: those of a tenth of them, and of three.

    Anybody can send on a mail of Amazon's to somebody else; nobody makes up a tenth of a mailbox by that unnoticed.
    """
    found: Counter[str] = Counter()
    mails = 0
    for block in headers:
        if is_amazon_domain(domain_of(parseaddr(_first(block, "From"))[1].lower())):
            mails += 1
            found[parseaddr(_first(block, "To"))[1].lower()] += 1
    least = max(3, mails / 10)
    return tuple(address for address, count in found.most_common() if "@" in address and count >= least)


def _first(block: bytes, name: str) -> str:
    # Undecodable bytes make the parser hand out a Header object: its text is all that is needed.
    value = _PARSER.parsebytes(block).get(name, "")
    return re.sub(r"[\r\n]+\s*", " ", str(value))

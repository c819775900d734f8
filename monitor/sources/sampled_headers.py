"""What a sample of headers tells about a mailbox: whose verdicts it holds, and who writes its replies."""

import re
from collections import Counter
from collections.abc import Iterable
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parseaddr

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


def _first(block: bytes, name: str) -> str:
    # Undecodable bytes make the parser hand out a Header object: its text is all that is needed.
    value = _PARSER.parsebytes(block).get(name, "")
    return re.sub(r"[\r\n]+\s*", " ", str(value))

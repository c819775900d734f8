"""Bytes to Message: recognition of every mail, and what `replyby explain` and `replyby sample` show of it.

Owns reading of mails. Must not fetch a link, must not trust a header of a stranger, must not raise on any bytes.
"""

from monitor.parse.context import RecognitionContext
from monitor.parse.dates import received_at
from monitor.parse.message import parse_message
from monitor.parse.wants import wants_mail
from monitor.parse.wordlists import load_label_rules

__all__ = ["RecognitionContext", "load_label_rules", "parse_message", "received_at", "wants_mail"]

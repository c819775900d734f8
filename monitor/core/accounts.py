"""Which seller account a mail belongs to, where one mailbox serves several."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.messages import Kind, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIdentity:
    """What tells an account's mail: its merchant id in Amazon's links, else the addresses it is written to and from."""

    name: str
    merchant_id: str = ""
    notified_at: frozenset[str] = frozenset()
    reply_from: frozenset[str] = frozenset()


def accounts_of(message: Message, accounts: Sequence[AccountIdentity]) -> tuple[str, ...]:
    """Return whose mail this is: one account, or all that it may be where nothing tells them apart.

    A seller's reply stays ambiguous: its thread tells the account. A buyer message is settled where it is stored, by what
    the same buyer wrote before.

    Args:
        message: recognised.
        accounts: those that the mailbox serves, in the configuration's order; at least one.
    """
    if len(accounts) == 1:
        return (accounts[0].name,)
    if message.merchant_id:
        by_merchant = [one.name for one in accounts if one.merchant_id == message.merchant_id]
        if by_merchant:
            return (by_merchant[0],)
    if message.kind in (Kind.SELLER_REPLY, Kind.AUTO_REPLY):
        fitting = [one.name for one in accounts if message.sender in one.reply_from]
    else:
        written_to = set(message.recipients)
        fitting = [one.name for one in accounts if one.notified_at & written_to]
    return tuple(fitting) or tuple(one.name for one in accounts)

"""What recognition is told by the configuration. `explain` needs nothing else of it, and starts fast."""

from collections.abc import Iterable, Sequence

from monitor.config.model import AccountConfig, Config, MailboxConfig
from monitor.core.domains import domain_of, is_public_domain
from monitor.parse.context import RecognitionContext
from monitor.parse.dkim_keys import build_dkim_keys
from monitor.parse.wordlists import load_label_rules
from monitor.wallclock import utc_now


def own_domains(config: Config) -> frozenset[str]:
    """Return the domains of the seller's addresses; a provider's, where half the world writes from, is nobody's own."""
    return _domains_of(_own_addresses(config.accounts))


def _own_addresses(accounts: Sequence[AccountConfig]) -> frozenset[str]:
    return frozenset(address for account in accounts for address in (*account.notified_at, *account.reply_from))


def _domains_of(addresses: Iterable[str]) -> frozenset[str]:
    domains = {domain_of(address) for address in addresses}
    return frozenset(domain for domain in domains if not is_public_domain(domain))


def build_recognition_context(config: Config, mailbox: MailboxConfig | None, server: str) -> RecognitionContext:
    """Return what recognition is told: whose verdicts to believe, which addresses are one's own, further label words."""
    names = mailbox.accounts if mailbox is not None else tuple(account.name for account in config.accounts)
    accounts = [account for account in config.accounts if account.name in names]
    own = _own_addresses(accounts)
    # Without the receiving server's verdicts Amazon's own signature is the only proof of a confirmation copy.
    signatures = mailbox is not None and not server and any(account.require_proof for account in accounts)
    return RecognitionContext(
        authserv_ids=frozenset({server.lower()}) if server else None,
        own_addresses=own,
        own_domains=_domains_of(own),
        recipients_known=any(account.notified_at for account in accounts),
        label_rules=load_label_rules(config.labels),
        dkim_keys=build_dkim_keys(utc_now) if signatures else None,
    )

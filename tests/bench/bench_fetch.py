"""How many mails a second the IMAP source fetches from a real Dovecot on loopback.

    .venv/bin/python -m tests.bench.bench_fetch [MAILS] [--tls]

Prints the median of three first readings of a mailbox of mails of about 6 KB, and the process's peak memory.
"""

import os
import resource
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

from monitor.config.model import MailboxConfig
from monitor.sources.imap import ImapSource
from tests.fakes import wants_everything
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.ports import HOST

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LINE = b"A line of words that a buyer might have written about a parcel that did not arrive.\r\n"
MAIL = (
    b'From: "Ada - Amazon Marketplace" <a1b2c3d4e5f6g7h@marketplace.amazon.fr>\r\nTo: support@acme.example\r\n'
    b"Subject: Demande de renseignements (Commande : 402-1234567-%07d)\r\nMessage-ID: <%d@eu-west-1.example>\r\n"
    b"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Authentication-Results: mx.acme.example; dmarc=pass header.from=marketplace.amazon.fr\r\n\r\n"
)


def fill(server: Dovecot, mails: int) -> None:
    """Deliver so many mails, one second apart."""
    text = LINE * 66
    for number in range(mails):
        server.deliver(MAIL % (number, number) + text, NOW - timedelta(seconds=mails - number))


def measure(server: Dovecot, mails: int, tls: bool) -> float:
    """Return the mails a second of one first reading."""
    mailbox = MailboxConfig(
        name="bench",
        type="imap",
        accounts=("acme",),
        host="localhost" if tls else HOST,
        port=server.tls_port if tls else server.port,
        security="tls" if tls else "none",
        ca_file=str(server.ca_file) if tls else "",
        username=server.username,
        password=server.password,
    )
    source = ImapSource(mailbox, wants_everything)
    started = time.perf_counter()
    read = sum(len(batch.mails) for batch in source.fetch_new({}, NOW - timedelta(days=90)))
    seconds = time.perf_counter() - started
    source.close()
    if read != mails:
        raise SystemExit(f"read {read} of {mails} mails")
    return mails / seconds


def main() -> None:
    """Print the figures."""
    numbers = [argument for argument in sys.argv[1:] if argument.isdigit()]
    mails, tls = int(numbers[0]) if numbers else 20_000, "--tls" in sys.argv
    with running_dovecot() as server:
        fill(server, mails)
        measure(server, mails, tls)  # Dovecot builds its index once; a mailbox in use has one
        rates = [measure(server, mails, tls) for _ in range(3)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{mails} mails, {'TLS' if tls else 'plain'}, {os.cpu_count()} cores: {statistics.median(rates):,.0f} mails/s "
        f"({', '.join(f'{rate:,.0f}' for rate in rates)}), peak {peak} MiB"
    )


if __name__ == "__main__":
    main()

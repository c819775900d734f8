"""How fast a first run is: a mailbox of 20,000 mails on a real Dovecot, until threads and clocks stand in the database.

    .venv/bin/python -m tests.bench.bench_first_run [MAILS] [--talk] [--profile]

Prints mails a second of the worker's whole way, those of the limit in the same run, their ratio, and peak memory.

The mailbox is that of a seller who lets Amazon write to it: of ten mails one is a buyer message, one a reply in Sent, the
rest notices of orders, returns and payments; one in fifty has 60 KB of HTML, so that a mail has about 6 KB. With `--talk` it
holds little else than conversations: half buyer messages, a quarter replies.

The limit is the least that a program in Python has to do, with the fastest library for each step: the same mails fetched
whole in batches of 500 by imaplib, parsed by fast-mail-parser, their kind told by one header (or by lying in Sent), instant,
order and sender taken from the headers, and a row in `message`, for a buyer message one in `thread` and `sla_clock` too,
written by sqlite3 itself, in the same file layout: the same tables and indexes, WAL, synchronous=FULL. It merges no copies,
matches no replies, reads no words and no links, and finds no thread again. A second figure is that of a limit that writes
all three rows for each mail, as where every mail is a message.
"""

import cProfile
import imaplib
import os
import pstats
import random
import re
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from fast_mail_parser import PyMail, parse_email

from monitor.bootstrap import build_services
from monitor.config.loader import load_config
from monitor.jobs.intake import poll_mailbox
from monitor.jobs.services import Services
from monitor.store.engine import open_engine
from monitor.store.opening import open_store
from monitor.store.schema import metadata
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.mails import buyer_mail, return_notice, seller_reply
from tests.support.ports import HOST

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251  a benchmark runs on the wall clock
PADDING = "<p>Un texte de plus, pour la longueur : la lampe est bleue, le carton est grand.</p>\n" * 45
WORDS = "Bonjour,\n\nle colis devait arriver hier et je n'ai rien reçu. Pouvez-vous me dire où il est ?\n\nMerci"
ORDER = re.compile(r"\d{3}-\d{7}-\d{7}")
KINDS = {"BBC_MESSAGE_SENT_TO_MERCHANT": "buyer_message", "RETURN_REQUEST": "notice"}
MESSAGE = (
    "INSERT INTO message (id, kind, received_at, rfc_hash, order_hash, alias_hash, digest_hash, identity, thread_id,"
    " account, mailbox, place, seen_at, authenticity, trusted, target_seconds)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?1, ?1, 'bench', 'bench', 'inbox', ?3, 'unknown', 1, 86400)"
)
THREAD = "INSERT INTO thread (id, closed_at, order_hash, alias_hash, account, place) VALUES (?1, ?2, ?3, ?4, 'bench', 'inbox')"
CLOCK = (
    "INSERT INTO sla_clock (id, thread_id, start_message_id, started_at, deadline_at, closed_at, account, target_seconds,"
    " messages, first, verified, policy_id) VALUES (?1, ?2, ?1, ?3, ?3, ?3, 'bench', 86400, 1, 1, 1, 1)"
)
CONFIG = """
[worker]
database = "sqlite:///{folder}/bench.db"
[[mailbox]]
name = "bench"
type = "imap"
host = "{host}"
port = {port}
security = "none"
username = "{username}"
password = "{password}"
authserv_id = ""
[[receiver]]
name = "terminal"
type = "console"
"""


def fill(server: Dovecot, mails: int, *, talk: bool = False) -> None:
    """Deliver so many mails over 80 days: those of a seller's mailbox, or with `talk` mostly conversations."""
    rng = random.Random(7)
    asked, answered = (0.55, 0.8) if talk else (0.1, 0.2)
    for number in range(mails):
        at = NOW - timedelta(days=80) + timedelta(days=79) * number / mails
        order = f"402-{number // 2:07d}-{number // 2:07d}"
        alias = f"a{number // 2:014d}@marketplace.amazon.fr"
        share = rng.random()
        padding = PADDING * 15 if not talk and rng.random() < 0.02 else PADDING
        if share < asked:
            name = f"Zoé {number:x} Exemple"
            server.deliver(buyer_mail(at, order=order, alias=alias, words=WORDS, html=padding, name=name), at)
        elif share < answered:
            server.put_in_sent(seller_reply(at, order=order, alias=alias) + padding.encode(), at)
        else:
            server.deliver(return_notice(at, order=order) + padding.encode(), at)


def open_worker(server: Dovecot, folder: str) -> Services:
    """Return the worker's services on an empty database."""
    path = Path(folder) / "config.toml"
    path.write_text(
        CONFIG.format(folder=folder, host=HOST, port=server.port, username=server.username, password=server.password)
    )
    config = load_config(path, os.environ)
    return build_services(config, open_store(config), with_sources=True)


def measure_worker(server: Dovecot, mails: int, profile: cProfile.Profile | None = None) -> float:
    """Return mails a second from the first login to the last commit."""
    with tempfile.TemporaryDirectory() as folder:
        services = open_worker(server, folder)
        started = time.perf_counter()
        if profile is not None:
            profile.enable()
        result = poll_mailbox(services, "bench")
        if profile is not None:
            profile.disable()
        seconds = time.perf_counter() - started
        services.sources["bench"].close()
        services.engine.dispose()
        if sum(result.new.values()) != mails or result.failed:
            raise SystemExit(f"recorded {result}")
        return mails / seconds


def measure_limit(server: Dovecot, mails: int, *, three_rows: bool = False) -> float:
    """Return mails a second of the least that any program has to do; see the module."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "limit.db"
        engine = open_engine(f"sqlite:///{path}")
        metadata.create_all(engine)
        engine.dispose()
        database = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            database.execute(f"PRAGMA {pragma}")
        started = time.perf_counter()
        client = imaplib.IMAP4(HOST, server.port)
        client.login(server.username, server.password)
        done = 0
        for folder_name in ("INBOX", "Sent"):
            _, answer = client.select(folder_name, readonly=True)
            count = int(answer[0] or 0)
            for first in range(1, count + 1, 500):
                _, data = client.fetch(f"{first}:{min(first + 499, count)}", "(UID INTERNALDATE BODY.PEEK[])")
                rows = []
                for item in data:
                    if isinstance(item, tuple):
                        done += 1
                        rows.append(_limit_row(done, parse_email(item[1]), folder_name))
                database.execute("BEGIN IMMEDIATE")
                database.executemany(MESSAGE, rows)
                asked = [row for row in rows if three_rows or row[1] == "buyer_message"]
                database.executemany(THREAD, [(row[0], row[2], row[4], row[5]) for row in asked])
                database.executemany(CLOCK, [(row[0], row[0], row[2]) for row in asked])
                database.execute("COMMIT")
        client.logout()
        seconds = time.perf_counter() - started
        database.close()
    if done != mails:
        raise SystemExit(f"the limit read {done} of {mails} mails")
    return mails / seconds


def _limit_row(number: int, mail: PyMail, folder: str) -> tuple[int | str, ...]:
    """Return one mail's row: its kind by header or folder, its instant, its order and who wrote, as numbers."""
    headers = mail.headers
    kind = (
        "seller_reply"
        if folder == "Sent"
        else KINDS.get(str(headers.get("X-Space-Notification-Type", "")), "unrelated")
    )
    at = int(parsedate_to_datetime(str(headers["Date"])).timestamp() * 1e6)
    order = ORDER.search(mail.subject or "")
    sender = str(headers.get("To" if folder == "Sent" else "From", ""))
    rfc = str(headers.get("Message-ID", ""))
    return number, kind, at, hash(rfc), hash(order[0]) if order else 0, hash(sender), hash("".join(mail.text_plain))


def shares(profile: cProfile.Profile) -> str:
    """Return where the reading thread's time went, by a profile of it; the mails are fetched in another."""
    stats = pstats.Stats(profile).get_stats_profile()
    spent = {name: stats.func_profiles[name].cumtime for name in ("_recognise", "_record", "read_ahead")}
    whole = stats.func_profiles["poll_mailbox"].cumtime
    words = {"_recognise": "recognising", "_record": "writing and matching", "read_ahead": "waiting for mail"}
    told = [f"{words[name]} {seconds / whole:.0%}" for name, seconds in spent.items()]
    return f"{', '.join(told)}, commits and the rest {1 - sum(spent.values()) / whole:.0%}"


def main() -> None:
    """Print the figures."""
    numbers = [argument for argument in sys.argv[1:] if argument.isdigit()]
    mails = int(numbers[0]) if numbers else 20_000
    with running_dovecot() as server:
        talk = "--talk" in sys.argv
        fill(server, mails, talk=talk)
        measure_limit(server, mails)  # Dovecot builds its index once; a mailbox in use has one
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        runs = [
            (
                measure_worker(server, mails),
                measure_limit(server, mails),
                measure_limit(server, mails, three_rows=True),
            )
            for _ in range(3)
        ]
        if "--profile" in sys.argv:
            profile = cProfile.Profile()
            measure_worker(server, mails, profile)
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
            print(shares(profile))
    worker, limit, three = (statistics.median(values) for values in zip(*runs, strict=True))
    ratio = statistics.median(one / other for one, other, _ in runs)
    ratio_to_three = statistics.median(one / other for one, _, other in runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    what = " of conversations" if talk else ""
    print(
        f"{mails} mails{what}, {os.cpu_count()} cores: whole way {worker:,.0f} mails/s, limit {limit:,.0f} mails/s, "
        f"ratio {ratio:.2f}; three rows a mail {three:,.0f} mails/s, ratio {ratio_to_three:.2f}; "
        f"peak {peak} MiB ({before} before)"
    )


if __name__ == "__main__":
    main()

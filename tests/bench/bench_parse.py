"""How fast mails are recognised: `python -m tests.bench.bench_parse [--profile]`.

Prints CPU time per mail for usual 6 KB mails of each kind, for the mixture of a seller's mailbox, for `explain`, and beside
them the bare Rust parser on the same bytes, so that figures of different machines can be compared.
"""

import argparse
import cProfile
import gc
import pstats
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import fast_mail_parser

from monitor.core.messages import Where
from monitor.parse import RecognitionContext, parse_message, wants_mail
from monitor.parse.explain import explain_mail, explained_json
from monitor.parse.headers import split_mail
from tests.corpus.generate import (
    AUTHSERV,
    NOTICE_TYPES,
    buyer_message,
    confirmation_copy,
    make_facts,
    notice,
    seller_reply,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
CONTEXT = RecognitionContext(authserv_ids=frozenset({AUTHSERV}))
SIZE = 6_000


def padded(content: bytes) -> bytes:
    """Return the mail with its HTML filled up to the usual size with a style sheet, as Amazon's mails are."""
    missing = SIZE - len(content)
    marker = b"<head><style>" if b"<head><style>" in content else b"<html>"
    filler = b"td { padding: 0; margin: 0; font-family: Arial }\n" * max(0, missing // 48)
    return (
        content.replace(marker, b"<head><style>" + filler, 1)
        if marker == b"<head><style>"
        else content.replace(marker, b"<html><head><style>" + filler + b"</style></head>", 1)
    )


def mails(kind: str, count: int) -> list[tuple[bytes, Where]]:
    """Return invented mails of one kind, or the mixture (58 % buyer messages, 30 % notices, 4 % copies, 8 % replies)."""
    rng = random.Random(1)
    made: list[tuple[bytes, Where]] = []
    for _ in range(count):
        facts = make_facts(rng)
        chosen = kind if kind != "mixture" else rng.choices(("buyer", "notice", "copy", "reply"), (58, 30, 4, 8))[0]
        if chosen == "buyer":
            case = buyer_message(facts, rng, "both", "direct", "qp")
        elif chosen == "html":
            case = buyer_message(facts, rng, "html", "no_type", "qp")
        elif chosen == "notice":
            case = notice(facts, rng, rng.choice(NOTICE_TYPES))
        elif chosen == "copy":
            case = confirmation_copy(facts, rng, header=True)
        else:
            case = seller_reply(facts, rng)
        made.append((padded(case.content), Where(case.where)))
    return made


def microseconds(
    run: Callable[[tuple[bytes, Where]], object], items: list[tuple[bytes, Where]], rounds: int = 7
) -> float:
    """Return the best round's CPU time per mail."""
    best = float("inf")
    gc.disable()
    for _ in range(rounds):
        started = time.process_time()
        for item in items:
            run(item)
        best = min(best, (time.process_time() - started) / len(items))
        gc.collect()
    gc.enable()
    return best * 1e6


def recognise(item: tuple[bytes, Where]) -> object:
    """Recognise one mail as the worker does."""
    return parse_message(item[0], internaldate=NOW, where=item[1], context=CONTEXT)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    arguments = parser.parse_args()
    print(f"{'mails':<28} {'bytes':>6} {'us/mail':>8} {'mails/s':>8} {'Rust parser alone':>18}")
    for kind in ("buyer", "html", "notice", "copy", "reply", "mixture"):
        items = mails(kind, 500)
        for item in items[:50]:
            recognise(item)
        mine = microseconds(recognise, items)
        bare = microseconds(lambda item: fast_mail_parser.parse_email(item[0]), items)
        size = sum(len(content) for content, _ in items) // len(items)
        print(f"{kind:<28} {size:>6} {mine:>8.0f} {1e6 / mine:>8.0f} {bare:>15.0f} us")
    items = mails("mixture", 500)
    explaining = microseconds(lambda item: explained_json(explain_mail("x", item[0], CONTEXT)), items)
    print(f"{'explain --json, mixture':<28} {'':>6} {explaining:>8.0f}")
    heads = [(split_mail(content)[0], where) for content, where in items]
    print(f"{'wants_mail':<28} {'':>6} {microseconds(lambda item: wants_mail(*item), heads):>8.1f}")
    code = "import time; t = time.perf_counter(); import monitor.parse, monitor.parse.explain; print(time.perf_counter() - t)"
    started = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5))
    print(f"{'import monitor.parse':<28} {'':>6} {started * 1e3:>6.0f} ms")
    if arguments.profile:
        profile = cProfile.Profile()
        profile.enable()
        for item in items * 3:
            recognise(item)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()

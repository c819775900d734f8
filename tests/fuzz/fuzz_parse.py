"""Coverage-guided fuzzing of the recognition, by hand.

    pip install atheris && python tests/fuzz/fuzz_parse.py -max_total_time=180

Finds crashes (any exception) and hangs (`-timeout=5`). Starts from the corpus. Not part of the suite.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(include=["monitor"]):
    from monitor.core.messages import Kind, Where
    from monitor.parse import RecognitionContext, parse_message, wants_mail
    from monitor.parse.explain import explain_mail, explained_json, render_explained

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
CONTEXT = RecognitionContext(
    authserv_ids=frozenset({"mx.acme.example"}),
    own_addresses=frozenset({"support@acme.example"}),
    dkim_keys=lambda selector, domain: b"v=DKIM1; p=",
)
CORPUS = Path(__file__).parent.parent / "data" / "corpus"


def one_input(data: bytes) -> None:
    """Read one mail in every folder and hold it to what never may be broken."""
    for where in Where:
        message = parse_message(data, internaldate=NOW, where=where, context=CONTEXT)
        if message.received_at.tzinfo is None:
            raise AssertionError("naive instant")
        if where is not Where.SENT and message.kind in (Kind.SELLER_REPLY, Kind.AUTO_REPLY):
            raise AssertionError("a reply outside Sent")
        wants_mail(data, where)
    explained = explain_mail("-", data, CONTEXT)
    explained_json(explained)
    render_explained(explained)


if __name__ == "__main__":
    atheris.Setup([*sys.argv, str(CORPUS), "-timeout=5", "-max_len=20000"], one_input)
    atheris.Fuzz()

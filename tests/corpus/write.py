"""Writes the committed corpus: `python -m tests.corpus.write` fills tests/data/corpus and its expected.json.

The same seed writes the same bytes, so a change of the generator shows in the diff.
"""

import json
from pathlib import Path
from typing import Any

from tests.corpus.generate import Case, corpus
from tests.corpus.traps import traps

SEED = 20261120
GENERATED = 310
FOLDER = Path(__file__).parent.parent / "data" / "corpus"


def committed_cases() -> list[Case]:
    """Return the cases as the generator makes them now."""
    return [*corpus(SEED, GENERATED), *traps()]


def read_corpus() -> list[Case]:
    """Return the cases as they are committed."""
    expected: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
    return [
        Case(name, (FOLDER / f"{name}.eml").read_bytes(), item["where"], item["expected"])
        for name, item in expected.items()
    ]


def write_corpus(folder: Path = FOLDER) -> int:
    """Write every case and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.eml"):
        old.unlink()
    cases = committed_cases()
    for case in cases:
        (folder / f"{case.name}.eml").write_bytes(case.content)
    expected = {case.name: {"where": case.where, "expected": case.expected} for case in cases}
    text = (
        "{\n"
        + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in expected.items())
        + "\n}\n"
    )
    (folder / "expected.json").write_text(text, encoding="utf-8")
    return len(cases)


if __name__ == "__main__":
    print(f"{write_corpus()} mails written to {FOLDER}")

"""The committed corpus and mails nobody has seen: every kind right, every field right."""

import pytest

from monitor.core.messages import Kind
from tests.corpus.check import CONFUSION, differences, recognise
from tests.corpus.generate import Case, corpus
from tests.corpus.write import committed_cases, read_corpus

CASES = read_corpus()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_committed_mail_is_recognised(case: Case) -> None:
    message = recognise(case)
    CONFUSION[("committed corpus", case.expected["kind"], message.kind.value)] += 1
    assert differences(case, message) == {}, message.signals


def test_corpus_is_large_and_what_the_generator_writes() -> None:
    made = {case.name: case for case in committed_cases()}
    assert len(CASES) >= 300
    assert {case.name for case in CASES} == set(made)
    changed = [
        case.name
        for case in CASES
        if case.content != made[case.name].content or case.expected != made[case.name].expected
    ]
    assert changed == []


def test_corpus_covers_every_marketplace_and_kind() -> None:
    assert len({case.expected.get("marketplace") for case in CASES} - {None}) == 23
    assert {case.expected["kind"] for case in CASES} == {kind.value for kind in Kind}


@pytest.mark.parametrize("seed", range(4))
def test_fresh_mails_are_recognised(seed: int) -> None:
    wrong = {}
    for case in corpus(1_000 + seed, 150):
        message = recognise(case)
        CONFUSION[("fresh mails", case.expected["kind"], message.kind.value)] += 1
        if found := differences(case, message):
            wrong[case.name] = found
    assert wrong == {}


@pytest.mark.parametrize("seed", range(3))
def test_template_languages_never_seen_are_recognised(seed: int) -> None:
    wrong = {}
    for case in corpus(5_000 + seed, 150, held_out=True):
        message = recognise(case)
        CONFUSION[("unseen template languages", case.expected["kind"], message.kind.value)] += 1
        if found := differences(case, message):
            wrong[case.name] = found
    assert wrong == {}

"""What the store keeps is what resolution says, however the mails came: in any order, batch by batch, twice, killed between."""

import random
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from monitor.core.facts import MarkKind
from monitor.core.messages import Authenticity, Kind, Message, Signal
from monitor.core.sla import SlaPolicy
from monitor.core.threads import resolve_threads
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.clocks import SaveContext, resolve_and_save
from monitor.store.decisions import (
    find_threads,
    read_open_clock,
    record_mark_by_hand,
    record_match,
    record_not_a_message,
    revoke_last_mark,
)
from monitor.store.engine import open_engine, reading, writing
from monitor.store.identifiers import Hasher
from monitor.store.messages import Incoming, record_messages, settle_accounts
from monitor.store.migrate import prepare_database
from monitor.store.related import read_related
from monitor.store.schema import message, review, sla_clock, thread
from monitor.store.tallies import read_tallies
from tests.builders import at, make_message, spans

HASHER = Hasher(b"k" * 32)
NOW = at(100)
Clocks = set[tuple[frozenset[int], object, object, object]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    prepare_database(made)
    yield made
    made.dispose()


def context() -> SaveContext:
    return SaveContext(sla=SlaPolicy(), policy_for=lambda *_: "{}", first_started_at=at(-10_000), now=NOW)


def store(engine: Engine, mails: list[Message], accounts: tuple[str, ...] = ("acme",)) -> list[ClockChange]:
    incoming = [
        Incoming(
            message=mail,
            accounts=accounts,
            mailbox="support",
            trusted=mail.kind is not Kind.CONFIRMATION_COPY or mail.authenticity is Authenticity.PASSED,
        )
        for mail in mails
    ]
    with writing(engine) as connection:
        recorded = record_messages(connection, settle_accounts(connection, incoming, HASHER), HASHER, NOW)
        touched = {**recorded.changed, **recorded.new}
        return resolve_and_save(connection, touched, touched, context(), recorded.rows)


def kept_clocks(engine: Engine) -> Clocks:
    """Return the stored clocks with the identities of the buyer messages that they cover."""
    with reading(engine) as connection:
        rows = connection.execute(select(sla_clock)).all()
        questions = connection.execute(select(message).where(message.c.kind == "buyer_message")).all()
    found: Clocks = set()
    for row in rows:
        later = [one.started_at for one in rows if one.thread_id == row.thread_id and one.started_at > row.started_at]
        covered = {
            one.identity
            for one in questions
            if one.thread_id == row.thread_id
            and one.received_at >= row.started_at
            and not any(one.received_at >= other for other in later)
        }
        assert len(covered) == row.messages
        found.add((frozenset(covered), row.started_at, row.answered_at, row.waived_at))
    return found


def resolved_clocks(engine: Engine) -> Clocks:
    """Return what resolution says of all stored mails at once."""
    with reading(engine) as connection:
        ids = connection.execute(select(message.c.id)).scalars().all()
        related = read_related(connection, ids)
    facts = {stored.fact.id: stored.fact for stored in related.values()}
    return {
        (frozenset(facts[one].key for one in clock.message_ids), clock.started_at, clock.answered_at, clock.waived_at)
        for resolved in resolve_threads(facts.values()).threads
        for clock in resolved.clocks
    }


@st.composite
def mails(draw: st.DrawFn) -> list[Message]:
    """Mails of two buyers on two orders, with copies of the same message among them."""
    found: list[Message] = []
    kinds = (
        [Kind.BUYER_MESSAGE] * 5
        + [Kind.SELLER_REPLY] * 3
        + [Kind.CONFIRMATION_COPY, Kind.DELIVERY_FAILURE, Kind.AUTO_REPLY]
    )
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(kinds))
        buyer = draw(st.integers(1, 2))
        facts: dict[str, object] = {
            "alias": None if kind is Kind.CONFIRMATION_COPY else f"buyer{buyer}aaaaaaaaa@marketplace.amazon.fr",
            "order_id": draw(st.sampled_from([None, "402-0000001-0000001", "402-0000002-0000002"])),
            "message_id": f"{number}@mail.example",
            "buyer_name": f"Name{buyer}",
            "authenticity": Authenticity.PASSED,
            "text_digest": str(number),
        }
        if kind is Kind.BUYER_MESSAGE:
            facts |= {"message_key": f"m{number}", "thread_token": f"t{draw(st.integers(1, 2))}"}
        found.append(make_message(kind, draw(st.integers(0, 40)) + number / 100, **facts))
    copies = draw(st.lists(st.sampled_from(found), max_size=3))
    return found + copies


@given(mails(), st.randoms(use_true_random=False), st.integers(1, 5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_batches_and_copies_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, found: list[Message], rng: random.Random, size: int
) -> None:
    results = []
    for turn in range(2):
        made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('store') / f'{turn}.db'}")
        prepare_database(made)
        shuffled = list(found)
        if turn:
            rng.shuffle(shuffled)
        for start in range(0, len(shuffled), size):
            store(made, shuffled[start : start + size])
        assert kept_clocks(made) == resolved_clocks(made)
        results.append(kept_clocks(made))
        made.dispose()
    assert results[0] == results[1]


def test_clock_keeps_its_id_when_an_older_message_arrives_late(engine: Engine) -> None:
    store(engine, [make_message(hours=5)])
    with reading(engine) as connection:
        first = connection.execute(select(sla_clock.c.id, sla_clock.c.started_at)).one()
    store(engine, [make_message(hours=2)])
    with reading(engine) as connection:
        after = connection.execute(select(sla_clock.c.id, sla_clock.c.started_at)).one()
    assert (after.id, after.started_at) == (first.id, at(2))


def test_bounce_joins_two_clocks_into_the_first_and_reopens_it(engine: Engine) -> None:
    store(engine, [make_message(hours=0), make_message(Kind.SELLER_REPLY, 3, message_id="r@x"), make_message(hours=5)])
    store(engine, [make_message(Kind.DELIVERY_FAILURE, 6, references=("r@x",))])
    with reading(engine) as connection:
        rows = connection.execute(select(sla_clock)).all()
    assert [(row.started_at, row.closed_at, row.messages, row.reopened_count) for row in rows] == [(at(0), None, 2, 1)]


def test_id_of_a_clock_that_is_gone_is_never_used_again(engine: Engine) -> None:
    store(engine, [make_message(hours=0), make_message(Kind.SELLER_REPLY, 3, message_id="r@x"), make_message(hours=5)])
    with reading(engine) as connection:
        before = set(connection.execute(select(sla_clock.c.id)).scalars())
    store(engine, [make_message(Kind.DELIVERY_FAILURE, 6, references=("r@x",))])
    store(engine, [make_message(hours=7, order_id="402-0000009-0000009", alias="z@marketplace.amazon.fr")])
    with reading(engine) as connection:
        after = set(connection.execute(select(sla_clock.c.id)).scalars())
    assert after - before
    assert min(after - before) > max(before)


def test_mark_closes_and_its_revocation_lets_the_clock_run_on(engine: Engine) -> None:
    store(engine, [make_message(hours=0)])
    with writing(engine) as connection:
        clock = read_open_clock(connection, connection.execute(select(thread.c.id)).scalar_one())
        record_mark_by_hand(connection, MarkKind.WAIVED, clock, by="Ana", at=at(4), made_at=NOW, source="shell")
        resolve_and_save(connection, [clock.start_message_id], {}, context())
        assert read_open_clock(connection, clock.thread_id) is None
        revoke_last_mark(connection, clock.thread_id, [MarkKind.WAIVED], by="Ana", now=NOW)
        resolve_and_save(connection, [clock.start_message_id], {}, context())
        assert read_open_clock(connection, clock.thread_id).started_at == at(0)


def test_copy_merges_what_the_first_lacked(engine: Engine) -> None:
    first = make_message(hours=1, message_key="m", thread_token="t", order_id=None, authenticity=Authenticity.FAILED)
    better = make_message(hours=0.9, message_key="m", thread_token="t", authenticity=Authenticity.PASSED)
    store(engine, [first])
    store(engine, [better])
    with reading(engine) as connection:
        row = connection.execute(select(message)).one()
        kept = connection.execute(select(thread)).one()
    assert (row.received_at, row.authenticity) == (at(0.9), "passed")
    assert kept.order_id == "402-0000001-0000001"


def test_same_words_in_one_minute_are_two_messages_where_amazons_keys_differ(engine: Engine) -> None:
    store(engine, [make_message(hours=0, message_key=key, text_digest="same") for key in ("a", "b")])
    with reading(engine) as connection:
        assert connection.execute(select(sla_clock.c.messages)).scalar_one() == 2


def all_spans(engine: Engine) -> list[tuple[float, float | None]]:
    """Return the stored clocks as hours from T0, in order of their start."""
    with reading(engine) as connection:
        return spans(connection.execute(select(sla_clock).order_by(sla_clock.c.started_at)))


def test_copy_without_amazons_key_hides_it_from_no_later_copy(engine: Engine) -> None:
    bare = make_message(message_key=None, thread_token=None, text_digest="same")
    keyed = [make_message(message_key="m", thread_token="t", text_digest="same") for _ in range(2)]
    for mail in (bare, keyed[0], keyed[1], keyed[0]):
        store(engine, [mail])
    with reading(engine) as connection:
        assert connection.execute(select(sla_clock.c.messages)).scalar_one() == 1


def direct(hours: float, key: str, words: str, sign: str = "relay_sender") -> Message:
    return make_message(
        hours=hours,
        message_key=key,
        thread_token="t",
        text_digest=words,
        signals=(Signal(sign, "…@marketplace.amazon.fr"),),
    )


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (3, 0, 4, 2, 1), (4, 3, 2, 1, 0)], ids=str)
@pytest.mark.parametrize("words", ["other", "same"], ids=["words of its own", "only the quoted words were found"])
def test_answer_that_holds_the_key_of_what_it_quotes_is_a_message_of_its_own(
    engine: Engine, order: tuple[int, ...], words: str
) -> None:
    mails = [
        direct(0, "m", "same"),
        direct(0.00005, "m", "same"),
        make_message(Kind.SELLER_REPLY, 1),
        direct(5, "m", words),
        direct(5.00005, "m", words),
    ]
    for number in order:
        store(engine, [mails[number]])
    assert all_spans(engine) == [(0, 1), (5, None)]
    with reading(engine) as connection:
        assert sorted(connection.execute(select(sla_clock.c.messages)).scalars()) == [1, 1]


def test_answer_that_comes_soon_after_what_it_quotes_is_told_by_its_words(engine: Engine) -> None:
    mails = [direct(0, "m", "same"), make_message(Kind.SELLER_REPLY, 0.05), direct(0.1, "m", "other")]
    for mail in (*mails, direct(0.1001, "m", "other"), direct(0.0001, "m", "same")):
        store(engine, [mail])
    assert all_spans(engine) == [(0, 0.05), (0.1, None)]
    with reading(engine) as connection:
        assert sorted(connection.execute(select(sla_clock.c.messages)).scalars()) == [1, 1]


@pytest.mark.parametrize("hours", [(0.02, 0.0, 0.0002), (0.02, 0.0, 0.018)], ids=str)
def test_copies_whose_dates_cross_a_minute_are_one_message(engine: Engine, hours: tuple[float, ...]) -> None:
    for hour in hours:
        store(engine, [direct(hour, "m", "same")])
    with reading(engine) as connection:
        assert connection.execute(select(sla_clock.c.messages)).scalar_one() == 1


@pytest.mark.parametrize("sign", ["relay_reply_to", "signed_link"], ids=["redirected", "passed on"])
def test_what_was_passed_on_later_is_a_copy(engine: Engine, sign: str) -> None:
    store(engine, [direct(0, "m", "same"), make_message(Kind.SELLER_REPLY, 1)])
    store(engine, [direct(5, "m", "same", sign)])
    assert all_spans(engine) == [(0, 1)]


def test_keys_tell_messages_apart_that_have_no_thread_token(engine: Engine) -> None:
    store(engine, [make_message(message_key=key, thread_token=None, text_digest="same") for key in ("a", "b")])
    with reading(engine) as connection:
        assert connection.execute(select(sla_clock.c.messages)).scalar_one() == 2


def test_bounce_that_names_only_a_message_id_holds_when_the_buyer_writes_again(engine: Engine) -> None:
    for mail in (
        make_message(hours=0, order_id=None, thread_token="t"),
        make_message(Kind.SELLER_REPLY, 3, order_id=None, message_id="r@x"),
        make_message(Kind.DELIVERY_FAILURE, 3.1, alias=None, order_id=None, references=("r@x",)),
        make_message(hours=5, order_id=None, thread_token="t"),
    ):
        store(engine, [mail])
    assert all_spans(engine) == [(0, None)]
    assert kept_clocks(engine) == resolved_clocks(engine)


REPORTS: dict[str, dict[str, Any]] = {
    "that names an order": {"order_id": "402-0000009-0000009"},
    "whose clock is two hours behind": {"hours": 1.1, "order_id": None},
}


@pytest.mark.parametrize("named", REPORTS)
@pytest.mark.parametrize("report_first", [False, True], ids=["in order", "the report first"])
def test_bounce_of_a_reply_holds_when_the_buyer_writes_again(engine: Engine, named: str, report_first: bool) -> None:
    reply = make_message(Kind.SELLER_REPLY, 3, order_id=None, message_id="r@x")
    facts: dict[str, Any] = {"hours": 3.1, "alias": None, "references": ("r@x",), **REPORTS[named]}
    report = make_message(Kind.DELIVERY_FAILURE, **facts)
    store(engine, [make_message(hours=0, order_id=None, thread_token="t")])
    for mail in (report, reply) if report_first else (reply, report):
        store(engine, [mail])
    assert all_spans(engine) == [(0, None)]
    store(engine, [make_message(hours=5, order_id=None, thread_token="t")])
    assert all_spans(engine) == [(0, None)]
    assert kept_clocks(engine) == resolved_clocks(engine)


def test_reply_that_cited_a_question_still_answers_it_when_the_buyer_writes_again(engine: Engine) -> None:
    question = make_message(hours=0, alias=None, order_id=None, thread_token="t", message_id="q@x")
    store(engine, [question])
    store(engine, [make_message(Kind.SELLER_REPLY, 1, order_id=None, references=("q@x",))])
    store(engine, [make_message(hours=5, alias=None, order_id=None, thread_token="t")])
    assert all_spans(engine) == [(0, 1), (5, None)]


def test_bounce_of_an_automatic_reply_takes_no_genuine_one_back(engine: Engine) -> None:
    for mail in (
        make_message(hours=0),
        make_message(Kind.SELLER_REPLY, 5.99),
        make_message(hours=6),
        make_message(Kind.AUTO_REPLY, 6.01, message_id="auto@x"),
        make_message(Kind.SELLER_REPLY, 7),
        make_message(Kind.DELIVERY_FAILURE, 6.02, references=("auto@x",)),
    ):
        store(engine, [mail])
    assert all_spans(engine) == [(0, 5.99), (6, 7)]


def test_copy_that_a_person_matched_counts_when_the_buyer_writes_again(engine: Engine) -> None:
    store(engine, [make_message(hours=0, thread_token="t")])
    store(engine, [make_message(Kind.CONFIRMATION_COPY, 2, alias=None, order_id="402-0000009-0000009")])
    with writing(engine) as connection:
        copy = connection.execute(select(message.c.id).where(message.c.kind == "confirmation_copy")).scalar_one()
        thread_id = connection.execute(select(thread.c.id)).scalar_one()
        first = record_match(connection, copy, thread_id, by="Ana", now=at(3), source="shell")
        assert first is not None
        resolve_and_save(connection, [copy, first], {}, context())
    store(engine, [make_message(hours=5, thread_token="t")])
    assert all_spans(engine) == [(0, 2), (5, None)]


def test_copy_that_was_matched_to_the_wrong_thread_leaves_its_clock_running_when_that_is_corrected(
    engine: Engine,
) -> None:
    for number in (1, 2):
        order, alias = f"402-000000{number}-0000001", f"b{number}@x"
        store(engine, [make_message(hours=number, order_id=order, alias=alias, thread_token=f"t{number}")])
    store(
        engine, [make_message(Kind.CONFIRMATION_COPY, 3, alias=None, order_id=None, authenticity=Authenticity.UNKNOWN)]
    )
    with reading(engine) as connection:
        copy = connection.execute(select(message.c.id).where(message.c.kind == "confirmation_copy")).scalar_one()
        threads = connection.execute(select(thread.c.id).order_by(thread.c.id)).scalars().all()
    changes = []
    for thread_id in threads:
        with writing(engine) as connection:
            first = record_match(connection, copy, thread_id, by="Ana", now=at(4), source="shell")
            assert first is not None
            changes.append({one.kind for one in resolve_and_save(connection, [copy, first], {}, context())})
    assert all_spans(engine) == [(1, None), (2, 3)]
    assert changes == [{ChangeKind.CLOSED}, {ChangeKind.REOPENED, ChangeKind.CLOSED}]


def test_tie_that_was_settled_and_comes_back_is_shown_again(engine: Engine) -> None:
    def waits() -> bool:
        with reading(engine) as connection:
            return connection.execute(select(review.c.settled_at).where(review.c.kind == "tie")).scalar_one() is None

    questions = [make_message(hours=n, order_id=None, thread_token=f"t{n}", message_id=f"q{n}@x") for n in range(2)]
    store(engine, questions)
    store(engine, [make_message(Kind.SELLER_REPLY, 5, order_id=None)])
    assert waits()
    store(engine, [make_message(Kind.SELLER_REPLY, 3, order_id=None, message_id="r@x", references=("q1@x",))])
    assert not waits(), "the one of which nothing was known is the other's"
    store(engine, [make_message(Kind.DELIVERY_FAILURE, 6, alias=None, order_id=None, references=("r@x",))])
    assert waits()


def test_mark_can_be_taken_back_after_two_threads_became_one(engine: Engine) -> None:
    order = "402-0000001-0000001"
    store(engine, [make_message(hours=0, order_id=None, thread_token="t1"), make_message(hours=1, thread_token="t2")])
    with writing(engine) as connection:
        clock = connection.execute(select(sla_clock).where(sla_clock.c.started_at == at(1))).one()
        record_mark_by_hand(connection, MarkKind.WAIVED, clock, by="Ana", at=at(2), made_at=NOW, source="shell")
        resolve_and_save(connection, [clock.start_message_id], {}, context())
    store(engine, [make_message(hours=3, order_id=order, thread_token="t1")])
    assert all_spans(engine) == [(0, 2), (3, None)]
    with writing(engine) as connection:
        one = connection.execute(select(sla_clock.c.thread_id).distinct()).scalar_one()
        first = revoke_last_mark(connection, one, [MarkKind.WAIVED], by="Ana", now=NOW)
        assert first is not None
        resolve_and_save(connection, [first], {}, context())
    assert all_spans(engine) == [(0, None)]


def test_thread_that_joined_one_that_joined_another_is_found_in_the_last(engine: Engine) -> None:
    orders = [f"402-000000{number}-0000001" for number in range(3)]
    store(engine, [make_message(hours=2 - n, order_id=None, thread_token=f"t{n}", alias=f"b{n}@x") for n in range(3)])
    with reading(engine) as connection:
        ids = [
            connection.execute(select(message.c.thread_id).where(message.c.received_at == at(2 - number))).scalar_one()
            for number in range(3)
        ]
    store(engine, [make_message(hours=3, order_id=orders[0], thread_token=f"t{n}", alias=f"b{n}@x") for n in (0, 1)])
    store(engine, [make_message(hours=4, order_id=orders[0], thread_token="t2", alias="b2@x")])
    with reading(engine) as connection:
        last = connection.execute(select(sla_clock.c.thread_id).distinct()).scalar_one()
        assert {one for thread_id in ids for one in find_threads(connection, str(thread_id), HASHER)} == {last}


def test_buyer_without_a_sign_of_the_account_stays_with_the_account_written_to_before(engine: Engine) -> None:
    store(engine, [make_message(hours=0)], accounts=("b",))
    store(engine, [make_message(hours=1)], accounts=("a", "b"))
    store(engine, [make_message(hours=1, order_id="402-0000009-0000009", alias="new@x")], accounts=("a", "b"))
    store(engine, [make_message(Kind.SELLER_REPLY, 2)], accounts=("a", "b"))
    assert all_spans(engine) == [(0, 2), (1, None)]
    with reading(engine) as connection:
        rows = connection.execute(select(sla_clock.c.account, sla_clock.c.messages)).all()
    assert {tuple(row) for row in rows} == {("b", 2), ("a", 1)}


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
def test_copy_without_a_sign_of_the_account_is_of_the_account_that_another_copy_tells(
    engine: Engine, together: bool
) -> None:
    unclear, clear = (make_message(hours=0, alias=None, message_key="m", text_digest="same") for _ in range(2))
    accounts = [("a", "b"), ("b",)] if together else [("b",), ("a", "b")]
    items = [
        Incoming(message=mail, accounts=whose, mailbox="support", trusted=True)
        for mail, whose in zip((unclear, clear) if together else (clear, unclear), accounts, strict=True)
    ]
    for batch in [items] if together else [[item] for item in items]:
        with writing(engine) as connection:
            recorded = record_messages(connection, settle_accounts(connection, batch, HASHER), HASHER, NOW)
            resolve_and_save(connection, recorded.new, recorded.new, context(), recorded.rows)
    with reading(engine) as connection:
        assert connection.execute(select(sla_clock.c.account)).scalars().all() == ["b"]


def test_outcomes_are_counted_once_however_often_mails_are_read(engine: Engine) -> None:
    history = [make_message(hours=0), make_message(Kind.SELLER_REPLY, 30)]
    for _ in range(3):
        store(engine, history)
    with reading(engine) as connection:
        counts = {(one.name, one.labels[-1]): one.value for one in read_tallies(connection) if one.name == "clocks"}
    assert counts == {("clocks", "late"): 1, ("clocks", "no_response"): 1}


def test_each_message_keeps_its_own_latency(engine: Engine) -> None:
    store(engine, [make_message(hours=0), make_message(hours=10), make_message(Kind.SELLER_REPLY, 12)])
    with reading(engine) as connection:
        rows = connection.execute(select(message).where(message.c.kind == "buyer_message").order_by(message.c.id)).all()
    assert [row.answered_at - row.received_at for row in rows] == [timedelta(hours=12), timedelta(hours=2)]


def storm(size: int, shared: str) -> list[Message]:
    """Return that many mails of strangers that all claim to belong together: by a token, an alias, an order or by citing."""
    found = []
    for number in range(size):
        facts: dict[str, Any] = {
            "message_id": f"{number}@mail.example",
            "message_key": f"m{number}",
            "thread_token": f"t{number}",
            "text_digest": str(number),
            "alias": f"buyer{number}aaaaaaaaa@marketplace.amazon.fr",
            "order_id": f"402-{number:07d}-0000001",
        }
        shares: dict[str, dict[str, Any]] = {
            "token": {"thread_token": "t", "order_id": None},
            "alias": {"alias": "buyer1aaaaaaaaa@marketplace.amazon.fr"},
            "order": {"order_id": "402-0000001-0000001"},
            "citing": {
                "references": tuple(f"{earlier}@mail.example" for earlier in range(max(0, number - 50), number))
            },
        }
        facts |= shares[shared]
        found.append(make_message(hours=number / 1000, **facts))
    return found


@pytest.mark.parametrize("shared", ["token", "alias", "order", "citing"])
def test_one_more_mail_costs_no_more_than_in_proportion_to_all_it_claims_to_belong_to(
    tmp_path: Path, shared: str
) -> None:
    """Counted in calls, which no busy machine changes: a stranger's thousands must not hold the mailbox up."""
    calls = {}
    for size in (200, 800):
        made = open_engine(f"sqlite:///{tmp_path / f'{size}.db'}")
        prepare_database(made)
        mails = storm(size + 1, shared)
        store(made, mails[:-1])
        counted = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += event == "call"

        sys.setprofile(count)
        try:
            store(made, mails[-1:])
        finally:
            sys.setprofile(None)
        calls[size] = counted
        assert kept_clocks(made) == resolved_clocks(made)
        made.dispose()
    assert calls[800] < 4.5 * calls[200], calls


def test_a_wait_that_is_part_of_another_one_names_its_heir_and_the_thread_that_it_left(engine: Engine) -> None:
    first = make_message(hours=0, message_key="a", thread_token="t1", order_id=None)
    second = make_message(hours=1, message_key="b", thread_token="t2", order_id="402-0000001-0000001")
    store(engine, [first])
    store(engine, [second])
    linking = make_message(hours=2, message_key="c", thread_token="t1", order_id="402-0000001-0000001")
    changes = store(engine, [linking])
    with reading(engine) as connection:
        (kept,) = connection.execute(select(sla_clock)).all()
        merged = connection.execute(select(thread).where(thread.c.merged_into.is_not(None))).one()
    (gone,) = [change for change in changes if change.kind is ChangeKind.ABSORBED]
    assert (gone.heir, gone.thread_id, gone.left) == (kept.id, kept.thread_id, merged.id)
    assert merged.merged_into == kept.thread_id


def test_a_wait_of_which_no_mail_is_a_buyers_any_more_has_no_heir_and_its_thread_is_left_once(engine: Engine) -> None:
    store(engine, [make_message(hours=0, message_key="a")])
    with writing(engine) as connection:
        kept = connection.execute(select(sla_clock)).one()
        ids = record_not_a_message(connection, kept.thread_id, by="Bo", now=NOW, source="shell")
        (gone,) = resolve_and_save(connection, ids, {}, context())
        assert resolve_and_save(connection, ids, {}, context()) == []
    assert (gone.kind, gone.heir, gone.left) == (ChangeKind.ABSORBED, None, kept.thread_id)

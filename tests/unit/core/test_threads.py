"""What mails and marks amount to, as a seller would tell it."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.facts import Fact, Mark, MarkKind, Route
from monitor.core.messages import Authenticity, Kind
from monitor.core.threads import Resolution, resolve_threads
from tests.builders import T0, at, bounce, copy, make_fact, question, reply, spans

MIDNIGHT = T0.replace(hour=0, minute=0, second=0)


def one_thread(*facts: Fact, marks: tuple[Mark, ...] = ()) -> list[tuple[float, float | None]]:
    resolution = resolve_threads(facts, marks)
    assert len(resolution.threads) == 1
    return spans(resolution.threads[0].clocks)


def all_spans(resolution: Resolution) -> list[list[tuple[float, float | None]]]:
    return [spans(thread.clocks) for thread in resolution.threads]


def waived(question_: Fact, hours: float) -> Mark:
    return Mark(id=1, kind=MarkKind.WAIVED, message_id=question_.id, at=at(hours), by="Ana")


def marked(question_: Fact, hours: float) -> Mark:
    return Mark(id=2, kind=MarkKind.ANSWERED, message_id=question_.id, at=at(hours), by="Bo")


class TestClocks:
    def test_runs_from_the_question_until_the_reply(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7)) == [(0, 3)]

    def test_second_question_while_the_first_waits_does_not_restart(self) -> None:
        assert one_thread(question(0, order=7), question(5, order=7)) == [(0, None)]

    def test_question_after_the_reply_starts_a_new_clock(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7), question(5, order=7)) == [(0, 3), (5, None)]

    def test_one_reply_ends_the_wait_of_every_question_before_it(self) -> None:
        resolution = resolve_threads([question(0, order=7), question(2, order=7), reply(3, order=7)])
        assert spans(resolution.threads[0].clocks) == [(0, 3)]
        assert len(resolution.threads[0].clocks[0].message_ids) == 2

    def test_reply_at_the_very_instant_of_the_question_answers_nothing(self) -> None:
        assert one_thread(question(3, order=7), reply(3, order=7)) == [(3, None)]

    def test_reply_that_cites_a_question_answers_it_though_the_dates_are_crossed(self) -> None:
        later = question(1, order=7, message=50)
        assert one_thread(later, reply(0.999, references=(50,))) == [(1, 1)]

    def test_second_reply_changes_nothing(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7), reply(4, order=7)) == [(0, 3)]

    def test_reply_before_any_question_is_no_answer(self) -> None:
        assert one_thread(reply(-1, order=7), question(0, order=7)) == [(0, None)]

    def test_auto_reply_does_not_count(self) -> None:
        assert one_thread(question(0, order=7), make_fact(Kind.AUTO_REPLY, 0.1, order=7)) == [(0, None)]

    def test_failed_origin_marks_the_clock_until_a_proven_mail_confirms_it(self) -> None:
        forged = question(0, order=7, authenticity=Authenticity.FAILED)
        assert not resolve_threads([forged]).threads[0].clocks[0].verified
        proven = question(1, order=7, authenticity=Authenticity.PASSED)
        assert resolve_threads([forged, proven]).threads[0].clocks[0].verified

    def test_mail_that_a_person_took_for_none_starts_nothing(self) -> None:
        assert resolve_threads([question(0, excluded=True)]).threads == ()


class TestMarks:
    def test_waiver_ends_the_clock_and_a_later_question_starts_another(self) -> None:
        first = question(0, order=7)
        assert one_thread(first, question(6, order=7), marks=(waived(first, 5),)) == [(0, 5), (6, None)]

    def test_waiver_after_the_reply_changes_nothing(self) -> None:
        first = question(0, order=7)
        clock = resolve_threads([first, reply(3, order=7)], [waived(first, 5)]).threads[0].clocks[0]
        assert clock.answered_at == at(3)
        assert clock.waived_at is None

    def test_reply_after_the_waiver_leaves_it_waived(self) -> None:
        first = question(0, order=7)
        clock = resolve_threads([first, reply(6, order=7)], [waived(first, 5)]).threads[0].clocks[0]
        assert (clock.answered_at, clock.waived_at, clock.waived_by) == (None, at(5), "Ana")

    def test_mark_by_hand_answers_what_came_until_its_instant_inclusive(self) -> None:
        first = question(0, order=7)
        clocks = resolve_threads([first, question(4, order=7)], [marked(first, 4)]).threads[0].clocks
        assert spans(clocks) == [(0, 4)]
        assert (clocks[0].answered_route, clocks[0].answered_by) == (Route.HAND, "Bo")

    def test_mark_on_a_mail_that_is_gone_is_passed_over(self) -> None:
        gone = question(0, order=9, id=4711)
        assert one_thread(question(0, order=7), marks=(marked(gone, 4),)) == [(0, None)]


class TestGrouping:
    def test_one_alias_with_two_orders_is_two_threads(self) -> None:
        resolution = resolve_threads([question(0, order=7), question(1, order=8), reply(2, order=7)])
        assert all_spans(resolution) == [[(0, 2)], [(1, None)]]

    def test_one_order_with_two_cases_is_one_thread(self) -> None:
        assert one_thread(question(0, order=7, suffix=1), question(1, order=7, suffix=2)) == [(0, None)]

    def test_one_order_through_two_aliases_is_one_thread(self) -> None:
        assert one_thread(question(0, order=7, alias=1), question(1, order=7, alias=2)) == [(0, None)]

    @pytest.mark.parametrize("link", [{"token": 5}, {"suffix": 6}], ids=["token", "case"])
    def test_order_that_becomes_known_later_joins_its_pre_sale_question(self, link: dict[str, int]) -> None:
        assert one_thread(question(0, **link), question(1, order=7, **link)) == [(0, None)]

    def test_pre_sale_question_without_any_link_joins_the_aliass_only_order(self) -> None:
        assert one_thread(question(0), question(1, order=7)) == [(0, None)]

    def test_pre_sale_question_of_its_own_token_stays_apart(self) -> None:
        assert len(resolve_threads([question(0, token=5), question(1, order=7, token=6)]).threads) == 2

    def test_token_of_two_orders_joins_neither(self) -> None:
        facts = [question(0, token=5), question(1, order=7, token=5), question(2, order=8, token=5)]
        assert len(resolve_threads(facts).threads) == 3

    def test_pre_sale_questions_share_a_thread_by_token_and_case(self) -> None:
        assert one_thread(question(0, token=5, suffix=1), question(1, token=6, suffix=1)) == [(0, None)]

    def test_pre_sale_questions_without_links_share_the_aliass_thread(self) -> None:
        assert one_thread(question(0), question(1)) == [(0, None)]

    def test_forwarded_mail_that_lost_its_alias_is_known_by_its_order(self) -> None:
        assert one_thread(question(0, order=7, alias=None), question(1, order=7)) == [(0, None)]

    def test_mail_that_lost_its_alias_stands_alone(self) -> None:
        assert len(resolve_threads([question(0, alias=None), question(1, alias=None)]).threads) == 2

    def test_two_accounts_never_share_a_thread(self) -> None:
        facts = [question(0, order=7), question(1, order=7, accounts=("other",))]
        assert len(resolve_threads(facts).threads) == 2


class TestReplies:
    def test_reply_about_another_order_does_not_answer_the_aliass_open_one(self) -> None:
        assert one_thread(question(0, order=7), reply(1, order=8)) == [(0, None)]
        assert one_thread(question(0), reply(1, order=8)) == [(0, 1)]
        resolution = resolve_threads([question(0, order=7), question(1, token=5), reply(2, order=8)])
        assert all_spans(resolution) == [[(0, None)], [(1, 2)]]

    def test_case_that_no_question_names_leaves_it_to_the_order(self) -> None:
        assert one_thread(question(0, order=7), reply(1, suffix=9, order=7)) == [(0, 1)]

    def test_reply_without_sign_belongs_to_the_question_that_waited_then(self) -> None:
        facts = [question(0, token=5), question(5, token=6), reply(1)]
        assert all_spans(resolve_threads(facts)) == [[(0, 1)], [(5, None)]]

    def test_case_outweighs_the_order_of_another_thread(self) -> None:
        facts = [question(0, token=5, suffix=1), question(0, order=7), reply(1, suffix=1, order=7)]
        assert all_spans(resolve_threads(facts)) == [[(0, 1)], [(0, None)]]

    def test_reply_without_any_sign_answers_the_aliass_only_open_thread(self) -> None:
        facts = [question(0, order=7), reply(1, order=7), question(2, order=8), reply(3)]
        assert all_spans(resolve_threads(facts)) == [[(0, 1)], [(2, 3)]]

    def test_reply_that_fits_two_open_threads_closes_none_and_is_shown(self) -> None:
        first, second, lost = question(0, order=7), question(1, order=8), reply(2)
        resolution = resolve_threads([first, second, lost])
        assert all_spans(resolution) == [[(0, None)], [(1, None)]]
        assert resolution.ties == {lost.id: tuple(sorted((first.id, second.id)))}

    def test_person_settles_a_tie(self) -> None:
        first, second = question(0, order=7), question(1, order=8)
        resolution = resolve_threads([first, second, reply(2, spoken_for=second.id)])
        assert all_spans(resolution) == [[(0, None)], [(1, 2)]]
        assert not resolution.ties

    def test_reply_matched_by_hand_to_a_mail_that_is_gone_belongs_nowhere(self) -> None:
        assert one_thread(question(0, order=7), reply(2, order=7, spoken_for=4711)) == [(0, None)]

    def test_reply_belongs_to_the_aliass_only_thread_even_when_nothing_waits(self) -> None:
        answered, late = reply(1, order=7), reply(2)
        resolution = resolve_threads([question(0, order=7), answered, late])
        assert set(resolution.assigned) == {answered.id, late.id}

    def test_reply_on_an_order_never_asked_about_answers_the_open_question_of_that_alias(self) -> None:
        assert one_thread(question(0, token=5), reply(1, order=7)) == [(0, 1)]

    def test_reply_to_an_unknown_alias_belongs_nowhere(self) -> None:
        assert one_thread(question(0, order=7), reply(1, alias=99)) == [(0, None)]

    def test_reply_from_a_sent_folder_of_two_accounts_finds_the_account_by_the_thread(self) -> None:
        facts = [question(0, order=7, accounts=("b",)), reply(1, order=7, accounts=("a", "b"))]
        assert one_thread(*facts) == [(0, 1)]

    def test_waived_thread_is_not_open_for_a_reply_without_sign(self) -> None:
        first, second = question(0, order=7), question(1, order=8)
        resolution = resolve_threads([first, second, reply(3)], [waived(first, 2)])
        assert all_spans(resolution) == [[(0, 2)], [(1, 3)]]


class TestCopies:
    def test_copy_stops_the_thread_of_its_order(self) -> None:
        clock = resolve_threads([question(0, order=7), copy(2, order=7)]).threads[0].clocks[0]
        assert (clock.answered_at, clock.answered_route) == (at(2), Route.SELLER_CENTRAL)

    def test_copy_without_proof_stops_nothing(self) -> None:
        assert one_thread(question(0, order=7), copy(2, order=7, trusted=False)) == [(0, None)]

    def test_copy_without_order_is_matched_by_name(self) -> None:
        assert one_thread(question(0, name=3), copy(2, name=3)) == [(0, 2)]

    def test_name_of_two_threads_closes_neither(self) -> None:
        facts = [question(0, name=3, order=7), question(1, name=3, order=8), copy(2, name=3)]
        resolution = resolve_threads(facts)
        assert all_spans(resolution) == [[(0, None)], [(1, None)]]
        assert len(resolution.ties) == 1

    @pytest.mark.parametrize(
        ("hours", "answered"), [(7 * 24, True), (7 * 24 + 0.01, False), (-1, False)], ids=["7 d", "over 7 d", "earlier"]
    )
    def test_name_reaches_back_seven_days(self, hours: float, answered: bool) -> None:
        ends = one_thread(question(0, name=3), copy(hours, name=3))[0][1]
        assert (ends is not None) is answered

    def test_name_in_another_marketplace_is_somebody_else(self) -> None:
        assert one_thread(question(0, name=3), copy(2, name=3, marketplace="DE")) == [(0, None)]

    def test_copy_on_an_unknown_order_is_not_matched_by_name(self) -> None:
        assert one_thread(question(0, name=3, order=7), copy(2, name=3, order=8)) == [(0, None)]

    def test_copy_without_anything_belongs_nowhere(self) -> None:
        assert one_thread(question(0, name=3), copy(2)) == [(0, None)]


class TestFailures:
    def test_bounce_that_names_the_reply_lets_the_clock_run_on_from_where_it_was(self) -> None:
        facts = [question(0, order=7), reply(3, order=7, message=60), bounce(4, references=(60,))]
        assert one_thread(*facts) == [(0, None)]

    def test_bounce_that_names_only_the_alias_undoes_the_last_reply_to_it(self) -> None:
        facts = [question(0, order=7), reply(3, order=7), question(4, order=7), reply(5, order=7), bounce(6)]
        assert one_thread(*facts) == [(0, 3), (4, None)]

    def test_reply_that_follows_the_bounce_counts(self) -> None:
        facts = [question(0, order=7), reply(3, order=7), bounce(4), reply(8, order=7)]
        assert one_thread(*facts) == [(0, 8)]

    def test_opt_out_undoes_a_reply_made_in_seller_central(self) -> None:
        assert one_thread(question(0, order=7), copy(3, order=7), bounce(4, order=7)) == [(0, None)]

    def test_opt_out_by_alias_undoes_the_copy_that_was_matched_to_its_thread(self) -> None:
        assert one_thread(question(0, name=3), copy(3, name=3), bounce(4)) == [(0, None)]

    def test_date_of_the_refused_message_chooses_among_replies(self) -> None:
        facts = [
            question(0, order=7),
            reply(3, order=7),
            question(4, order=7),
            reply(5, order=7),
            bounce(6, refused_at=at(3)),
        ]
        assert one_thread(*facts) == [(0, 5)]

    def test_opt_out_that_names_only_a_day_undoes_the_last_reply_of_that_day(self) -> None:
        facts = [question(-50, order=7), reply(-49, order=7), question(0, order=7), reply(3, order=7)]
        assert one_thread(*facts, bounce(8, order=7, refused_at=MIDNIGHT)) == [(-50, -49), (0, None)]

    @pytest.mark.parametrize(
        ("hours", "undone"),
        [(-14.01, False), (-14, True), (36, True), (36.01, False)],
        ids=["before", "first in the east", "last in the west", "after"],
    )
    def test_day_lasts_from_its_first_hour_in_the_east_to_its_last_in_the_west(
        self, hours: float, undone: bool
    ) -> None:
        sent = reply((MIDNIGHT - T0) / timedelta(hours=1) + hours, order=7)
        assert (sent.id in resolve_threads([sent, bounce(99, order=7, refused_at=MIDNIGHT)]).undone) is undone

    @pytest.mark.parametrize(
        ("hours", "undone"), [(1.9, False), (2, True), (3.1, True), (3.2, False)], ids=["before", "-", "+", "after"]
    )
    def test_time_of_the_refused_message_is_that_of_the_reply_but_for_two_clocks(
        self, hours: float, undone: bool
    ) -> None:
        sent = reply(hours, order=7)
        assert (sent.id in resolve_threads([sent, bounce(9, order=7, refused_at=at(3))]).undone) is undone

    def test_two_bounces_undo_two_replies(self) -> None:
        facts = [question(0, order=7), reply(3, order=7), reply(5, order=7), bounce(6), bounce(7)]
        assert one_thread(*facts) == [(0, None)]

    @pytest.mark.parametrize("copies", [1, 2, 4])
    @pytest.mark.parametrize("refused_at", [at(52), MIDNIGHT + timedelta(days=2), None], ids=["instant", "day", "-"])
    def test_copies_of_one_opt_out_notice_undo_one_reply(self, copies: int, refused_at: datetime | None) -> None:
        facts = [question(0, order=7), reply(3, order=7), question(50, order=7), reply(52, order=7)]
        notices = [bounce(52.1 + number / 100, order=7, refused_at=refused_at) for number in range(copies)]
        assert one_thread(*facts, *notices) == [(0, 3), (50, None)]

    def test_notices_that_come_together_undo_replies_that_went_out_together(self) -> None:
        facts = [question(0, order=7), reply(3, order=7), reply(3.05, order=7), bounce(4), bounce(4.05)]
        assert one_thread(*facts) == [(0, None)]

    def test_bounces_that_name_different_mails_are_no_copies(self) -> None:
        facts = [question(0, order=7), copy(3, order=7), question(4, order=7), copy(5, order=7)]
        bounces = [bounce(6, order=7, references=(number,)) for number in (1, 2)]
        assert one_thread(*facts, *bounces) == [(0, None)]

    @pytest.mark.parametrize("refused_at", [at(6.01), None], ids=["instant", "-"])
    def test_bounce_of_an_automatic_reply_undoes_no_answer(self, refused_at: datetime | None) -> None:
        facts = [question(0, order=7), reply(5.99, order=7), question(6, order=7), reply(7, order=7)]
        automatic = make_fact(Kind.AUTO_REPLY, 6.01, order=7, message=60)
        failure = bounce(6.02, references=(60,), refused_at=refused_at)
        assert one_thread(*facts, automatic, failure) == [(0, 5.99), (6, 7)]

    def test_bounce_of_another_buyer_undoes_nothing(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7), bounce(4, alias=9)) == [(0, 3)]

    def test_bounce_of_another_order_of_the_same_buyer_undoes_nothing(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7), bounce(4, order=8)) == [(0, 3)]

    def test_old_reply_is_out_of_a_bounces_reach(self) -> None:
        assert one_thread(question(0, order=7), reply(3, order=7), bounce(3 + 7 * 24 + 1)) == [(0, 3)]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Fact], list[Mark]]:
    """Mails of a few buyers and orders in random times, with what may happen to them."""
    facts: list[Fact] = []
    for number in range(draw(st.integers(1, 14))):
        kind = draw(
            st.sampled_from(
                [Kind.BUYER_MESSAGE] * 4 + [Kind.SELLER_REPLY] * 3 + [Kind.CONFIRMATION_COPY, Kind.DELIVERY_FAILURE]
            )
        )
        names_alias = kind is not Kind.CONFIRMATION_COPY
        maybe = st.one_of(st.none(), st.integers(1, 2))
        facts.append(
            make_fact(
                kind,
                draw(st.integers(0, 40)),
                id=number + 1,
                alias=draw(st.integers(1, 2)) if names_alias else None,
                order=draw(maybe),
                token=draw(maybe) if kind is Kind.BUYER_MESSAGE else None,
                suffix=draw(maybe) if names_alias else None,
                name=draw(maybe),
                message=100 + number,
                references=tuple(draw(st.lists(st.integers(100, 113), max_size=1)))
                if kind is not Kind.BUYER_MESSAGE
                else (),
            )
        )
    questions = [fact for fact in facts if fact.kind is Kind.BUYER_MESSAGE]
    marks = [
        Mark(
            id=number,
            kind=draw(st.sampled_from(list(MarkKind))),
            message_id=draw(st.sampled_from(questions)).id,
            at=at(draw(st.integers(0, 45))),
            by="Ana",
        )
        for number in range(draw(st.integers(0, 2)) if questions else 0)
    ]
    return facts, marks


@given(histories(), st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(history: tuple[list[Fact], list[Mark]], rng: random.Random) -> None:
    facts, marks = history
    expected = resolve_threads(facts, marks)
    shuffled = list(facts)
    rng.shuffle(shuffled)
    assert resolve_threads(shuffled, list(reversed(marks))) == expected


@given(histories())
def test_every_question_is_in_exactly_one_clock(history: tuple[list[Fact], list[Mark]]) -> None:
    facts, marks = history
    resolution = resolve_threads(facts, marks)
    covered = [one for thread in resolution.threads for clock in thread.clocks for one in clock.message_ids]
    assert sorted(covered) == sorted(fact.id for fact in facts if fact.kind is Kind.BUYER_MESSAGE)


@given(histories())
def test_clocks_of_a_thread_follow_one_another_and_only_the_last_may_run(
    history: tuple[list[Fact], list[Mark]],
) -> None:
    for thread in resolve_threads(*history).threads:
        for clock, following in zip(thread.clocks, thread.clocks[1:], strict=False):
            assert clock.closed_at is not None
            assert clock.started_at <= clock.closed_at <= following.started_at
        assert all(clock.closed_at is None or clock.closed_at >= clock.started_at for clock in thread.clocks)


@given(histories())
def test_nothing_but_a_reply_or_a_person_ends_a_wait(history: tuple[list[Fact], list[Mark]]) -> None:
    facts, _ = history
    questions_only = [fact for fact in facts if fact.kind in (Kind.BUYER_MESSAGE, Kind.DELIVERY_FAILURE)]
    for thread in resolve_threads(questions_only).threads:
        assert [clock.closed_at for clock in thread.clocks] == [None]


@given(histories(), st.integers(0, 40))
def test_a_bounce_never_shortens_a_wait(history: tuple[list[Fact], list[Mark]], hours: int) -> None:
    facts, marks = history
    before = {
        one: clock
        for thread in resolve_threads(facts, marks).threads
        for clock in thread.clocks
        for one in clock.message_ids
    }
    sent = next((fact for fact in facts if fact.kind is Kind.SELLER_REPLY), None)
    if sent is None or any(fact.kind is Kind.DELIVERY_FAILURE for fact in facts):
        return
    named = bounce(hours, id=99, alias=None, references=(sent.message or 0,))
    resolution = resolve_threads([*facts, named], marks)
    assert sent.id in resolution.undone
    alone = {fact.id for fact in facts if fact.kind is Kind.BUYER_MESSAGE and fact.alias == sent.alias}
    after = {one: clock for thread in resolution.threads for clock in thread.clocks for one in clock.message_ids}
    # A reply that is gone may leave another thread as the only open one, so only what it answered itself is compared.
    for one in alone:
        if before[one].answer_id == sent.id:
            ended = after[one].closed_at
            assert ended is None or ended >= (before[one].closed_at or ended)


def test_duration_is_elapsed_time_over_the_change_of_summer_time() -> None:
    clock = resolve_threads([question(0, order=7), reply(25, order=7)]).threads[0].clocks[0]
    assert clock.closed_at is not None
    assert clock.closed_at - clock.started_at == timedelta(hours=25)

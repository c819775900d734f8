"""Builds a week's report from a `ReportSource`: counts, explains, replays. Reads no clock and renders nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from monitor.core.figures import MISSED, Figures, FiguresBuilder, Judgement, MessageOutcome
from monitor.core.weeks import IsoWeek
from monitor.report.causes import cause_of, count_causes
from monitor.report.coverage import plan_coverage
from monitor.report.forecast import expect_count
from monitor.report.model import (
    UNKNOWN_MARKETPLACE,
    AmazonComparison,
    Coverage,
    Forecast,
    HeatMap,
    MarketEvidence,
    Miss,
    Period,
    Report,
    ReportSettings,
    Waivers,
    WeekFigures,
)
from monitor.report.reading import WEEKS_COMPARED, Reading
from monitor.report.source import EvidenceRow, MissFacts, ReportSource, WaiverFacts
from monitor.report.staffed import LOOK_BACK_WEEKS, assumed_staffed, staffed_hours, staffing_span

MISSES_AT_ONCE = 500


def build_report(source: ReportSource, week: IsoWeek, now: datetime, settings: ReportSettings) -> Report:
    """Return the report of one week as things stand at `now`.

    A message belongs to the week in which it was received, in the settings' time zone. The windows are the days before
    `now` in elapsed time, both ends included, whatever the week.

    Args:
        source: read within this call only.
        now: aware UTC.

    Raises:
        ValueError: `now` is naive.
    """
    if now.tzinfo is None:
        raise ValueError(f"naive instant {now.isoformat()}: instants are aware UTC")
    amazon_figures = source.read_amazon_figures()
    read_at = {(f.account, f.marketplace, f.window_days): min(f.read_at, now) for f in amazon_figures}
    reading = Reading(week, now, settings, read_at)
    for from_at, to_at in reading.spans():
        for outcome in source.read_outcomes(from_at, to_at):
            reading.add(outcome)
    from_at, to_at = reading.span
    staffed = settings.staffed or assumed_staffed(
        staffing_span(week, settings.time_zone), settings.time_zone, settings.holidays
    )
    misses = _explain_misses(source, reading, settings, staffed, now)
    weeks = reading.week_figures()
    evidence = _evidence(source.read_evidence())
    return Report(
        week=week,
        from_at=from_at,
        to_at=to_at,
        now=now,
        settings=settings,
        figures=reading.of_week.build(),
        windows={days: builder.build() for days, builder in reading.windows.items()},
        by_marketplace=_build_all(reading.by_marketplace),
        by_account=_build_all(reading.by_account),
        by_label=_build_all(reading.by_label),
        weeks=weeks,
        misses=misses,
        causes=count_causes(misses),
        waivers=_waivers(reading.messages, source.read_waivers(from_at, to_at)),
        evidence=evidence,
        amazon=tuple(
            AmazonComparison(amazon=f, ours=reading.of_amazon[f.account, f.marketplace, f.window_days].build())
            for f in sorted(amazon_figures, key=lambda f: (f.account, f.marketplace, f.window_days))
        ),
        heat=HeatMap(
            arrivals=tuple(reading.arrivals),
            replies=tuple(reading.replies),
            breaches=tuple(reading.breaches),
            weeks=WEEKS_COMPARED,
            staffed=staffed_hours(week, settings.time_zone, staffed),
        ),
        coverage=_coverage(reading, staffed, settings),
        forecast=_forecast(weeks, reading.arrivals),
        messages=tuple(reading.messages),
    )


def _build_all(builders: Mapping[str, FiguresBuilder]) -> dict[str, Figures]:
    """Return the figures of each group, largest first."""
    built = {name: builder.build() for name, builder in builders.items()}
    return dict(sorted(built.items(), key=lambda item: (-item[1].received, item[0])))


def _explain_misses(
    source: ReportSource, reading: Reading, settings: ReportSettings, staffed: Sequence[Period], now: datetime
) -> tuple[Miss, ...]:
    missed = [(outcome, judgement) for outcome, judgement in reading.messages if judgement in MISSED]
    if not missed:
        return ()
    facts = {f.message_id: f for f in _read_misses(source, [outcome.message_id for outcome, _ in missed])}
    last_deadline_at = max(outcome.deadline_at for outcome, _ in missed)
    outages = source.read_outages(reading.span[0], last_deadline_at)
    explained = []
    for outcome, judgement in missed:
        known = facts.get(outcome.message_id, MissFacts(message_id=outcome.message_id))
        explained.append(
            Miss(
                outcome=outcome,
                judgement=judgement,
                late_by=(outcome.answered_at if judgement is Judgement.LATE and outcome.answered_at else now)
                - outcome.deadline_at,
                cause=cause_of(
                    outcome,
                    known,
                    outages,
                    staffed,
                    settings.holidays,
                    settings.time_zone,
                    settings.watching_since,
                    now,
                ),
                told=tuple(sorted(known.told, key=lambda told: told.at)),
                acknowledged=tuple(sorted(known.acknowledged, key=lambda acknowledged: acknowledged.at)),
                where=known.where,
            )
        )
    return tuple(explained)


def _read_misses(source: ReportSource, message_ids: Sequence[int]) -> Iterator[MissFacts]:
    for start in range(0, len(message_ids), MISSES_AT_ONCE):
        yield from source.read_misses(message_ids[start : start + MISSES_AT_ONCE])


def _waivers(messages: Sequence[tuple[MessageOutcome, Judgement]], by_person: Sequence[WaiverFacts]) -> Waivers:
    waived = [outcome for outcome, judgement in messages if judgement is Judgement.WAIVED]
    after = last_hour = 0
    for outcome in waived:
        left = outcome.deadline_at - (outcome.waived_at or outcome.received_at)
        after += left < timedelta(0)
        last_hour += timedelta(0) <= left <= timedelta(hours=1)
    on_time = sum(judgement is Judgement.ON_TIME for _, judgement in messages)
    judged = on_time + sum(judgement in MISSED for _, judgement in messages) + after
    return Waivers(
        count=len(waived),
        after_deadline=after,
        in_last_hour=last_hour,
        rate_without=on_time / judged if judged else None,
        by_person=tuple(sorted(by_person, key=lambda waiver: (-waiver.count, waiver.by))),
    )


def _evidence(rows: Iterable[EvidenceRow]) -> tuple[MarketEvidence, ...]:
    markets: defaultdict[tuple[str, str], dict[str, tuple[int, datetime | None]]] = defaultdict(dict)
    for row in rows:
        markets[row.account, row.marketplace or UNKNOWN_MARKETPLACE][row.evidence] = (row.count, row.last_seen_at)
    nothing = (0, None)
    return tuple(
        MarketEvidence(
            account=account,
            marketplace=marketplace,
            blind=seen.get("buyer_message", nothing)[0] > 0 and seen.get("confirmation_copy", nothing)[0] == 0,
            seen=seen,
        )
        for (account, marketplace), seen in sorted(markets.items())
    )


def _coverage(reading: Reading, staffed: Sequence[Period], settings: ReportSettings) -> Coverage:
    if not any(judgement in MISSED for _, judgement in reading.messages):
        return Coverage()
    before = [reading.week.shift(-n) for n in range(1, LOOK_BACK_WEEKS)]
    whole = {compared.week for compared in reading.week_figures() if compared.whole}
    return plan_coverage(
        week=reading.waiting_in(reading.week),
        weeks_before=[reading.waiting_in(week) for week in before if week in whole],
        span=reading.span,
        staffed=staffed,
        zone=settings.time_zone,
        replies=reading.reply_seconds,
    )


def _forecast(weeks: Sequence[WeekFigures], arrivals: Sequence[int]) -> Forecast | None:
    whole = [compared.figures for compared in weeks if compared.whole]
    received = expect_count([figures.received for figures in whole])
    missed = expect_count([figures.missed for figures in whole])
    if received is None or missed is None:
        return None
    total = sum(arrivals) or 1
    by_day = tuple(received.mean * sum(arrivals[day * 24 : day * 24 + 24]) / total for day in range(7))
    return Forecast(weeks=len(whole), received=received, missed=missed, by_day=by_day)

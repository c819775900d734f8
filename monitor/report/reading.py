"""One pass over the messages: everything a report counts, with bounded memory.

Kept: figures (8 bytes an answered message of 90 days), the messages of the report's week, and a few numbers for each
message of the weeks that are replayed.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from monitor.core.difference import as_counted_at
from monitor.core.figures import MISSED, FiguresBuilder, Judgement, MessageOutcome, judge, latency_seconds
from monitor.core.snapshot import RATE_WINDOWS_DAYS
from monitor.core.weeks import IsoWeek, week_span
from monitor.report.coverage import Waiting
from monitor.report.model import UNKNOWN_MARKETPLACE, Period, ReportSettings, WeekFigures
from monitor.report.staffed import LOOK_BACK_WEEKS

WEEKS_COMPARED = 12
_TAIL = timedelta(days=7)  # how long after its end a week's messages may still wait, and others with them
_NEVER = float("inf")


class Reading:
    """What one pass over the messages leaves behind."""

    def __init__(
        self, week: IsoWeek, now: datetime, settings: ReportSettings, amazon: Mapping[tuple[str, str, int], datetime]
    ) -> None:
        """Lay out what will be counted; `amazon`: when Amazon's figure of an account, marketplace and days was read."""
        self.week, self.now, self.zone = week, now, settings.time_zone
        self.span = week_span(week, self.zone)
        self.compared = [week.shift(n) for n in range(1 - WEEKS_COMPARED, 1)]
        self._starts = [week_span(w, self.zone)[0] for w in self.compared] + [self.span[1]]
        self._of_compared = [FiguresBuilder() for _ in self.compared]
        self.of_week = self._of_compared[-1]
        self.windows = {days: FiguresBuilder() for days in RATE_WINDOWS_DAYS}
        self._window_starts = {days: now - timedelta(days=days) for days in RATE_WINDOWS_DAYS}
        self._amazon = amazon
        self.of_amazon = {key: FiguresBuilder() for key in amazon}
        self._amazon_days = sorted({days for _, _, days in amazon})
        self.by_marketplace: defaultdict[str, FiguresBuilder] = defaultdict(FiguresBuilder)
        self.by_account: defaultdict[str, FiguresBuilder] = defaultdict(FiguresBuilder)
        self.by_label: defaultdict[str, FiguresBuilder] = defaultdict(FiguresBuilder)
        self.messages: list[tuple[MessageOutcome, Judgement]] = []
        self.arrivals, self.replies, self.breaches = [0] * 168, [0] * 168, [0] * 168
        self.waiting: list[Waiting] = []
        self.reply_seconds: list[float] = []
        self._replay_from = week_span(week.shift(-LOOK_BACK_WEEKS), self.zone)[0] - _TAIL
        self._replay_to = self.span[1] + _TAIL
        self._last_reply_of: dict[int, datetime] = {}
        self._first_received_at: datetime | None = None

    def spans(self) -> list[Period]:
        """Return the spans to read: the compared weeks with their tail, and the longest window; joined if they touch."""
        compared = (self._starts[0], max(self.span[1], min(self.now, self._replay_to)))
        # Both ends of a window count, and a source leaves the end of a span out.
        begins = [read_at - timedelta(days=key[2]) for key, read_at in self._amazon.items()]
        windows = (min([*self._window_starts.values(), *begins]), self.now + timedelta(microseconds=1))
        first, second = sorted((compared, windows))
        if second[0] > first[1]:
            return [first, second]
        return [(first[0], max(first[1], second[1]))]

    def add(self, outcome: MessageOutcome) -> None:
        """Count one message wherever it belongs."""
        judgement = judge(outcome, self.now)
        latency = latency_seconds(outcome, judgement)
        received_at = outcome.received_at
        if self._first_received_at is None or received_at < self._first_received_at:
            self._first_received_at = received_at
        if received_at <= self.now:
            self._add_to_windows(outcome, judgement, latency)
        if self._starts[0] <= received_at < self._starts[-1]:
            self._add_to_weeks(outcome, judgement, latency)
        if self._replay_from <= received_at < self._replay_to:
            self._keep_for_replay(outcome, judgement)

    def _add_to_windows(self, outcome: MessageOutcome, judgement: Judgement, latency: float | None) -> None:
        for days, builder in self.windows.items():
            if outcome.received_at >= self._window_starts[days]:
                builder.add(judgement, latency, outcome.by_hand)
        if self.of_amazon and outcome.marketplace is not None:
            for days in self._amazon_days:
                self._add_to_amazon(outcome, (outcome.account, outcome.marketplace, days))

    def _add_to_amazon(self, outcome: MessageOutcome, key: tuple[str, str, int]) -> None:
        """Count a message as it stood when Amazon's figure was read: an old figure is no word about today."""
        read_at = self._amazon.get(key)
        if read_at is None or not read_at - timedelta(days=key[2]) <= outcome.received_at <= read_at:
            return
        then = as_counted_at(outcome, read_at)
        judgement = judge(then, read_at)
        self.of_amazon[key].add(judgement, latency_seconds(then, judgement), then.by_hand)

    def _add_to_weeks(self, outcome: MessageOutcome, judgement: Judgement, latency: float | None) -> None:
        place = len(self._starts) - 2
        while outcome.received_at < self._starts[place]:
            place -= 1
        self._of_compared[place].add(judgement, latency, outcome.by_hand)
        self.arrivals[self._hour_of_week(outcome.received_at)] += 1
        if judgement in MISSED:
            self.breaches[self._hour_of_week(outcome.deadline_at)] += 1
        if latency is not None and outcome.answered_at is not None:
            self._add_reply(outcome, outcome.answered_at)
        if place == WEEKS_COMPARED - 1:
            self.messages.append((outcome, judgement))
            self.by_marketplace[outcome.marketplace or UNKNOWN_MARKETPLACE].add(judgement, latency, outcome.by_hand)
            self.by_account[outcome.account].add(judgement, latency, outcome.by_hand)
            for label in outcome.labels:
                self.by_label[label].add(judgement, latency, outcome.by_hand)

    def _add_reply(self, outcome: MessageOutcome, answered_at: datetime) -> None:
        if self._last_reply_of.get(outcome.thread_id) == answered_at:
            return  # it answered an earlier message too and is counted
        self._last_reply_of[outcome.thread_id] = answered_at
        self.replies[self._hour_of_week(answered_at)] += 1
        if not outcome.by_hand and outcome.received_at >= self._replay_from:
            self.reply_seconds.append(answered_at.timestamp())

    def _keep_for_replay(self, outcome: MessageOutcome, judgement: Judgement) -> None:
        if judgement is Judgement.WAIVED:
            gone = outcome.waived_at.timestamp() if outcome.waived_at else _NEVER
        else:
            gone = outcome.answered_at.timestamp() if outcome.answered_at else _NEVER
        self.waiting.append(
            Waiting(
                outcome.message_id,
                outcome.thread_id,
                outcome.received_at.timestamp(),
                outcome.deadline_at.timestamp(),
                gone,
                judgement in MISSED,
            )
        )

    def _hour_of_week(self, instant: datetime) -> int:
        local = instant.astimezone(self.zone)
        return local.weekday() * 24 + local.hour

    def week_figures(self) -> tuple[WeekFigures, ...]:
        """Return the compared weeks, oldest first."""
        first = self._first_received_at
        return tuple(
            WeekFigures(
                week=week,
                figures=builder.build(),
                whole=first is not None and first <= starts_at and ends_at <= self.now,
            )
            for week, builder, starts_at, ends_at in zip(
                self.compared, self._of_compared, self._starts, self._starts[1:], strict=False
            )
        )

    def waiting_in(self, week: IsoWeek) -> list[Waiting]:
        """Return what waited in or soon after this week; `missed` only what was received in it."""
        from_second, to_second = (instant.timestamp() for instant in week_span(week, self.zone))
        tail = _TAIL.total_seconds()
        return [
            m if from_second <= m.received < to_second or not m.missed else m._replace(missed=False)
            for m in self.waiting
            if m.received < to_second + tail and m.gone > from_second
        ]

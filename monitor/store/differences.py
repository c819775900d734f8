"""Amazon's newest figures beside ours of the same span, counted in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Integer, Select, case, cast, func, literal, select

from monitor.core.difference import AMAZON_TARGET, EDGES, FRESH, Comparison, Sight
from monitor.core.figures import Figures
from monitor.core.messages import Kind, Where
from monitor.core.snapshot import AmazonSnapshot
from monitor.store.amazon import read_newest_figures
from monitor.store.columns import to_microseconds
from monitor.store.evidence import read_evidence
from monitor.store.schema import amazon_figure, message, review


def newest_figure_id(connection: Connection) -> int:
    """Return the id of the figure that came last, 0 where there is none: whether there is anything new to compare."""
    return int(connection.execute(select(func.max(amazon_figure.c.id))).scalar() or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every comparison needs: mails seen and copies undecided by account and marketplace, oldest mails by account."""

    seen: Mapping[tuple[str, str], Mapping[str, Sight]]
    undecided: Mapping[tuple[str, str], int]
    known_from: Mapping[str, datetime]


def read_fresh_figures(connection: Connection, now: datetime) -> list[AmazonSnapshot]:
    """Return Amazon's newest figure of each account, marketplace and window, shortest windows first, none without a rate and
    none older than `FRESH`."""
    figures = read_newest_figures(connection, now)
    return [one for one in figures if one.late_ratio is not None and now - one.read_at <= FRESH]


def read_surroundings(connection: Connection, accounts: Collection[str]) -> Surroundings:
    """Return what was seen of these accounts."""
    seen: dict[tuple[str, str], dict[str, Sight]] = {}
    for row in read_evidence(connection):
        sight = Sight(count=row.count, last_seen_at=row.last_seen_at)
        seen.setdefault((row.account, row.marketplace), {})[row.evidence] = sight
    return Surroundings(
        seen=seen,
        undecided=_undecided_copies(connection),
        known_from=_oldest_mails(connection, sorted(accounts)),
    )


def compare_figure(connection: Connection, figure: AmazonSnapshot, around: Surroundings) -> Comparison:
    """Return one figure of Amazon's beside ours of the same days: a count over the messages of its window.

    Raises:
        ValueError: the figure has no rate.
    """
    if figure.late_ratio is None:
        raise ValueError(
            f"{figure.account} {figure.marketplace}: Amazon tells no rate. Compare only those that have one."
        )
    place = (figure.account, figure.marketplace)
    seen = around.seen.get(place, {})
    row = connection.execute(_counts(figure.account, figure.marketplace, figure.window_days, figure.read_at)).one()
    values = row._mapping
    return Comparison(
        account=figure.account,
        marketplace=figure.marketplace,
        window_days=figure.window_days,
        read_at=figure.read_at,
        late_ratio=figure.late_ratio,
        ours=tuple(_figures(values, number) for number in range(len(EDGES))),
        known_from=around.known_from.get(figure.account),
        copies=seen.get("confirmation_copy", Sight()),
        replies=seen.get("sent_reply", Sight()),
        junk=int(values["junk"] or 0),
        undecided=around.undecided.get(place, 0),
        amazon_judged=figure.judged,
    )


def _counts(account: str, marketplace: str, days: int, read_at: datetime) -> Select[Any]:
    """Count the buyer messages of the window that ends at `read_at`, and of those that end earlier by each of `EDGES`."""
    received, big = message.c.received_at, message.c.id.type
    # Instants are stored as microseconds, so durations are plain arithmetic in both databases.
    deadline = cast(received, big) + literal(AMAZON_TARGET // timedelta(microseconds=1), big)
    columns = []
    for place, edge in enumerate(EDGES):
        at = read_at - edge
        inside = (received >= at - timedelta(days=days)) & (received <= at)
        waived = message.c.waived_at.is_not(None) & (message.c.waived_at <= at)
        answered = message.c.answered_at.is_not(None) & (message.c.answered_at <= at)
        counts = answered & (message.c.waived_at.is_(None) | (message.c.answered_at <= message.c.waived_at))
        in_time = counts & (cast(message.c.answered_at, big) <= deadline)
        overdue = deadline < to_microseconds(at)
        named = {
            "on_time": in_time,
            "late": counts & ~in_time,
            "no_response": ~counts & ~waived & overdue,
            "waived": ~counts & waived,
            "by_hand": counts & message.c.by_hand,
        }
        columns += [_sum(inside & one).label(f"{name}_{place}") for name, one in named.items()]
    at_all = (received >= read_at - timedelta(days=days)) & (received <= read_at)
    columns.append(_sum(at_all & (message.c.place == Where.JUNK.value)).label("junk"))
    return select(*columns).where(
        message.c.kind == Kind.BUYER_MESSAGE.value,
        message.c.account == account,
        message.c.marketplace == marketplace,
        message.c.received_at >= read_at - timedelta(days=days) - max(EDGES),
        message.c.received_at <= read_at,
        message.c.excluded.is_(False),
        message.c.target_seconds.is_not(None),
    )


def _sum(condition: Any) -> Any:
    return func.sum(cast(case((condition, 1), else_=0), Integer))


def _figures(values: Mapping[Any, Any], place: int) -> Figures:
    on_time, late, none, waived, by_hand = (
        int(values[f"{name}_{place}"] or 0) for name in ("on_time", "late", "no_response", "waived", "by_hand")
    )
    judged = on_time + late + none
    return Figures(
        received=judged + waived,
        on_time=on_time,
        late=late,
        no_response=none,
        waived=waived,
        response_rate=on_time / judged if judged else None,
        late_response_rate=(late + none) / judged if judged else None,
        marked_by_hand=by_hand,
    )


def _undecided_copies(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many replies and copies of replies wait for a person to say which thread they answer."""
    statement = (
        select(review.c.account, review.c.marketplace, func.count().label("waiting"))
        .where(review.c.settled_at.is_(None), review.c.kind.in_(("unproven_copy", "tie")))
        .group_by(review.c.account, review.c.marketplace)
    )
    return {(row.account, row.marketplace or ""): row.waiting for row in connection.execute(statement)}


def _oldest_mails(connection: Connection, accounts: Sequence[str]) -> dict[str, datetime]:
    """Return when the oldest mail of each account was received, of any kind."""
    statement = (
        select(message.c.account, func.min(message.c.received_at).label("oldest_at"))
        .where(message.c.account.in_(accounts))
        .group_by(message.c.account)
    )
    return {row.account: row.oldest_at for row in connection.execute(statement)}

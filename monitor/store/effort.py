"""How long one reply takes the team, by experience: the pauses between replies sent one after the other."""

from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, select

from monitor.core.messages import Kind
from monitor.store.schema import message

LOOK_BACK = timedelta(days=30)
LATEST = 400
"""Replies looked at: the newest say how the team works now, and a busy seller's month is not read whole."""

LONGEST_PAUSE = timedelta(minutes=30)
"""Whoever pauses for longer did something else in between."""

FEWEST_PAUSES = 8
"""Fewer say nothing."""

_REPLIES = (Kind.SELLER_REPLY.value, Kind.CONFIRMATION_COPY.value)


def read_median_effort(connection: Connection, now: datetime) -> timedelta | None:
    """Return the median pause between replies of one sitting, in whole minutes rounded up; None: too few to tell."""
    instants: set[datetime] = set()
    for kind in _REPLIES:
        statement = (
            select(message.c.received_at)
            .where(message.c.kind == kind, message.c.received_at > now - LOOK_BACK, message.c.received_at <= now)
            .order_by(message.c.received_at.desc())
            .limit(LATEST)
        )
        instants.update(connection.execute(statement).scalars())
    ordered = sorted(instants)
    pauses = [later - earlier for earlier, later in pairwise(ordered)]
    sittings = sorted(pause for pause in pauses if pause <= LONGEST_PAUSE)
    if len(sittings) < FEWEST_PAUSES:
        return None
    minutes = -(-sittings[len(sittings) // 2] // timedelta(minutes=1))
    return timedelta(minutes=max(minutes, 1))

"""What became of an attempt, written down in one transaction: arrived, refused, doubtful, or failed for good.

Owns the ends of rows: retry times, stand-ins for whoever cannot be reached, the notice to the team. Sends nothing.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from alerts.codes import free_code_of, rest_code_of
from alerts.core.model import Channel, Delivery, Notification, Post, Purpose, Receipt
from alerts.delivery.claim import Claimed
from alerts.delivery.content import carried_rows
from alerts.delivery.group import is_grouped
from alerts.delivery.ports import Ports, Target
from alerts.delivery.retry import backoff, retry_at
from alerts.errors import DeliveryError
from alerts.outbox import enqueue, notification_of, stand_in_key, whom_of
from alerts.tables import Cause, DeliveryStatus, NotificationStatus, delivery, insert_once, notification, post

_STOOD_IN_FOR = (Purpose.ALERT, Purpose.REOPENED, Purpose.LOOK_AHEAD, Purpose.BACKLOG)
_MISSED_QUIETLY = (Purpose.UPDATE, Purpose.TEST)
_CHECKED = (Channel.SMS, Channel.VOICE)
_CALLS_WITHOUT_A_CLOCK = 3
"""How often a phone rings about no wait of a buyer's: nothing runs out when it is not taken. A test rings once."""
_ERROR_LENGTH = 300


def record_sent(
    conn: Connection, claimed: Claimed, receipt: Receipt, ports: Ports, now: datetime, outcome: str = "sent"
) -> bool:
    """Record that the provider has it; False if another worker took this delivery over meanwhile."""
    item = claimed.delivery
    check_at = now + ports.timing.check_after[0] if item.channel in _CHECKED else None
    if not _finish(
        conn,
        claimed,
        DeliveryStatus.SENT,
        sent_at=now,
        provider_id=receipt.provider_id,
        check_at=check_at,
        reason=None,
        error=None,
    ):
        return False
    rows = carried_rows(conn, claimed.delivery_id)
    _end(conn, rows, NotificationStatus.SENT, None, now)
    for row in rows:
        ports.record_outcome(conn, row.receiver, row.channel, outcome)
    about = {row.thread_id for row in rows if row.thread_id is not None} or {facts.thread_id for facts in item.threads}
    if receipt.post is not None and len(about) == 1 and item.purpose is not Purpose.LOOK_AHEAD:
        _keep_post(conn, rows, item, receipt.post, now, changed_in_place=outcome == "sent")
    return True


def record_doubtful(conn: Connection, claimed: Claimed, error: DeliveryError, ports: Ports, now: datetime) -> bool:
    """Record that nobody knows whether it was accepted: the provider is asked once it has settled."""
    timing = ports.timing
    pause = timing.settle
    if claimed.attempts > 1:
        pause = max(pause, backoff(timing.first_retry, timing.longest_retry, claimed.attempts - 1))
    if error.retry_after is not None:
        # What is not found is sent again at once: not before the server wants to hear of it.
        pause = max(pause, min(error.retry_after, timing.longest_wait))
    if not _finish(
        conn,
        claimed,
        DeliveryStatus.DOUBTFUL,
        free_slot=False,
        next_attempt_at=now + pause,
        reason=error.reason.value,
        error=str(error)[:_ERROR_LENGTH],
    ):
        return False
    stand_in_for_pages(conn, carried_rows(conn, claimed.delivery_id), ports, now)
    return True


def record_refused(
    conn: Connection, claimed: Claimed, error: DeliveryError, ports: Ports, rng: random.Random, now: datetime
) -> bool:
    """Record that it was certainly not accepted: tried again later, or failed and handed on."""
    if not error.retryable:
        return record_failed(conn, claimed, error.reason.value, str(error), ports, now)
    if not _finish(conn, claimed, DeliveryStatus.REFUSED, reason=error.reason.value, error=str(error)[:_ERROR_LENGTH]):
        return False
    free_code_of(conn, claimed.delivery_id)
    _try_again(conn, carried_rows(conn, claimed.delivery_id), error, ports, rng, now)
    return True


def record_failed(conn: Connection, claimed: Claimed, reason: str, error: str, ports: Ports, now: datetime) -> bool:
    """Record a failure for good: the next receiver takes over and the team is told."""
    if not _finish(conn, claimed, DeliveryStatus.FAILED, reason=reason, error=error[:_ERROR_LENGTH]):
        return False
    fail_rows(conn, carried_rows(conn, claimed.delivery_id), reason, ports, now)
    return True


def record_undelivered(
    conn: Connection, row: Any, error: DeliveryError, ports: Ports, rng: random.Random, now: datetime
) -> None:
    """Record that an accepted SMS never reached the phone, or nobody took the call: try again, or fail and hand on.

    Where no clock runs a phone does not go on ringing for hours. Whatever of it nobody wants any more is cancelled when
    it is claimed again.
    """
    changed = conn.execute(
        update(delivery)
        .where(delivery.c.id == row.id, delivery.c.status == DeliveryStatus.SENT)
        .values(
            status=DeliveryStatus.UNDELIVERED.value,
            check_at=None,
            reason=error.reason.value,
            error=str(error)[:_ERROR_LENGTH],
        )
    ).rowcount
    if not changed:
        return
    rest_code_of(conn, row.id, now)
    rows = conn.execute(
        select(notification).where(
            notification.c.delivery_id == row.id, notification.c.status == NotificationStatus.SENT
        )
    ).all()
    rung_out = [one for one in rows if error.retryable and row.channel == Channel.VOICE and _rang_enough(one)]
    if not error.retryable or rung_out:
        fail_rows(conn, rung_out or rows, error.reason.value, ports, now)
    if error.retryable:
        _try_again(conn, [one for one in rows if one not in rung_out], error, ports, rng, now)


def _rang_enough(row: Any) -> bool:
    if row.clock_id is not None:
        return False
    return bool(row.purpose == Purpose.TEST or row.attempts >= _CALLS_WITHOUT_A_CLOCK)


def fail_rows(conn: Connection, rows: Sequence[Any], reason: str, ports: Ports, now: datetime) -> None:
    """End these rows as failed, hand each on to whoever is next, and tell the team once."""
    _end(conn, rows, NotificationStatus.FAILED, reason, now)
    for row in rows:
        ports.record_outcome(conn, row.receiver, row.channel, "failed")
    stand_in(conn, rows, ports, now)
    told = {(row.receiver, row.channel, row.person) for row in rows if row.purpose not in _MISSED_QUIETLY}
    for receiver, channel, person in sorted(told, key=str):
        _tell_team(conn, Target(receiver, Channel(channel), person), reason, ports, now)


def stand_in(conn: Connection, rows: Sequence[Any], ports: Ports, now: datetime, *, besides: str | None = None) -> int:
    """Enqueue these notifications for those who come next; return how many were new. Nobody is asked twice.

    `besides`: a person who is not to be tried another way.
    """
    planned = []
    for row in rows:
        if row.purpose not in _STOOD_IN_FOR:
            continue
        failed = notification_of(row)
        phones = _may_ring_phones(conn, failed, ports, now)
        for target in ports.directory.next_after(failed, now):
            if besides is not None and target.person == besides:
                continue
            if (phones or not is_grouped(target.channel)) and not _was_tried(conn, row.family, target):
                planned.append(_for_target(failed, target, now))
                break
    return enqueue(conn, planned, now)


def stand_in_for_pages(conn: Connection, rows: Sequence[Any], ports: Ports, now: datetime) -> None:
    """Hand on the pages that have failed for a while, while their own retries go on."""
    stand_in(conn, [row for row in rows if row.page and row.attempts >= ports.timing.stand_in_after], ports, now)


def _may_ring_phones(conn: Connection, failed: Notification, ports: Ports, now: datetime) -> bool:
    """Return False for a thread whose origin is not proven: it wakes nobody, whoever else cannot be reached."""
    if failed.clock_id is None:
        return True
    facts = ports.load_facts(conn, [failed.clock_id], now).get(failed.clock_id)
    return facts is None or facts.verified


def _was_tried(conn: Connection, family: str, target: Target) -> bool:
    found = select(notification.c.id).where(
        notification.c.family == family,
        notification.c.channel == target.channel.value,
        notification.c.whom == whom_of(target.receiver, target.person),
    )
    return conn.execute(found.limit(1)).first() is not None


def _for_target(failed: Notification, target: Target, now: datetime) -> Notification:
    return Notification(
        key=stand_in_key(failed.key, target.receiver, target.channel, target.person),
        purpose=failed.purpose,
        receiver=target.receiver,
        channel=target.channel,
        due_at=now,
        person=target.person,
        thread_id=failed.thread_id,
        clock_id=failed.clock_id,
        step=failed.step,
        occurrence=failed.occurrence,
        page=failed.page or is_grouped(target.channel),
        verified=failed.verified,
        expires_at=failed.expires_at,
        content=failed.content,
    )


def _tell_team(conn: Connection, failed: Target, reason: str, ports: Ports, now: datetime) -> None:
    """Tell once that a receiver cannot be reached; again only after something had reached it in between."""
    whom = whom_of(failed.receiver, failed.person)
    last = conn.scalar(
        select(func.max(delivery.c.id)).where(
            delivery.c.channel == failed.channel.value,
            delivery.c.whom == whom,
            delivery.c.status == DeliveryStatus.SENT,
        )
    )
    content = {
        "kind": "receiver_failed",
        "receiver": failed.receiver,
        "channel": failed.channel.value,
        "person": failed.person,
        "reason": reason,
    }
    trouble = f"health:receiver:{whom}:{failed.channel}:{last or 0}"
    planned = [
        Notification(
            key=f"{trouble}:{target.receiver}:{target.person or '-'}:{target.channel}",
            purpose=Purpose.HEALTH,
            receiver=target.receiver,
            channel=target.channel,
            person=target.person,
            due_at=now,
            content=content,
        )
        for target in ports.directory.health_targets(now)
        if (whom_of(target.receiver, target.person), target.channel) != (whom, failed.channel)
    ]
    enqueue(conn, planned, now)


def _try_again(
    conn: Connection, rows: Sequence[Any], error: DeliveryError, ports: Ports, rng: random.Random, now: datetime
) -> None:
    given_up = []
    for row in rows:
        again_at = retry_at(ports.timing, row.attempts, error.retry_after, rng, now)
        if again_at is None:
            given_up.append(row)
            continue
        conn.execute(
            update(notification)
            .where(notification.c.id == row.id)
            .values(
                status=NotificationStatus.PENDING.value,
                next_attempt_at=again_at,
                reason=error.reason.value,
                finished_at=None,
            )
        )
        ports.record_outcome(conn, row.receiver, row.channel, "retried")
    if given_up:
        fail_rows(conn, given_up, Cause.GAVE_UP.value, ports, now)
    stand_in_for_pages(conn, rows, ports, now)


def _thread_of(rows: Sequence[Any], item: Delivery) -> int:
    """Return the thread whose message this is: the rows' own, which may have joined another while it was under way."""
    found = next((row.thread_id for row in rows if row.thread_id is not None), None) or item.threads[0].thread_id
    return int(found)


def _keep_post(
    conn: Connection, rows: Sequence[Any], item: Delivery, stands: Post, now: datetime, *, changed_in_place: bool
) -> None:
    """Let this message be its thread's own; where the thread has another by now, let this one say that it is not.

    `changed_in_place`: `item.post` is the message that was to be changed, not only the one that the thread has by now.
    """
    if "gone" in item.content:  # the last line of a message that is no thread's any more
        return
    place = {"channel": item.channel.value, "place": item.address, "thread_id": _thread_of(rows, item)}
    values = {"post_channel": stands.channel, "post_message": stands.message}
    row = {**place, **values, "receiver": item.receiver, "created_at": now}
    if conn.execute(insert_once(conn, post, *place).returning(post.c.id), row).first() is not None:
        return
    of_some_thread = (post.c[name] == value for name, value in values.items())
    if conn.scalar(select(post.c.id).where(post.c.channel == item.channel.value, *of_some_thread).limit(1)) is not None:
        return
    if changed_in_place and item.post is not None:  # it was gone, so a new one took its place
        former = {"post_channel": item.post.channel, "post_message": item.post.message}
        here = (post.c[name] == value for name, value in {**place, **former}.items())
        if conn.execute(update(post).where(*here).values(**values)).rowcount:
            return
    enqueue(conn, [_last_line(rows, item, stands, now)], now)


def _last_line(rows: Sequence[Any], item: Delivery, stands: Post, now: datetime) -> Notification:
    return Notification(
        key=f"left:{item.reference}",
        purpose=Purpose.UPDATE,
        receiver=item.receiver,
        channel=item.channel,
        person=item.person,
        thread_id=_thread_of(rows, item),
        clock_id=next((row.clock_id for row in rows if row.clock_id is not None), None),
        due_at=now,
        content={"gone": "joined", "post": {"channel": stands.channel, "message": stands.message}},
    )


def _finish(
    conn: Connection, claimed: Claimed, status: DeliveryStatus, *, free_slot: bool = True, **values: Any
) -> bool:
    """Set a delivery's end, unless another worker has taken this attempt over; return whether it was ours."""
    if free_slot:
        values["slot"] = None
    result = conn.execute(
        update(delivery)
        .where(
            delivery.c.id == claimed.delivery_id,
            delivery.c.attempts == claimed.attempts,
            delivery.c.status.in_((DeliveryStatus.SENDING, DeliveryStatus.DOUBTFUL)),
        )
        .values(status=status.value, **values)
    )
    return result.rowcount == 1


def _end(conn: Connection, rows: Sequence[Any], status: NotificationStatus, reason: str | None, now: datetime) -> None:
    conn.execute(
        update(notification)
        .where(notification.c.id.in_([row.id for row in rows]))
        .values(status=status.value, reason=reason, finished_at=now)
    )

"""What an order says about a wait: it is shown where the thread stands, and a missed promise may move its alerts forward."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from alerts.core.policy import policy_to_json
from alerts.core.policy_switch import choose_again, switch_policy
from monitor.config.model import Config
from monitor.core.labels import PRIORITIES, PROMISE_MISSED
from monitor.core.orders import order_facts_from_json, shows_missed_promise
from monitor.jobs.services import Services
from monitor.jobs.told import follow_changes
from monitor.store.changes import ChangeKind, ClockChange
from monitor.store.due import PolicyCache
from monitor.store.engine import reading, writing
from monitor.store.promises import OrderedClock, read_clocks_of_orders, read_ordered, record_label, record_policy
from monitor.store.tallies import Tallies

log = structlog.get_logger(__name__)


def show_orders(connection: Connection, account: str, order_hashes: Sequence[int], now: datetime) -> int:
    """Have the messages that stand about these orders redrawn, in the transaction that stored what is known of them.

    Rings nobody. Returns how many redrawings were planned.
    """
    changes = [
        ClockChange(kind=ChangeKind.CHANGED, clock_id=clock_id, thread_id=thread_id)
        for clock_id, thread_id in read_clocks_of_orders(connection, account, order_hashes)
    ]
    return follow_changes(connection, changes, now) if changes else 0


def watch_promises(services: Services, policies: PolicyCache) -> int:
    """Label the open threads whose promised delivery has passed; return how many are new.

    A policy that fits by that label or its priority takes over from here on; what was told before is not told again.
    A clock whose phones wait for a proof of its mail's origin is left for later, so that they are not forgotten.
    """
    now = services.utc_now()
    priorities = label_priorities(services.config)
    with reading(services.engine) as connection:
        if not any(_newly_missed(one, now) for one in read_ordered(connection)):
            return 0  # the usual case waits for no other writer
    found: list[ClockChange] = []
    tallies = Tallies()
    with services.planning, writing(services.engine) as connection:
        for one in read_ordered(connection):
            if not _newly_missed(one, now):
                continue
            if PROMISE_MISSED not in one.labels:
                tallies.add("message_labels", one.row.account, PROMISE_MISSED)
            _label(connection, services, policies, one, priorities, now)
            found.append(ClockChange(kind=ChangeKind.CHANGED, clock_id=one.row.id, thread_id=one.row.thread_id))
        if found:
            tallies.save(connection)
            follow_changes(connection, found, now)
    if found:
        services.wake.set()
        log.info("promised deliveries have passed", threads=len(found))
    return len(found)


def label_priorities(config: Config) -> dict[str, int]:
    """Return the priority of each label, the seller's own included."""
    own = {rule.name: rule.priority for rule in config.labels if rule.priority is not None}
    return {**PRIORITIES, **own}


def _newly_missed(one: OrderedClock, now: datetime) -> bool:
    # A mail that was being read meanwhile may have drawn the thread without it.
    labelled = PROMISE_MISSED in one.labels and PROMISE_MISSED in one.thread_labels
    if labelled or one.row.phones_held:
        return False
    try:
        return shows_missed_promise(order_facts_from_json(one.order), one.labels, now)
    except ValueError:
        return False


def _label(
    connection: Connection,
    services: Services,
    policies: PolicyCache,
    one: OrderedClock,
    priorities: dict[str, int],
    now: datetime,
) -> None:
    priority = priorities[PROMISE_MISSED]
    running = policies.get(connection, one.row.policy_id)
    chosen = choose_again(
        services.config.policies,
        running.name,
        account=one.row.account,
        marketplace=one.row.marketplace,
        labels=one.labels,
        priority=one.priority,
        added=PROMISE_MISSED,
        priority_after=max(one.priority, priority),
        text=one.text,
    )
    record_label(
        connection,
        one,
        _with_label(one.labels, priorities),
        _with_label(one.thread_labels, priorities),
        priority,
    )
    if chosen is not None:
        policy = switch_policy(running, one.row.step_reached, chosen, one.row.deadline_at - now)
        record_policy(connection, one.row.id, policy_to_json(policy), now)


def _with_label(labels: Sequence[str], priorities: dict[str, int]) -> list[str]:
    """Return the labels and the new one, most important first."""
    every = dict.fromkeys((*labels, PROMISE_MISSED))
    return sorted(every, key=lambda label: -priorities.get(label, 0))

"""What a planned notification would say, in a line: for those who look before anything is sent."""

from datetime import datetime

from sqlalchemy import Connection

from alerts.core.model import Delivery, Notification
from alerts.core.words.catalog import words_for
from alerts.core.words.summaries import render_summary
from alerts.core.words.threads import line
from monitor.jobs.services import Services
from monitor.store.open_threads import read_facts


def first_line(connection: Connection, services: Services, item: Notification, now: datetime) -> str:
    """Return the line about its thread, in English; of a summary the first one; of a purpose without words its name."""
    zone = services.config.worker.time_zone.key
    if item.clock_id is not None:
        facts = read_facts(connection, [item.clock_id], services.facts_context, now).get(item.clock_id)
        return "" if facts is None else line(words_for("en", zone), facts, now)
    summary = Delivery(
        reference="", purpose=item.purpose, channel=item.channel, receiver=item.receiver, address="", now=now,
        time_zone=zone, content=item.content,
    )  # fmt: skip
    try:
        return render_summary(words_for("en", zone), summary).title
    except (LookupError, ValueError):
        return item.purpose.value.replace("_", " ")

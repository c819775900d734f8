"""Telling people of the connection to Amazon: a secret that ends, and that nothing comes any more. Each once."""

from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from alerts.core.model import Purpose
from alerts.core.words import content
from monitor.jobs.people import AddressBook
from monitor.jobs.services import Services
from monitor.jobs.watch import tell_of_itself
from monitor.store.amazon import Task, read_tasks
from monitor.store.engine import reading, writing
from monitor.store.health import read_mark, record_mark

SECRET_STAGES_DAYS = (30, 7, 1, 0)
"""Days that are left when the end of a client secret is told; 0: it has ended."""

PATIENCE = timedelta(hours=6)
"""Amazon out of order for an hour is nobody's business: nothing but figures and facts of orders wait."""

FAILURES = {"login": 2, "role": 2}
"""What a person has to mend is told after so many failures in a row; everything else after `PATIENCE`."""

SECRET, SILENT = "amazon_secret:", "amazon_silent:"


def watch_amazon(services: Services, book: AddressBook) -> int:
    """Tell of what newly went wrong between us and Amazon; return how many things were told."""
    now = services.utc_now()
    with reading(services.engine) as connection:
        if not _due(connection, services, now):
            return 0  # the usual case waits for no other writer
    with writing(services.engine) as connection:
        due = _due(connection, services, now)
        for key, words in due:
            tell_of_itself(connection, services, book, key, Purpose.HEALTH, words, now)
            record_mark(connection, key, now)
    if due:
        services.wake.set()
    return len(due)


def secret_stage(expires: date, today: date) -> int | None:
    """Return the stage at which the end of a secret stands: the days left when it was last to be told, None before all."""
    left = (expires - today).days
    return next((stage for stage in sorted(SECRET_STAGES_DAYS) if left <= stage), None)


def _due(connection: Connection, services: Services, now: datetime) -> list[tuple[str, content.Content]]:
    """Return what is to be told and was not, each under its key."""
    found: list[tuple[str, content.Content]] = []
    for account in services.config.accounts:
        if account.sp_api is None:
            continue
        name = f'SP-API "{account.name}"'
        expires = account.sp_api.secret_expires
        stage = None if expires is None else secret_stage(expires, now.date())
        if expires is not None and stage is not None:
            kind = content.HealthKind.SECRET_EXPIRES if stage else content.HealthKind.SECRET_EXPIRED
            words = content.health(kind, name, detail=expires.isoformat())
            found.append((f"{SECRET}{account.name}:{expires.isoformat()}:{stage}", words))
        for task in read_tasks(connection, f"trouble:{account.name}:").values():
            since = datetime.fromisoformat(task.body["since"])
            if _lasts(task, since, now):
                detail = str(task.body["problem"]).partition(": ")[2]
                words = content.health(content.HealthKind.AMAZON_SILENT, name, since=since, detail=detail)
                found.append((f"{SILENT}{task.key}:{int(since.timestamp())}", words))
    return [(key, words) for key, words in found if read_mark(connection, key) is None]


def _lasts(task: Task, since: datetime, now: datetime) -> bool:
    if task.state in FAILURES:
        return task.attempts >= FAILURES[task.state]
    return now - since >= PATIENCE and task.attempts > 2

"""Gathers what `replyby doctor` judges: looks at everything once, changes nothing, and lets no one failure hide the rest."""

import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from alerts.core.schedule import Schedule, gaps, on_call_at
from alerts.outbox import stats
from monitor.config.model import Config
from monitor.errors import ReplyByError, StoreError
from monitor.jobs.answers import PROVEN
from monitor.jobs.differences import DIFFERS, split_mark
from monitor.jobs.people import OPTED_OUT
from monitor.report.place import find_directory_trouble
from monitor.setup.doctor_facts import Facts, MailboxLook, SilenceLook
from monitor.setup.probes import SlackFacts, TwilioFacts, probe_slack, probe_twilio
from monitor.sources.base import MailSource
from monitor.store.amazon import read_tasks
from monitor.store.engine import WorkerLock, reading, store_error
from monitor.store.evidence import read_evidence, read_sighted
from monitor.store.health import HEARTBEAT, STARTED, count_bad_mails, read_health, read_mark, read_marks
from monitor.store.silences import read_silences
from monitor.store.snapshots import count_reviews

GAP_AHEAD = timedelta(days=7)
DAMAGED_LATELY = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What there is to look at.

    Attributes:
        now: aware UTC.
        engine: the open database; None: it could not be opened, and `store_trouble` says why.
        schedules: by name, from the directory.
        sources: by mailbox. sign_ins: by mailbox with OAuth, what says what will end its sign-in.
    """

    config: Config
    now: datetime
    engine: Engine | None = None
    store_trouble: str = ""
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    sources: Mapping[str, MailSource] = field(default_factory=dict)
    sign_ins: Mapping[str, Callable[[datetime], str | None]] = field(default_factory=dict)


def gather_facts(around: Surroundings) -> Facts:
    """Return what the checks judge. Logs in to mailboxes, Slack and Twilio; sends nothing."""
    config, now = around.config, around.now
    stored: dict[str, Any] = {"database": around.store_trouble}
    read_at: dict[str, datetime | None] = {}
    if around.engine is not None:
        stored, read_at = _from_store(around.engine, config, now)
    slack, twilio = _try_slack(config), _try_twilio(config)
    return Facts(
        config=config,
        now=now,
        mailboxes={name: _look(source, read_at.get(name)) for name, source in around.sources.items()},
        clock_skew=_skew(slack, twilio),
        config_changed_at=_changed_at(config.path),
        disk_free=_disk_free(config),
        report=_report_trouble(config),
        slack=slack,
        not_member_of=_not_member_of(config, slack),
        twilio=twilio,
        on_call={name: on_call_at(schedule, now) for name, schedule in around.schedules.items()},
        gaps=_gaps(around.schedules, now),
        tokens={name: line for name, find in around.sign_ins.items() if (line := find(now)) is not None},
        **stored,
    )


def _from_store(engine: Engine, config: Config, now: datetime) -> tuple[dict[str, Any], dict[str, datetime | None]]:
    """Return what stands in the database, and when each mailbox was last read; where it fails, why."""
    try:
        with reading(engine) as connection:
            trouble = _database_trouble(connection, engine)
            facts = {"database": trouble, "worker": worker_runs(engine), **_read(connection, config, now)}
            return facts, {one.mailbox: one.last_success_at for one in read_health(connection)}
    except StoreError as error:
        return {"database": str(error)}, {}
    except DBAPIError as error:
        return {"database": str(store_error(engine.url, error))}, {}


def _amazon_troubles(connection: Connection, config: Config) -> tuple[tuple[str, str], ...]:
    """Return, by account, what asking Amazon failed with lately and more than once."""
    return tuple(
        (account.name, str(task.body.get("problem", "")))
        for account in config.accounts
        if account.sp_api is not None
        for task in read_tasks(connection, f"trouble:{account.name}:").values()
        if task.attempts > 1
    )


def _read(connection: Connection, config: Config, now: datetime) -> dict[str, Any]:
    waiting = stats(connection, now)
    proven = read_marks(connection, PROVEN)
    sighted = read_sighted(connection)
    return {
        "amazon": _amazon_troubles(connection, config),
        "outbox_pending": waiting.pending,
        "outbox_oldest_due_at": waiting.oldest_at,
        "silences": tuple(
            SilenceLook(id=one.id, until=one.ends_at, by=one.author, comment=one.comment)
            for one in read_silences(connection, now)
            if one.starts_at <= now
        ),
        "worker_started_at": read_mark(connection, STARTED),
        "heartbeat_at": read_mark(connection, HEARTBEAT),
        "opted_out": tuple(name.removeprefix(OPTED_OUT) for name in sorted(read_marks(connection, OPTED_OUT))),
        "unproven": tuple(
            person.name for person in config.people if person.phone and f"{PROVEN}{person.name}" not in proven
        ),
        "blind": tuple(
            (row.account, row.marketplace)
            for row in read_evidence(connection)
            if row.evidence == "buyer_message" and row.marketplace and (row.account, row.marketplace) not in sighted
        ),
        "differing": tuple(split_mark(name) for name in sorted(read_marks(connection, DIFFERS))),
        "review_pending": sum(count_reviews(connection).values()),
        "damaged": count_bad_mails(connection, now - DAMAGED_LATELY),
    }


def _database_trouble(connection: Connection, engine: Engine) -> str:
    """Return what SQLite finds wrong with its file, "" for nothing; PostgreSQL looks after itself."""
    if engine.url.get_backend_name() != "sqlite":
        return ""
    found = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    return "" if found == "ok" else "its file is damaged. Stop the worker and restore the last backup."


def worker_runs(engine: Engine) -> bool:
    """Return whether a worker holds this database."""
    lock = WorkerLock(engine)
    stop = threading.Event()
    stop.set()
    try:
        return not lock.acquire(stop, poll_seconds=0)
    except StoreError:
        return True
    finally:
        lock.release()


def _look(source: MailSource, last_read_at: datetime | None) -> MailboxLook:
    try:
        return MailboxLook(facts=source.probe(), last_read_at=last_read_at)
    except ReplyByError as error:
        return MailboxLook(trouble=str(error), last_read_at=last_read_at)
    finally:
        source.close()


def _changed_at(path: Path) -> datetime | None:
    """Return when a file was last written; None: it is not there any more."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def _disk_free(config: Config) -> dict[str, int]:
    """Return the bytes left where the database and the keys lie; a folder that is still to be made counts as its parent."""
    places = {"state": config.worker.state_directory}
    if config.worker.database.startswith("sqlite:///"):
        places = {"database": Path(config.worker.database.removeprefix("sqlite:///")).parent}
    free = {}
    for what, path in places.items():
        folder = next((one for one in (path, *path.parents) if one.exists()), None)
        if folder is not None:
            free[what] = shutil.disk_usage(folder).free
    return free


def _report_trouble(config: Config) -> str:
    directory = None if config.report is None else config.report.directory
    return (directory and find_directory_trouble(directory)) or ""


def _gaps(schedules: Mapping[str, Schedule], now: datetime) -> dict[str, datetime]:
    found = {name: gaps(schedule, now, now + GAP_AHEAD) for name, schedule in schedules.items()}
    return {name: these[0].from_at for name, these in found.items() if these}


def _try_slack(config: Config) -> SlackFacts | str | None:
    if config.slack is None:
        return None
    try:
        return probe_slack(config.slack.bot_token, config.slack.app_token, config.slack.api_url)
    except ReplyByError as error:
        return str(error).removeprefix("Slack: ")


def _skew(*looked_at: SlackFacts | TwilioFacts | str | None) -> timedelta | None:
    """Return this machine's time minus that of the first provider that told it."""
    told = (one.clock_skew for one in looked_at if isinstance(one, SlackFacts | TwilioFacts))
    return next((skew for skew in told if skew is not None), None)


def _not_member_of(config: Config, slack: SlackFacts | str | None) -> tuple[str, ...]:
    if not isinstance(slack, SlackFacts):
        return ()
    wanted = [one for one in config.receivers if one.type == "slack" and one.target]
    return tuple(one.name for one in wanted if one.target not in slack.member_of)


def _try_twilio(config: Config) -> TwilioFacts | str | None:
    if config.twilio is None:
        return None
    try:
        return probe_twilio(config.twilio.account_sid, config.twilio.auth_token, config.twilio.api_url)
    except ReplyByError as error:
        return str(error).removeprefix("Twilio: ")

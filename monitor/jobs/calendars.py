"""Keeps on-call calendars as they are at their addresses while the worker runs."""

from dataclasses import replace

import structlog

from monitor.calendars import read_calendar
from monitor.errors import ConfigError
from monitor.jobs.services import Services

log = structlog.get_logger(__name__)


def refresh_calendars(services: Services) -> int:
    """Read every calendar again and return how many changed; one that cannot be read stays as it is, and is logged."""
    now = services.utc_now()
    standing = services.directory.schedules
    changed = {}
    for schedule in services.config.schedules:
        if not schedule.ical:
            continue
        try:
            calendar, trouble = read_calendar(schedule, services.config, now)
        except ConfigError as error:
            log.warning("calendar not read", schedule=schedule.name, problem=str(error))
            continue
        before = standing[schedule.name]
        if trouble is not None:
            log.warning("calendar not read", schedule=schedule.name, problem=trouble)
        elif calendar != before.calendar:
            changed[schedule.name] = replace(before, calendar=calendar)
    if changed:
        services.roster.replace_schedules({**standing, **changed})
        log.info("calendars changed", schedules=sorted(changed))
    return len(changed)

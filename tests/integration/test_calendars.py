"""On-call calendars by address: out of reach at a start, out of reach for a while, changed while the worker runs."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alerts.core.schedule import on_call_at
from monitor.bootstrap import build_services
from monitor.config.loader import load_config
from monitor.errors import ConfigError
from monitor.jobs.calendars import refresh_calendars
from monitor.jobs.services import Services
from monitor.store.opening import open_store
from tests.fakes import FakeWallClock
from tests.support.fault_server import Call, Fault, FaultServer, HttpAnswer

SECRET = "private-0123456789abcdef"
CONFIG = """
[[mailbox]]
type = "simulated"
[slack]
bot_token = "xoxb-nobody"
[[person]]
name = "Ana"
slack_user = "U0123"
[[person]]
name = "Bo"
slack_user = "U0456"
[[schedule]]
name = "primary"
ical = "{address}"
[[receiver]]
name = "duty"
type = "person"
schedule = "primary"
"""


class CalendarServer(FaultServer):
    """Serves one calendar, in which `person` is on call for ever."""

    person = "Ana"

    def _route(self, verb: str, path: str) -> str:
        return "calendar"

    def _answer(self, call: Call) -> HttpAnswer:
        text = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//invented//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
            f"DTSTART:20260101T000000Z\r\nDTEND:20280101T000000Z\r\nSUMMARY:{self.person}\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        return HttpAnswer(body=text.encode(), content_type="text/calendar")

    def _provider_error(self, fault: Fault) -> HttpAnswer:
        return HttpAnswer(status=404, body=b"gone", content_type="text/plain")


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    made = CalendarServer().start()
    yield made
    made.stop()


@pytest.fixture
def clock() -> FakeWallClock:
    return FakeWallClock()


def start(folder: Path, server: CalendarServer, clock: FakeWallClock) -> Services:
    (folder / "config.toml").write_text(CONFIG.format(address=f"{server.base_url}/{SECRET}.ics"))
    config = load_config(folder / "config.toml", {})
    services = build_services(config, open_store(config, clock), now=clock)
    services.engine.dispose()
    return services


def on_call(services: Services, clock: FakeWallClock) -> str | None:
    return on_call_at(services.directory.schedules["primary"], clock())


TROUBLES = ("server_error", "html", "error", "drop_after", "cut_after")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_worker_starts_without_its_calendar_and_follows_it_once_it_is_there(
    tmp_path: Path, server: CalendarServer, clock: FakeWallClock, trouble: str
) -> None:
    status = 200 if trouble == "html" else 0
    server.faults.fail_next("calendar", trouble, times=100, status=status)  # type: ignore[arg-type]
    services = start(tmp_path, server, clock)
    assert on_call(services, clock) is None
    reached = {target.contact.person for target in services.directory.targets(("duty",), clock())}
    assert reached == {"Ana", "Bo"}, "whoever it may name is told"
    with capture_logs() as log:
        assert refresh_calendars(services) == 0
    assert [line["event"] for line in log] == ["calendar not read"]
    assert SECRET not in str(log)
    server.faults.clear()
    assert refresh_calendars(services) == 1
    assert on_call(services, clock) == "Ana"


def test_a_copy_stands_in_after_a_restart_and_is_private(
    tmp_path: Path, server: CalendarServer, clock: FakeWallClock
) -> None:
    assert on_call(start(tmp_path, server, clock), clock) == "Ana"
    copy = tmp_path / "var" / "calendars" / "primary.ics"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    server.faults.fail_next("calendar", "server_error", times=100)
    clock.advance(days=2)
    services = start(tmp_path, server, clock)
    assert on_call(services, clock) == "Ana"
    with capture_logs() as log:
        refresh_calendars(services)
    assert "copy of 2026-11-20 12:00 UTC stands in" in str(log)


def test_a_changed_calendar_is_followed_and_one_that_breaks_changes_nothing(
    tmp_path: Path, server: CalendarServer, clock: FakeWallClock
) -> None:
    services = start(tmp_path, server, clock)
    server.person = "Bo"
    clock.advance(minutes=15)
    assert refresh_calendars(services) == 1
    assert on_call(services, clock) == "Bo"
    clock.advance(minutes=15)
    assert refresh_calendars(services) == 0
    server.faults.fail_next("calendar", "html", status=200)
    clock.advance(minutes=15)
    assert refresh_calendars(services) == 0
    assert on_call(services, clock) == "Bo"


def test_a_command_soon_after_does_not_ask_again(tmp_path: Path, server: CalendarServer, clock: FakeWallClock) -> None:
    start(tmp_path, server, clock)
    clock.advance(timedelta(minutes=9))
    start(tmp_path, server, clock)
    assert len(server.requests) == 1


def test_a_file_that_is_no_calendar_is_told_in_one_line(tmp_path: Path, clock: FakeWallClock) -> None:
    (tmp_path / "duty.ics").write_text("<html>sign in</html>")
    (tmp_path / "config.toml").write_text(CONFIG.format(address="duty.ics"))
    config = load_config(tmp_path / "config.toml", {})
    store = open_store(config, clock)
    with pytest.raises(ConfigError, match=r"duty.ics: calendar: not an iCalendar text"):
        build_services(config, store, now=clock)
    store.engine.dispose()

"""A simulated seller of whose replies in Seller Central the mailbox shows only some: report and alarm say what is behind it.

Amazon's figures are the truth: those of a mailbox that shows everything. The worker under test reads a mailbox in which
copies of replies are missing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any
from zlib import crc32

import pytest
from freezegun import freeze_time
from sqlalchemy import update
from typer.testing import CliRunner

from alerts import outbox
from alerts.core.model import Delivery, Purpose
from alerts.core.words.catalog import words_for
from alerts.core.words.summaries import render_summary
from monitor.bootstrap import build_services, build_worker
from monitor.cli import app
from monitor.config.loader import load_config
from monitor.config.model import MailboxConfig
from monitor.core.difference import FEWEST_JUDGED
from monitor.core.figures import Figures
from monitor.core.snapshot import AmazonSnapshot
from monitor.core.weeks import week_of
from monitor.jobs.comparing import read_chosen
from monitor.jobs.differences import LOOK_EVERY, watch_differences
from monitor.jobs.reporting import make_report
from monitor.jobs.services import Services
from monitor.parse import wants_mail
from monitor.report.compose import build_view
from monitor.report.render_json import report_to_json
from monitor.report.render_markdown import render_text
from monitor.setup.doctor_facts import Facts
from monitor.setup.gather import Surroundings, gather_facts
from monitor.sources.base import Batch, Cursor, RawMail
from monitor.sources.simulated.source import SimulatedSource
from monitor.store.amazon import FigureRow, record_figures
from monitor.store.differences import compare_figure, read_fresh_figures, read_surroundings
from monitor.store.engine import reading, writing
from monitor.store.opening import open_store
from monitor.store.schema import message
from monitor.store.snapshots import read_rates
from monitor.worker import Worker
from tests.fakes import FakeWallClock

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
COPY = b"BBC_MESSAGE_CONFIRMATION_TO_MERCHANT"
GERMANY = b"A1PA6795UKMFR9"
CONFIG = """
[worker]
database = "sqlite:///replyby.db"
time_zone = "Europe/Paris"
lookback = "40d"
[[account]]
name = "acme-eu"
notified_at = ["support@simulated.example"]
reply_from = ["support@simulated.example"]
[[mailbox]]
name = "support"
type = "simulated"
authserv_id = "mx.simulated.example"
[[receiver]]
name = "terminal"
type = "console"
"""

Shows = Callable[[RawMail], bool]
Rates = Mapping[str, Mapping[int, float]]


class Mailbox(SimulatedSource):
    """The invented seller's mailbox, without the mails that `shows` refuses."""

    def __init__(self, mailbox: MailboxConfig, shows: Shows, clock: FakeWallClock) -> None:
        super().__init__(mailbox, wants_mail, utc_now=clock, live_every=timedelta(0))
        self._shows = shows

    def fetch_new(self, cursors: Mapping[str, Cursor], since: datetime) -> Iterator[Batch]:
        for batch in super().fetch_new(cursors, since):
            yield replace(batch, mails=tuple(mail for mail in batch.mails if self._shows(mail)))


def is_copy(mail: RawMail) -> bool:
    return COPY in mail.content


def everything(mail: RawMail) -> bool:
    return True


def all_but_german_copies(mail: RawMail) -> bool:
    return not (is_copy(mail) and GERMANY in mail.content)


def every_second_copy(mail: RawMail) -> bool:
    return not (is_copy(mail) and crc32(mail.content) % 2)


def copies_until_a_month_ago(mail: RawMail) -> bool:
    return not (is_copy(mail) and mail.received_at > NOW - timedelta(days=31))


@dataclass
class Seller:
    """A worker on the mailbox, and Amazon's figures beside it."""

    services: Services
    worker: Worker
    clock: FakeWallClock

    @classmethod
    def begin(cls, folder: Path, shows: Shows, changes: Mapping[str, str]) -> "Seller":
        """Begin in this folder; what a worker read there before is not read again."""
        clock = FakeWallClock(NOW)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.toml"
        text = CONFIG
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        config = load_config(path, {})
        services = build_services(config, open_store(config, clock), now=clock, with_sources=True, as_worker=True)
        services = replace(services, sources={"support": Mailbox(config.mailboxes[0], shows, clock)})
        seller = cls(services, build_worker(services), clock)
        assert seller.worker.poll("support").failed is None
        return seller

    def late(self) -> Rates:
        """Return the late share by marketplace and days, as this mailbox shows it."""
        with reading(self.services.engine) as connection:
            rates = read_rates(connection, NOW)
        return {
            marketplace: {days: 1 - on_time / judged for days, (on_time, judged) in spans.items() if judged}
            for (_, marketplace), spans in rates.items()
        }

    def hear(self, late: Rates, *, days: tuple[int, ...] = (30,), average: float = 5 * 3600.0) -> None:
        """Let Amazon's report arrive now."""
        with writing(self.services.engine) as connection:
            for marketplace in ("FR", "DE"):
                rows = [
                    FigureRow(window_days=one, late_ratio=late[marketplace][one], average_response_seconds=average)
                    for one in days
                ]
                record_figures(connection, "acme-eu", marketplace, rows, self.clock())

    def watch(self) -> list[str]:
        """Compare, and return in English what was told: title and lines."""
        watch_differences(self.services, self.worker.book)
        with reading(self.services.engine) as connection:
            due = [one for one in outbox.due(connection, self.clock()) if one.purpose is Purpose.HEALTH]
        told = []
        for one in due:
            delivery = Delivery(
                reference="r", purpose=one.purpose, channel=one.channel, receiver=one.receiver, address="-",
                now=self.clock(), content=one.content,
            )  # fmt: skip
            summary = render_summary(words_for("en", "Europe/Paris"), delivery)
            told.append("\n".join([summary.title, *summary.lines]))
        self.worker.dispatcher.deliver_due(self.clock(), wait_seconds=60)
        return told

    def report(self) -> str:
        """Return the report of last week as a mail's text shows it, in English."""
        zone = self.services.config.worker.time_zone
        report = make_report(self.services, week_of(NOW - timedelta(days=7), zone))
        return render_text(build_view(report)).replace("\u00a0", " ")

    def doctor(self) -> Facts:
        """Return what `replyby doctor` judges, of what stands in the database."""
        return gather_facts(Surroundings(config=self.services.config, now=self.clock(), engine=self.services.engine))

    def close(self) -> None:
        self.worker.dispatcher.stop(5)
        self.services.engine.dispose()


@pytest.fixture(scope="module")
def read_already(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Shows], Path]:
    """Give the folder of a worker that has read a mailbox, made when first asked for."""
    folders: dict[Shows, Path] = {}

    def folder_of(shows: Shows) -> Path:
        if shows not in folders:
            folders[shows] = tmp_path_factory.mktemp("read")
            Seller.begin(folders[shows], shows, {}).close()
        return folders[shows]

    return folder_of


@pytest.fixture(scope="module")
def truth(read_already: Callable[[Shows], Path]) -> Rates:
    """Give what Amazon counts: it sees every reply."""
    seller = Seller.begin(read_already(everything), everything, {})
    late = seller.late()
    seller.close()
    return late


@pytest.fixture
def begin(tmp_path: Path, read_already: Callable[[Shows], Path]) -> Iterator[Callable[..., Seller]]:
    begun: list[Seller] = []

    def make(shows: Shows, changes: Mapping[str, str] | None = None) -> Seller:
        folder = tmp_path / str(len(begun))
        if changes is None:
            copytree(read_already(shows), folder)
        begun.append(Seller.begin(folder, shows, changes or {}))
        return begun[-1]

    yield make
    for seller in begun:
        seller.close()


Begin = Callable[..., Seller]


def ours_of_days(seller: Seller, marketplace: str) -> Figures:
    figure = AmazonSnapshot(account="acme-eu", marketplace=marketplace, window_days=30, read_at=NOW, late_ratio=0.5)
    with reading(seller.services.engine) as connection:
        return compare_figure(connection, figure, read_surroundings(connection, {"acme-eu"})).ours[0]


SETTINGS = "Seller Central → Settings → Notification Preferences → Messaging → Confirmation Notifications"


def test_half_of_the_replies_in_seller_central_are_invisible_and_the_alarm_names_the_preference(
    begin: Begin, truth: Rates
) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    (told,) = seller.watch()
    assert told.splitlines() == [
        "Amazon's figure and ours differ for DE.",
        "Answered in time over 30 days: 94.2 % as Amazon counts, 76.8 % as ReplyBy counts.",
        "ReplyBy does not see all replies: some of its alarms are about what was answered.",
        "Most likely: Confirmation Notifications are off. No copy of a reply made in Seller Central was ever seen here. "
        f"{SETTINGS}, for this marketplace.",
        "Or: replies go out from another tool, whose sent mail ReplyBy does not read. Add its mailbox with folders = [].",
        "Or: messages were marked “No response needed” in Seller Central only. Mark them here too.",
    ]


def test_the_report_shows_both_figures_side_by_side_and_says_what_is_behind_the_difference(
    begin: Begin, truth: Rates
) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    text = seller.report()
    first_screen = text[: text.index("THE HOURS OF THE WEEK")]
    assert "Amazon’s own figure: Germany, 30 days: 94.2 %; ours at least 76.8 %." in first_screen
    assert "ReplyBy does not see all replies" in first_screen
    assert "Most likely: Confirmation Notifications are off." in first_screen
    assert f"{SETTINGS}, for this marketplace." in text[len(first_screen) :]
    section = text[text.index("AMAZON’S OWN FIGURE") :]
    table = [
        " ".join(line.split()) for line in section.splitlines() if line.startswith(("Germany, ", "France, ", "Average"))
    ]
    assert table[:4] == [
        "Germany, 30 days 94.2 % ≥ 76.8 %",
        "Average reply 5 h 5 h 42",
        "France, 30 days 97.3 % 97.3 %",
        "Average reply 5 h 6 h 10",
    ]
    assert "From Amazon’s report, read 23 Nov 2026: Germany and France." in section


def test_where_every_reply_is_seen_nothing_is_told(begin: Begin, truth: Rates) -> None:
    seller = begin(everything)
    seller.hear(truth)
    assert seller.watch() == []
    assert "Most likely" not in seller.report()


def test_copies_that_stopped_coming_are_told_with_their_last_day(begin: Begin, truth: Rates) -> None:
    seller = begin(copies_until_a_month_ago)
    seller.hear(truth)
    german = next(text for text in seller.watch() if "DE" in text.splitlines()[0])
    assert (
        "Most likely: Confirmation Notifications were switched off or go elsewhere. "
        "The last copy of a reply made in Seller Central came on Thu 22 Oct." in german
    )


def test_where_copies_come_as_ever_another_tool_is_suspected(begin: Begin, truth: Rates) -> None:
    seller = begin(every_second_copy)
    seller.hear(truth)
    german = next(text for text in seller.watch() if "DE" in text.splitlines()[0])
    assert "Most likely: replies go out from another tool" in german
    assert "Confirmation Notifications" not in german


def test_marks_made_only_in_seller_central_are_named_where_amazon_tells_how_many_messages_it_judged(
    begin: Begin,
) -> None:
    seller = begin(every_second_copy)
    figures = ours_of_days(seller, "DE")
    late = figures.late + figures.no_response // 4  # the others were marked there: Amazon leaves them out
    values = {"under_24h": figures.on_time, "over_24h": figures.late, "unanswered": late - figures.late}
    ratio = late / (figures.on_time + late)
    row = FigureRow(window_days=30, late_ratio=ratio, average_response_seconds=None, body=json.dumps(values))
    with writing(seller.services.engine) as connection:
        record_figures(connection, "acme-eu", "DE", [row], NOW)
    (told,) = seller.watch()
    assert "Most likely: messages were marked “No response needed” in Seller Central only." in told


def test_what_amazon_counts_beyond_ours_points_to_mail_that_never_came(begin: Begin, truth: Rates) -> None:
    seller = begin(everything)
    seller.hear({"DE": truth["DE"], "FR": {30: 0.30}})
    (told,) = seller.watch()
    assert "Amazon counts what ReplyBy does not see" in told
    assert "Most likely: mails of buyers lie in the spam folder or go to another address." in told


def test_who_runs_single_cycles_hears_of_a_difference_too(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    planned = seller.worker.once(print, send=False)
    assert "Amazon's figure and ours differ for DE." in planned.words.values()


def test_a_difference_is_told_once_and_once_more_when_it_is_over(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    assert len(seller.watch()) == 1
    for _ in range(3):
        seller.clock.advance(days=1)
        seller.hear(truth)
        assert seller.watch() == []
    seller.clock.advance(days=1)
    seller.hear({"FR": truth["FR"], "DE": seller.late()["DE"]})
    assert seller.watch() == ["Amazon's figure and ours agree again for DE."]
    assert seller.watch() == []


def test_whoever_types_the_figure_is_told_at_once_what_is_behind_it(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    config = ["--config", str(seller.services.config.path)]

    def type_in(marketplace: str) -> list[str]:
        late = f"{truth[marketplace][30]:.4f}"
        options = {"account": "acme-eu", "marketplace": marketplace, "window": "30d", "late": late}
        named = [part for name, value in options.items() for part in (f"--{name}", value)]
        with freeze_time(NOW):
            said = CliRunner().invoke(app, ["amazon-figure", *named, *config])
        assert said.exit_code == 0, said.output
        return said.output.splitlines()

    german = type_in("DE")
    assert german[1] == "Ours of the same days: 23.2% late, of 69 messages."
    assert german[2].startswith("ReplyBy does not see all replies")
    assert german[3].startswith("Most likely: Confirmation Notifications are off.")
    assert type_in("FR")[1:] == ["Ours of the same days: 2.6% late, of 76 messages.", "They agree."]


def test_doctor_names_the_difference_while_it_stands(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    seller.watch()
    assert seller.doctor().differing == (("acme-eu", "DE"),)
    seller.clock.advance(days=1)
    seller.hear({"FR": truth["FR"], "DE": seller.late()["DE"]})
    seller.watch()
    assert seller.doctor().differing == ()


def test_a_difference_that_nobody_followed_up_is_let_go_in_silence_when_its_figure_is_old(
    begin: Begin, truth: Rates
) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    assert len(seller.watch()) == 1
    seller.clock.advance(days=13)
    assert seller.watch() == []
    assert seller.doctor().differing == (("acme-eu", "DE"),)
    seller.clock.advance(days=2)
    assert seller.watch() == [], "whether they agree is not known"
    assert seller.doctor().differing == (), "it would stand in each daily digest for ever"


def test_what_is_learnt_later_of_the_same_days_ends_a_difference_without_a_new_figure(
    begin: Begin, truth: Rates
) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    assert len(seller.watch()) == 1
    with writing(seller.services.engine) as connection:
        unanswered = message.c.answered_at.is_(None) & (message.c.marketplace == "DE")
        at = NOW - timedelta(minutes=1)
        connection.execute(update(message).where(unanswered).values(waived_at=at))
    assert seller.watch() == []
    seller.clock.advance(seconds=LOOK_EVERY.total_seconds())
    assert seller.watch() == ["Amazon's figure and ours agree again for DE."]


def test_a_figure_over_more_days_than_were_read_is_not_compared(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth, days=(90,))
    assert seller.watch() == []
    assert "Most likely" not in seller.report()


def test_the_shortest_window_with_enough_messages_speaks(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth, days=(7, 30))
    with reading(seller.services.engine) as connection:
        chosen = {one.marketplace: one for one in read_chosen(connection, seller.services.config, NOW)}
        around = read_surroundings(connection, {"acme-eu"})
        judged = {
            (one.marketplace, one.window_days): compare_figure(connection, one, around).ours[0].judged
            for one in read_fresh_figures(connection, NOW)
        }
    assert judged["DE", 7] < FEWEST_JUDGED <= judged["DE", 30]
    assert {place: one.window_days for place, one in chosen.items()} == {
        place: next(days for days in (7, 30) if judged[place, days] >= FEWEST_JUDGED) for place in ("DE", "FR")
    }


def test_few_messages_are_not_compared(begin: Begin) -> None:
    seller = begin(everything, {'type = "simulated"': 'type = "simulated"\nrate = 0.2'})
    seller.hear({"FR": {30: 0.9}, "DE": {30: 0.9}})
    assert seller.watch() == []


def test_the_seller_says_how_large_a_difference_may_be(begin: Begin, truth: Rates) -> None:
    tolerant = (
        '[account.sp_api]\nrefresh_token = "r"\nlwa_app_id = "i"\nlwa_client_secret = "s"\n'
        'marketplaces = ["DE"]\ndifference = 0.18\n[[mailbox]]'
    )
    seller = begin(all_but_german_copies, {"[[mailbox]]": tolerant})
    seller.hear(truth)
    assert seller.watch() == []


def test_an_old_figure_is_held_against_the_days_it_speaks_of(begin: Begin, truth: Rates) -> None:
    seller = begin(everything)
    seller.hear(truth)
    seller.clock.advance(days=13)
    assert seller.watch() == [], "since then nobody answered anything, and Amazon has not said a word about it"


def test_the_report_shows_no_figure_of_months_ago_as_if_it_were_todays(begin: Begin, truth: Rates) -> None:
    seller = begin(everything)
    seller.hear(truth)
    seller.clock.advance(days=45)
    assert "AMAZON’S OWN FIGURE" in seller.report()
    seller.clock.advance(minutes=1)
    assert "AMAZON’S OWN FIGURE" not in seller.report()
    assert "Amazon’s own figure" not in seller.report()


@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=6)])
def test_report_and_alarm_count_alike(begin: Begin, truth: Rates, database: str, later: timedelta) -> None:
    seller = begin(every_second_copy, {"sqlite:///replyby.db": database})
    seller.hear(truth, days=(7, 30))
    with writing(seller.services.engine) as connection:
        # Marks before and after Amazon's figure was read, by mail and by hand.
        marks: tuple[dict[str, Any], ...] = (
            {"waived_at": NOW - timedelta(days=2)},
            {"waived_at": NOW + timedelta(days=1)},
            {"answered_at": NOW - timedelta(days=3), "by_hand": True},
            {"answered_at": NOW + timedelta(hours=1)},
        )
        for number, values in enumerate(marks):
            chosen = (message.c.id % 9 == number) & (message.c.kind == "buyer_message")
            connection.execute(update(message).where(chosen).values(**values))
    seller.clock.advance(seconds=later.total_seconds())
    zone = seller.services.config.worker.time_zone
    report = make_report(seller.services, week_of(NOW - timedelta(days=7), zone))
    with reading(seller.services.engine) as connection:
        around = read_surroundings(connection, {"acme-eu"})
        compared = {
            (figure.marketplace, figure.window_days): compare_figure(connection, figure, around).ours[0]
            for figure in read_fresh_figures(connection, seller.clock())
        }
    shown = {(one.amazon.marketplace, one.amazon.window_days): one.ours for one in report.amazon}
    for key, ours in compared.items():
        for name in ("on_time", "late", "no_response", "waived", "late_response_rate", "marked_by_hand"):
            assert getattr(ours, name) == pytest.approx(getattr(shown[key], name)), (key, name)
    assert len(compared) == 4


def test_numbers_of_the_report_for_programs_name_the_cause(begin: Begin, truth: Rates) -> None:
    seller = begin(all_but_german_copies)
    seller.hear(truth)
    zone = seller.services.config.worker.time_zone
    rows = report_to_json(make_report(seller.services, week_of(NOW - timedelta(days=7), zone)))["amazon"]
    assert {row["marketplace"]: (row["differs"], row["likely_causes"][:1]) for row in rows} == {
        "DE": (True, ["copies_off"]),
        "FR": (False, []),
    }
    assert {row["average_response_seconds"] for row in rows} == {18000.0}

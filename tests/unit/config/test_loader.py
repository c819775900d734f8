"""A right file becomes values; what it leaves out has a default that a small seller would choose."""

import dataclasses
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.core.model import Channel, ContactRule, QuietHours
from alerts.core.policy import Matcher
from monitor.config.loader import find_config, load_config, parse_config
from monitor.config.model import Config, MailboxConfig, SlackConfig, SmtpConfig, TwilioConfig, WorkerConfig
from monitor.core.sla import SlaPolicy, TargetOverride
from monitor.errors import ConfigError
from tests.support.waiting import PATIENCE

DATA = Path(__file__).parents[2] / "data" / "config"
SHIPPED = Path(__file__).parents[3] / "config.toml"
ENVIRON = {
    "ACME_IMAP_PASSWORD": "imap-secret",
    "SLACK_BOT_TOKEN": "xoxb-secret",
    "SLACK_APP_TOKEN": "xapp-secret",
    "TWILIO_ACCOUNT_SID": "AC0",
    "TWILIO_AUTH_TOKEN": "twilio-secret",
}
HOURS = timedelta(hours=1)


def config_of(text: str, directory: Path = Path("/srv/replyby")) -> Config:
    return parse_config(text.encode(), directory / "config.toml", "config.toml", ENVIRON)


def problems_in(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        config_of(text)
    return caught.value.problems


@pytest.fixture(scope="module")
def whole() -> Config:
    return load_config(DATA / "whole.toml", ENVIRON)


def test_the_shipped_file_runs_without_any_environment_variable() -> None:
    config = load_config(SHIPPED, {})
    assert [mailbox.type for mailbox in config.mailboxes] == ["simulated"]
    assert [receiver.type for receiver in config.receivers] == ["console"]
    assert config.worker.database == f"sqlite:///{SHIPPED.parent}/var/replyby.db"
    assert config.warnings == ()


def test_a_dozen_lines_are_a_whole_configuration() -> None:
    text = (DATA / "first.toml").read_text()
    assert len(text.splitlines()) <= 12
    config = load_config(DATA / "first.toml", ENVIRON)
    assert [account.name for account in config.accounts] == ["default"]
    mailbox = config.mailboxes[0]
    assert (mailbox.name, mailbox.accounts, mailbox.port, mailbox.folders) == ("mailbox", ("default",), 993, None)
    assert config.sla == SlaPolicy()
    (policy,) = config.policies
    assert [step.remaining for step in policy.steps] == [8 * HOURS, 2 * HOURS, timedelta(0)]
    assert config.worker.health_notify == ("team",)
    assert (config.staffed, config.report, config.digest) == ((), None, None)


def test_the_whole_file_becomes_values(whole: Config) -> None:
    assert whole.worker.time_zone == ZoneInfo("Europe/Paris")
    assert whole.sla.overrides == (
        TargetOverride(
            first_day=date(2026, 12, 1),
            last_day=date(2026, 12, 31),
            target=timedelta(hours=12),
            marketplaces=frozenset({"US"}),
        ),
    )
    assert whole.mailboxes[0].password == "imap-secret"
    assert whole.twilio is not None
    assert (whole.twilio.sender, whole.twilio.senders) == ("+15005550006", ())
    ana = whole.people[0]
    assert ana.quiet == QuietHours(from_minute=22 * 60, to_minute=7 * 60)
    assert ana.contact == (
        ContactRule(by=Channel.SLACK),
        ContactRule(by=Channel.SMS, after=timedelta(minutes=5)),
        ContactRule(by=Channel.VOICE, after=timedelta(minutes=15)),
    )
    assert (whole.receivers[0].target, whole.receivers[1].people) == ("C0123", ("Ana",))
    (schedule,) = whole.schedules
    assert (schedule.rotation, schedule.handover_day, schedule.handover_minute) == (("Ana", "Bo"), 0, 540)
    assert schedule.overrides[0].from_at == datetime(2026, 12, 24, 8, tzinfo=UTC)
    assert whole.staffed[0].days == frozenset(range(5))
    assert (whole.staffed[0].from_minute, whole.staffed[0].to_minute, whole.staffed[0].holidays) == (540, 1080, "FR")
    (policy,) = whole.policies
    assert policy.match == Matcher()
    assert policy.look_ahead is not None
    assert policy.look_ahead.before_end_of_shift == timedelta(minutes=90)
    assert whole.report is not None
    assert (whole.report.weekday, whole.report.minute, whole.report.directory) == (0, 480, DATA / "reports")
    assert whole.digest is not None
    assert whole.digest.minute == 510


def test_a_configuration_shows_no_secret(whole: Config) -> None:
    told = repr(whole)
    for secret in ("imap-secret", "xoxb-secret", "xapp-secret", "twilio-secret"):
        assert secret not in told


@pytest.mark.parametrize(
    ("built", "model"),
    [
        (lambda config: config.worker, WorkerConfig),
        (lambda config: config.mailboxes[0], MailboxConfig),
        (lambda config: config.slack, SlackConfig),
        (lambda config: config.twilio, TwilioConfig),
        (lambda config: config.smtp, SmtpConfig),
    ],
    ids=["worker", "mailbox", "slack", "twilio", "smtp"],
)
def test_a_key_left_out_has_the_default_of_the_model(built, model) -> None:  # type: ignore[no-untyped-def]
    given = {"database", "state_directory", "name", "type", "accounts", "host", "username", "password", "health_notify"}
    given |= {"bot_token", "account_sid", "auth_token", "sender"}
    text = (
        '[[mailbox]]\nhost = "h"\nusername = "u@h.example"\npassword = "p"\n[[receiver]]\ntype = "console"\n'
        '[slack]\nbot_token = "xoxb"\n[twilio]\naccount_sid = "AC"\nauth_token = "t"\nfrom = "+15005550006"\n'
        '[smtp]\nhost = "h"\nfrom = "r@h.example"\n'
    )
    section = built(config_of(text))
    for field in dataclasses.fields(model):
        if field.name in given:
            continue
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        assert getattr(section, field.name) == default, field.name


MINIMAL = '[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n'


@pytest.mark.parametrize(
    ("written", "address", "password", "state"),
    [
        ("sqlite:///var/replyby.db", "sqlite:////srv/replyby/var/replyby.db", "", "/srv/replyby/var"),
        ("sqlite:////data/r.db", "sqlite:////data/r.db", "", "/data"),
        ("postgresql://r@db/replyby", "postgresql+psycopg://r@db/replyby", "", "/srv/replyby/var"),
        ("postgres://r@db:5433/replyby", "postgresql+psycopg://r@db:5433/replyby", "", "/srv/replyby/var"),
        (
            "postgresql+psycopg://r:p%40ss@[::1]:5433/replyby?sslmode=require",
            "postgresql+psycopg://r@[::1]:5433/replyby?sslmode=require",
            "p@ss",
            "/srv/replyby/var",
        ),
    ],
)
def test_a_database_address_is_made_whole_and_parted_from_its_password(
    written: str, address: str, password: str, state: str
) -> None:
    worker = config_of(f'[worker]\ndatabase = "{written}"\n{MINIMAL}').worker
    assert (worker.database, worker.database_password, str(worker.state_directory)) == (address, password, state)


def test_relative_paths_are_relative_to_the_file() -> None:
    text = f'[worker]\nstate_directory = "state"\n[report]\ndirectory = "../reports"\n{MINIMAL}'
    config = config_of(text)
    assert config.worker.state_directory == Path("/srv/replyby/state")
    assert config.report is not None
    assert config.report.directory == Path("/srv/replyby/../reports")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ('"mon-fri"', {0, 1, 2, 3, 4}),
        ('"sat-sun"', {5, 6}),
        ('"mon,wed"', {0, 2}),
        ('"fri-mon"', {4, 5, 6, 0}),
        ('["Monday", "thu"]', {0, 3}),
        ('"mon, wed-thu"', {0, 2, 3}),
    ],
)
def test_days_are_ranges_and_lists(written: str, days: set[int]) -> None:
    config = config_of(f'{MINIMAL}[[staffed]]\ndays = {written}\nfrom = "00:00"\nto = "24:00"\n')
    assert config.staffed[0].days == days
    assert (config.staffed[0].from_minute, config.staffed[0].to_minute) == (0, 1440)


@pytest.mark.parametrize(
    ("written", "sender", "senders"),
    [
        ('"+1 (500) 555-0006"', "+15005550006", ()),
        ('"Acme"', "Acme", ()),
        ('"12345"', "12345", ()),
        (
            '{ default = "+15005550006", "+33" = "Acme", "+44" = "+447700900000" }',
            "+15005550006",
            (("+33", "Acme"), ("+44", "+447700900000")),
        ),
    ],
)
def test_a_sender_may_depend_on_the_country(written: str, sender: str, senders: tuple[tuple[str, str], ...]) -> None:
    twilio = config_of(f'{MINIMAL}[twilio]\naccount_sid = "AC"\nauth_token = "t"\nfrom = {written}\n').twilio
    assert twilio is not None
    assert (twilio.sender, twilio.senders) == (sender, senders)


def test_an_offset_tells_which_of_two_equal_local_times_is_meant() -> None:
    text = (
        f'{MINIMAL}[[person]]\nname = "Ana"\n[[schedule]]\nname = "s"\ntime_zone = "Europe/Paris"\nrotation = "Ana"\n'
        '[[schedule.override]]\nfrom = 2026-10-25T02:30:00+02:00\nto = 2026-10-25T02:30:00+01:00\nperson = "Ana"\n'
    )
    (override,) = config_of(text).schedules[0].overrides
    assert override.from_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert override.to_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_steps_are_put_in_order_of_falling_time() -> None:
    steps = "".join(f'[[policy.step]]\nremaining = "{left}"\nnotify = "console"\n' for left in ("0s", "8h", "2h"))
    config = config_of(f"{MINIMAL}[[policy]]\n{steps}")
    assert [step.remaining for step in config.policies[0].steps] == [8 * HOURS, 2 * HOURS, timedelta(0)]


def test_a_longer_target_at_certain_dates_makes_room_for_earlier_steps() -> None:
    override = '[[sla.override]]\nfrom = 2026-12-01\nto = 2026-12-31\ntarget = "48h"\n'
    step = '[[policy]]\n[[policy.step]]\nremaining = "36h"\nnotify = "console"\n'
    assert config_of(MINIMAL + override + step).policies[0].steps[0].remaining == 36 * HOURS
    assert problems_in(MINIMAL + step) == (
        'line 7 [[policy.step]] remaining = "36h": longer than the target, so never reached. Write at most 24h.',
    )


PHONE = '[[person]]\nname = "Ana"\nphone = "+33612345678"\nslack_user = "U1"\nemail = "Ana@Acme.example"\n'
TWILIO = '[twilio]\naccount_sid = "AC"\nauth_token = "t"\nfrom = "+15005550006"\n'


def test_without_a_policy_a_known_phone_is_called_too() -> None:
    config = config_of(MINIMAL + PHONE + TWILIO)
    assert [(receiver.name, receiver.type) for receiver in config.receivers] == [
        ("console", "console"),
        ("phones-sms", "sms"),
        ("phones-voice", "voice"),
    ]
    assert [step.notify for step in config.policies[0].steps] == [
        ("console",),
        ("phones-sms",),
        ("phones-sms", "phones-voice"),
        ("console", "phones-sms", "phones-voice"),
    ]


def test_a_phone_without_twilio_implies_nothing() -> None:
    config = config_of(MINIMAL + PHONE)
    assert [receiver.name for receiver in config.receivers] == ["console"]
    assert all(step.notify == ("console",) for step in config.policies[0].steps)


def test_a_receiver_whose_name_the_implied_calls_need_is_told() -> None:
    taken = '[[receiver]]\nname = "phones-voice"\ntype = "console"\n'
    assert problems_in(MINIMAL + PHONE + TWILIO + taken) == (
        "[[receiver]]: the name 'phones-voice' is needed for calls to the same people. Rename that receiver.",
    )


def test_people_without_rules_are_reached_only_by_what_the_file_can_send() -> None:
    slack = '[slack]\nbot_token = "xoxb"\n'
    person = '[[receiver]]\ntype = "person"\nto = "Ana"\n'
    assert config_of(MINIMAL + PHONE + slack + person).people[0].contact == (ContactRule(by=Channel.SLACK),)
    smtp = '[smtp]\nhost = "h"\nfrom = "r@h.example"\n'
    assert config_of(MINIMAL + PHONE + smtp + person).people[0].contact == (ContactRule(by=Channel.EMAIL),)
    assert config_of(MINIMAL + PHONE + slack + smtp + TWILIO + person).people[0].contact == ()


def test_addresses_are_lower_case() -> None:
    assert config_of(MINIMAL + PHONE).people[0].email == "ana@acme.example"


def test_oauth_knows_its_own_host() -> None:
    text = '[[mailbox]]\nusername = "u@acme.example"\noauth = "google"\nclient_id = "c"\nclient_secret = "s"\n'
    mailbox = config_of(text + '[[receiver]]\ntype = "console"\n').mailboxes[0]
    assert (mailbox.host, mailbox.port, mailbox.client_secret) == ("imap.gmail.com", 993, "s")


def test_a_mailbox_that_only_shows_replies_need_not_tell_accounts_apart() -> None:
    accounts = '[[account]]\nname = "a"\nmerchant_id = "A1"\n[[account]]\nname = "b"\nmerchant_id = "B1"\n'
    assert len(config_of(accounts + MINIMAL).accounts) == 2
    bare = accounts.replace('merchant_id = "B1"\n', "")
    mailbox = '[[mailbox]]\nhost = "h"\nusername = "u@h.example"\npassword = "p"\nfolders = []\n'
    assert config_of(bare + mailbox + '[[receiver]]\ntype = "console"\n').mailboxes[0].folders == ()


# --- secrets


def test_a_secret_file_is_read_and_its_line_end_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from-file\n")
    secret.chmod(0o600)
    slack = config_of(f'{MINIMAL}[slack]\nbot_token = "file:token"\napp_token = "file:{secret}"\n', tmp_path).slack
    assert slack is not None
    assert (slack.bot_token, slack.app_token) == ("from-file", "from-file")


def test_a_secret_file_that_everyone_can_read_is_a_warning(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("xoxb-from-file\n")
    secret.chmod(0o644)
    config = config_of(f'{MINIMAL}[slack]\nbot_token = "file:token"\n', tmp_path)
    assert config.warnings == (f"line 6 [slack] bot_token: {secret} can be read by everyone. Run: chmod 600 {secret}",)


@pytest.mark.parametrize("written", ["$ACME_PW", "${ACME_PW}"])
def test_a_variable_as_a_shell_writes_it_is_a_warning(written: str) -> None:
    text = (
        f'[[mailbox]]\nhost = "h"\nusername = "u@h.example"\npassword = "{written}"\n[[receiver]]\ntype = "console"\n'
    )
    assert (
        'line 4 [[mailbox]] password: taken as it stands, with its $: a variable is named without it. Write "env:NAME".'
    ) in config_of(text).warnings
    for password in ("pa$$word", "$1", "$two words"):
        assert not [one for one in config_of(text.replace(written, password)).warnings if "password" in one]


def test_a_variable_where_only_secrets_have_them_is_a_warning() -> None:
    text = f'{MINIMAL}[[account]]\nmerchant_id = "env:MERCHANT"\n'
    assert (
        "line 6 [[account]] merchant_id: taken as it stands: variables and files are read for secrets only. "
        "Write the value itself."
    ) in config_of(text).warnings


def test_a_secret_in_a_file_that_everyone_can_read_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[worker]\nheartbeat_url = "https://hc.example/1"\n'
        '[[mailbox]]\nhost = "h"\nusername = "u@h.example"\npassword = "p"\n[[receiver]]\ntype = "webhook"\n'
        'url = "env:URL"\n'
    )
    environ = {"URL": "https://hooks.example/1"}
    path.chmod(0o644)
    assert load_config(path, environ).warnings == (
        "line 2 [worker] heartbeat_url: a secret stands in this file, and everyone can read it. "
        "Run: chmod 600, or use env:.",
    )
    path.chmod(0o600)
    assert load_config(path, environ).warnings == ()


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("postgresql://replyby:invented@db.example/replyby", True),
        ("postgresql://replyby@db.example/replyby", False),
        ("sqlite:///var/replyby.db", False),
    ],
    ids=["password", "no password", "a file"],
)
def test_a_databases_address_is_a_secret_when_it_holds_a_password(tmp_path: Path, address: str, warned: bool) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[worker]\ndatabase = "{address}"\n[[mailbox]]\ntype = "maildir"\npath = "mail"\n[[receiver]]\ntype = "console"\n'
    )
    path.chmod(0o644)
    warnings = load_config(path, {}).warnings
    assert any("[worker] database: a secret stands in this file" in line for line in warnings) is warned
    assert not any("invented" in line for line in warnings)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty. Write the secret into it."),
        (b"\xff\xfe", "is not text. Check the path."),
        (b"x" * 70_000, "is larger than 64 KB: not a secret. Check the path."),
    ],
    ids=["empty", "no text", "too large"],
)
def test_a_secret_file_with_no_secret_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        config_of(f'{MINIMAL}[slack]\nbot_token = "file:token"\n', tmp_path)
    assert caught.value.problems == (f"line 6 [slack] bot_token: {tmp_path}/token {told}",)


# --- warnings


def test_gaps_of_a_valid_file_are_warnings() -> None:
    text = (
        '[[mailbox]]\nhost = "h"\nusername = "u@h.example"\npassword = "p"\n[slack]\nbot_token = "xoxb"\n'
        '[[receiver]]\nname = "team"\ntype = "slack"\nchannel = "C1"\n[[receiver]]\nname = "spare"\ntype = "console"\n'
        '[[policy]]\n[[policy.step]]\nremaining = "2h"\nnotify = "team"\n[report]\n'
        '[policy.look_ahead]\nnotify = "team"\n[[schedule]]\nname = "s"\nrotation = "Ana"\n[[person]]\nname = "Ana"\n'
    )
    assert config_of(text).warnings == (
        "line 19 [policy.look_ahead]: does nothing without staffed hours. Write [[staffed]].",
        "[worker] heartbeat_url: empty: if this machine stops, nobody is told. "
        "Write the address of a dead-man's switch.",
        'line 14 [[policy]]: no step reaches a phone: at night nobody is woken. Write a receiver of type "sms".',
        "line 5 [slack] app_token: missing: Slack's messages have no buttons. Write it for Socket Mode.",
        "line 18 [report] to: empty: the report is only written to files. Write names of receivers.",
        'line 11 [[receiver]] "spare": no policy, report or digest names it. Name it in a notify, or remove it.',
        'line 21 [[schedule]] "s": no receiver uses it. Write its name into a receiver\'s schedule.',
    )


# --- files that cannot be read


def test_a_missing_file_says_where_it_was_looked_for(tmp_path: Path) -> None:
    cases: tuple[tuple[Path | None, dict[str, str], str], ...] = (
        (Path("a.toml"), {}, f"{tmp_path}/a.toml does not exist (named by --config)"),
        (None, {"REPLYBY_CONFIG": "/etc/none.toml"}, "/etc/none.toml does not exist (named by REPLYBY_CONFIG)"),
        (None, {}, f"{tmp_path}/config.toml does not exist (no --config was given and REPLYBY_CONFIG is not set)"),
    )
    for option, environ, told in cases:
        with pytest.raises(ConfigError) as caught:
            find_config(option, environ, tmp_path)
        (problem,) = caught.value.problems
        assert problem == f"{told}. Run `replyby init` to make one, or `replyby demo` to look around."


def test_the_option_wins_over_the_environment_and_that_over_the_folder(tmp_path: Path) -> None:
    for name in ("config.toml", "a.toml", "b.toml"):
        (tmp_path / name).write_text(MINIMAL)
    environ = {"REPLYBY_CONFIG": "b.toml"}
    assert find_config(Path("a.toml"), environ, tmp_path) == tmp_path / "a.toml"
    assert find_config(None, environ, tmp_path) == tmp_path / "b.toml"
    assert find_config(None, {}, tmp_path) == tmp_path / "config.toml"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[worker]\n# caf\xe9\n", "line 2: not UTF-8 text. Save the file with encoding UTF-8."),
        (b"a = " + b"[" * 5000, "brackets nested too deeply. Close each [ with a ]."),
        (b"a = " + b"9" * 5000, "the file: a number with too many digits. Write a smaller one."),
        (b"#" * 5_000_000, "larger than 4 MB: not a configuration. Check the path."),
    ],
    ids=["latin-1", "brackets", "digits", "size"],
)
def test_a_file_that_is_no_configuration_is_told_in_one_line(content: bytes, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(content, Path("/srv/config.toml"), "config.toml", {})
    assert caught.value.problems == (problem,)


def test_a_folder_or_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path, {})
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(tmp_path / "no.toml", {})


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter() -> None:
    content = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode() + b"foo = 1\r\n"
    with pytest.raises(ConfigError) as caught:
        parse_config(content, Path("/srv/config.toml"), "config.toml", {})
    assert caught.value.problems[0].startswith("line 5 [[receiver]] foo: unknown key.")


def test_problems_stand_in_the_order_of_the_file_below_its_name() -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(f"{MINIMAL}[digest]\nat = 5\nto = 'consle'\n")
    assert str(caught.value).splitlines() == [
        "config.toml: 2 problems",
        '  line 6 [digest] at = 5: a number where a time of day belongs. Write HH:MM, 00:00 to 23:59, such as "08:30".',
        "  line 7 [digest] to: receiver 'consle' does not exist. Receivers: console.",
    ]


def test_reading_a_file_imports_nothing_that_is_slow_to_import() -> None:
    heavy = ("pydantic", "phonenumbers", "holidays", "sqlalchemy", "slack_sdk", "twilio", "rich", "typer", "asyncio")
    program = (
        "import sys, pathlib; from monitor.config.loader import load_config;"
        f"load_config(pathlib.Path({str(SHIPPED)!r}), {{}});"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=SHIPPED.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert found.stdout.strip() == "[]"


def test_a_label_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "vip.txt").write_bytes("Zürich\n".encode("latin-1"))
    with pytest.raises(ConfigError) as caught:
        config_of(f'{MINIMAL}[[label]]\nname = "vip"\nfiles = "vip.txt"\n', tmp_path)
    assert caught.value.problems == (
        'line 7 [[label]] files = "vip.txt": vip.txt is not UTF-8 text. Save it with encoding UTF-8.',
    )
    (tmp_path / "vip.txt").write_text("Zürich\n", encoding="utf-8")
    label = config_of(f'{MINIMAL}[[label]]\nname = "vip"\nfiles = "vip.txt"\n', tmp_path).labels[0]
    assert label.files == (tmp_path / "vip.txt",)

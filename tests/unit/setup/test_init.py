"""The interview: one thing at a time, each tried at once, wrong answers told in a line and asked again."""

import stat
import tomllib
from pathlib import Path

import pytest

from monitor.config.loader import load_config
from monitor.errors import ConfigError
from monitor.setup.autodiscover import Guess
from monitor.setup.dialogue import Dialogue
from monitor.setup.init import OPTIONS, Written, run_init
from tests.unit.setup.conversation import Person, World

SHORTEST = [
    ("Which mailbox does Amazon write to?", "support@acme.example"),
    ("IMAP server:", ""),
    ("Port:", ""),
    ("User name:", ""),
    ("Its password:", "right"),
    ("Where shall secrets be kept?", ""),
    ("Alerts in Slack?", "n"),
    ("Wake somebody by SMS?", ""),
    ("Time zone:", ""),
    ("Are there hours", "n"),
    ("Its address", ""),
]
EVERYTHING = [
    ("Which mailbox does Amazon write to?", "support at acme"),
    ("Which mailbox does Amazon write to?", "Support@Acme.example"),
    ("IMAP server:", "imap.wrong.example"),
    ("Port:", "tls"),
    ("Port:", "993"),
    ("User name:", ""),
    ("Its password:", "right"),
    ("IMAP server:", "imap.acme.example"),
    ("Port:", ""),
    ("User name:", ""),
    ("Its password:", "wrong"),
    ("Its password:", "right"),
    ("Where shall secrets be kept?", "file"),
    ("Alerts in Slack?", "maybe"),
    ("Alerts in Slack?", "yes"),
    ("App token:", "xoxb-mixed-up"),
    ("App token:", "xapp-1"),
    ("Bot token:", "xoxb-old"),
    ("Bot token:", "xoxb-1"),
    ("Which channel?", "#suport"),
    ("Which channel?", "#night"),
    ("Which channel?", "#support"),
    ("Wake somebody by SMS?", "y"),
    ("Who?", "Ana"),
    ("Phone, with country code:", "06 12 34 56 78"),
    ("Phone, with country code:", "+33 6 12 34 56 78"),
    ("Language", "fr"),
    ("Account SID:", "AC1"),
    ("Auth token:", "wrong"),
    ("Account SID:", ""),
    ("Auth token:", "right"),
    ("Sending number:", "+33700000000"),
    ("Sending number:", ""),
    ("Time zone:", "Paris"),
    ("Time zone:", "Europe/Paris"),
    ("Are there hours", ""),
    ("On which days?", "lun-ven"),
    ("On which days?", "mon-sat"),
    ("From:", "9"),
    ("From:", "09:00"),
    ("To:", ""),
    ("Closed on the public holidays", "France"),
    ("Closed on the public holidays", "FR"),
    ("Its address", "https://hc.example/wrong"),
    ("Its address", "https://hc.example/1"),
    ("Send one SMS now?", "y"),
]


def interview(person: Person, world: World, path: Path, **options: object) -> Written | None:
    return run_init(Dialogue(person), world, path, {}, local_zone="Europe/Paris", **options)  # type: ignore[arg-type]


def test_the_shortest_way_ends_in_a_file_that_runs(tmp_path: Path) -> None:
    person = Person(SHORTEST)
    written = interview(person, World(), tmp_path / "config.toml")
    assert written is not None
    assert person.problems == []
    config = load_config(tmp_path / "config.toml", {})
    assert config == written.config
    assert (config.mailboxes[0].host, config.mailboxes[0].password) == ("imap.acme.example", "right")
    assert config.accounts[0].notified_at == ("support@acme.example", "orders@acme.example")
    assert config.accounts[0].reply_from == ("support@acme.example", "sales@acme.example")
    assert [receiver.type for receiver in config.receivers] == ["console"]
    assert '✓ logged in, 3 folders, 214 mails, Sent is "Envoyés", spam is "Spam"' in person.shown
    assert "✓ 61 buyer messages for default" in person.shown
    assert person.shown[-1] == "Start: replyby run"


def test_the_longest_way_survives_every_wrong_answer(tmp_path: Path) -> None:
    person, world = Person(EVERYTHING), World()
    assert interview(person, world, tmp_path / "config.toml") is not None
    assert person.problems == [
        '✗ Not an e-mail address. Write it as "name@example.com".',
        "✗ Text where a whole number in range belongs. Write a number from 1 to 65535.",
        "✗ imap.wrong.example:993: not reachable. Check host and port.",
        "✗ imap.acme.example:993: login refused for support@acme.example. Check it.",
        "✗ Answer y or n.",
        "✗ This token begins with xapp-",
        "✗ Slack: token_revoked. Install the app again and copy the new token.",
        "✗ '#suport' is not there. Did you mean 'support'?",
        "✗ The bot is not in #night. Type /invite @replyby there, then write #night again.",
        '✗ Without a country code. Write it as "+33612345678": plus, country, number.',
        "✗ Twilio: HTTP 401, not retried. Check [twilio] account_sid and auth_token.",
        "✗ France forbids such SMS from mobile numbers (+336, +337). Take another sender.",
        "✗ Not a time zone. Did you mean 'Europe/Paris'?",
        '✗ Not days of the week. Write "mon-fri" or "mon,wed".',
        '✗ Not a time of day. Write HH:MM, 00:00 to 23:59, such as "08:30".',
        '✗ \'France\' is no country with known holidays. Write two letters, such as "FR" or "DE-BY".',
        "✗ This address answers HTTP 404. Copy it again from the service.",
    ]
    config = load_config(tmp_path / "config.toml", {})
    ana = config.people[0]
    assert (ana.name, ana.phone, ana.slack_user, ana.language) == ("Ana", "+33612345678", "U0123", "fr")
    assert [(receiver.name, receiver.type) for receiver in config.receivers] == [
        ("team", "slack"),
        ("phones-sms", "sms"),
        ("phones-voice", "voice"),
    ]
    assert config.twilio is not None
    assert config.twilio.sender == "+15005550006"
    assert config.staffed[0].days == frozenset(range(6))
    assert (config.worker.heartbeat_url, world.pinged) == ("https://hc.example/1", ["https://hc.example/1"])
    assert (config.report is not None, config.digest is not None) == (True, True)
    assert world.paged == ["Ana"]
    assert config.warnings == ()


def test_the_file_holds_no_secret_and_its_secrets_are_private(tmp_path: Path) -> None:
    person = Person(EVERYTHING)
    interview(person, World(), tmp_path / "config.toml")
    text = (tmp_path / "config.toml").read_text()
    for secret in ("right", "xoxb-1", "xapp-1", "AC1", "hc.example"):
        assert secret not in text
    assert stat.S_IMODE((tmp_path / "config.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    kept = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "secrets").iterdir()}
    assert kept == dict.fromkeys(
        ("password", "bot-token", "app-token", "account-sid", "auth-token", "heartbeat-url"), 0o600
    )
    assert {"Its password:", "App token:", "Bot token:", "Auth token:"} == set(person.hidden)


def test_the_file_explains_itself(tmp_path: Path) -> None:
    interview(Person(EVERYTHING), World(), tmp_path / "config.toml")
    lines = (tmp_path / "config.toml").read_text().splitlines()
    assert all("#" in line for line in lines if " = " in line)
    assert max(len(line) for line in lines) < 180
    assert 'channel = "C0123"                           # the Slack channel\'s id' in lines


def test_secrets_may_stay_in_the_environment(tmp_path: Path) -> None:
    answers = [(question, "env" if question.startswith("Where shall") else answer) for question, answer in SHORTEST]
    person = Person(answers)
    written = interview(person, World(), tmp_path / "config.toml")
    assert written is not None
    assert written.variables == ("REPLYBY_IMAP_PASSWORD",)
    assert 'password = "env:REPLYBY_IMAP_PASSWORD"' in (tmp_path / "config.toml").read_text()
    assert not (tmp_path / "secrets").exists()
    assert "Set REPLYBY_IMAP_PASSWORD before the start: the file names it and does not hold it." in person.shown


def test_nothing_is_overwritten_without_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    assert interview(Person([(f"{path} is there already", "")]), World(), path) is None
    assert path.read_text() == "# mine\n"
    assert interview(Person([(f"{path} is there already", "y"), *SHORTEST]), World(), path) is not None
    assert (tmp_path / "config.toml.bak").read_text() == "# mine\n"
    assert stat.S_IMODE((tmp_path / "config.toml.bak").stat().st_mode) == 0o600


def test_one_part_can_be_asked_again_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    interview(Person(EVERYTHING), World(), path)
    before = tomllib.loads(path.read_text())
    again = [(f"{path} is there already", "y")]
    hours = [("Time zone:", "Asia/Tokyo"), ("Are there hours", "n")]
    assert interview(Person([*again, *hours]), World(), path, parts=("hours",)) is not None
    after = tomllib.loads(path.read_text())
    assert after.pop("staffed", []) == []
    assert after["worker"].pop("time_zone") == "Asia/Tokyo"
    before.pop("staffed")
    before["worker"].pop("time_zone")
    assert after == before


def test_slack_that_comes_later_takes_the_terminals_place_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    interview(Person(SHORTEST), World(), path)
    with path.open("a") as file:
        file.write('[[policy]]\nname = "default"\n[[policy.step]]\nremaining = "2h"\nnotify = ["terminal"]\n')
    again = [(f"{path} is there already", "y"), ("Where shall secrets", "file"), ("Alerts in Slack?", "y")]
    tokens = [("App token:", "xapp-1"), ("Bot token:", "xoxb-1"), ("Which channel?", "#support")]
    assert interview(Person([*again[:1], again[2], *tokens, again[1]]), World(), path, parts=("slack",)) is not None
    config = load_config(path, {})
    assert [receiver.name for receiver in config.receivers] == ["team"]
    document = tomllib.loads(path.read_text())
    assert (document["report"]["to"], document["digest"]["to"]) == (["team"], ["team"])
    assert document["policy"][0]["step"][0]["notify"] == ["team"]


def test_interview_that_is_broken_off_leaves_the_former_secrets_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    interview(Person(EVERYTHING), World(), path)
    before = {file: file.read_text() for file in (tmp_path / "secrets").iterdir()}
    given = {"overwrite": "y", "slack": "y", "slack-app-token": "xapp-1", "slack-bot-token": "xoxb-old"}
    with pytest.raises(ConfigError, match="--slack-bot-token"):
        run_init(Dialogue(Person([]), given, interactive=False), World(), path, {}, local_zone="UTC", parts=("slack",))
    assert {file: file.read_text() for file in (tmp_path / "secrets").iterdir()} == before


def test_a_part_of_nothing_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist yet"):
        interview(Person([]), World(), tmp_path / "config.toml", parts=("slack",))


def test_every_answer_can_be_given_as_an_option(tmp_path: Path) -> None:
    given = {
        "address": "support@acme.example",
        "password": "right",
        "host": "imap.acme.example",
        "slack-app-token": "xapp-1",
        "slack-bot-token": "xoxb-1",
        "slack-channel": "#support",
        "name": "Ana",
        "phone": "+33612345678",
        "twilio-account-sid": "AC1",
        "twilio-auth-token": "right",
        "twilio-from": "+15005550006",
        "days": "mon-fri",
        "time-zone": "Europe/Paris",
        "heartbeat-url": "https://hc.example/1",
    }
    assert set(given) <= set(OPTIONS)
    person = Person([])
    dialogue = Dialogue(person, given, interactive=False)
    assert run_init(dialogue, World(), tmp_path / "config.toml", {}, local_zone="UTC") is not None
    assert person.asked == []
    assert load_config(tmp_path / "config.toml", {}).people[0].phone == "+33612345678"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({}, "--address: missing. It answers: Which mailbox does Amazon write to?"),
        ({"address": "x"}, '--address: Not an e-mail address. Write it as "name@example.com".'),
        (
            {"address": "support@acme.example", "password": "wrong"},
            "--password: imap.acme.example:993: login refused for support@acme.example. Check it.",
        ),
    ],
    ids=["missing", "wrong", "refused"],
)
def test_a_script_is_told_which_option_is_wrong(given: dict[str, str], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        run_init(
            Dialogue(Person([]), given, interactive=False), World(), tmp_path / "config.toml", {}, local_zone="UTC"
        )
    assert (caught.value.where, caught.value.problems) == ("replyby init", (problem,))
    assert list(tmp_path.iterdir()) == []


def test_an_end_of_input_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody answers"):
        interview(Person(SHORTEST[:2]), World(), tmp_path / "config.toml")


def test_gmail_takes_an_app_password_with_its_spaces(tmp_path: Path) -> None:
    guess = Guess(provider="google", host="imap.gmail.com", port=993, username="acme@gmail.com", source="the address")
    world = World(guess=guess, host="imap.gmail.com", password="abcdefghijklmnop")
    answers = [("Which mailbox", "acme@gmail.com"), ("Gmail: sign in", "pass")]
    answers += [("Its password:", "abcd efgh ijkl mnop"), *SHORTEST[5:]]
    person = Person(answers)
    assert interview(person, world, tmp_path / "config.toml") is not None
    assert any("app password is the simplest" in line for line in person.shown)
    assert load_config(tmp_path / "config.toml", {}).mailboxes[0].password == "abcdefghijklmnop"


def test_microsoft_is_signed_in_to_by_oauth_alone(tmp_path: Path) -> None:
    guess = Guess(provider="microsoft", host="outlook.office365.com", port=993, username="s@acme.example", source="mx")
    world = World(guess=guess, host="outlook.office365.com")
    answers = [("Which mailbox", "s@acme.example"), ("Client id:", "wrong"), ("Client id:", "app-1")]
    person = Person([*answers, *SHORTEST[6:]])
    assert interview(person, world, tmp_path / "config.toml") is not None
    assert world.signed_in == ["app-1"]
    mailbox = load_config(tmp_path / "config.toml", {}).mailboxes[0]
    assert (mailbox.oauth, mailbox.client_id, mailbox.host) == ("microsoft", "app-1", "outlook.office365.com")
    assert any("takes no passwords any more" in line for line in person.shown)


def test_google_by_oauth_keeps_its_client_secret_out_of_the_file(tmp_path: Path) -> None:
    guess = Guess(provider="google", host="imap.gmail.com", port=993, username="a@gmail.com", source="the address")
    world = World(guess=guess, host="imap.gmail.com")
    answers = [("Which mailbox", "a@gmail.com"), ("Gmail: sign in", "oauth"), ("Client id:", "c-1")]
    answers += [("Its client secret:", "hush"), *SHORTEST[5:]]
    assert interview(Person(answers), world, tmp_path / "config.toml") is not None
    assert "hush" not in (tmp_path / "config.toml").read_text()
    assert load_config(tmp_path / "config.toml", {}).mailboxes[0].client_secret == "hush"


def test_the_file_that_comes_with_the_program_is_replaced_by_pressing_enter(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[mailbox]]\ntype = "simulated"\n[[receiver]]\ntype = "console"\n')
    assert interview(Person([(f"{path} is there already", ""), *SHORTEST]), World(), path) is not None
    assert interview(Person([(f"{path} is there already", "")]), World(), path) is None, "a real one is not"

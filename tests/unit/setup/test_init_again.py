"""One part asked again: what it is about is replaced, and whatever else the file holds stays."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from monitor.config.loader import load_config
from monitor.errors import ConfigError
from monitor.setup.autodiscover import Guess
from monitor.setup.dialogue import Dialogue
from monitor.setup.init import Written, run_init
from tests.unit.setup.conversation import Person, World

ONE = """\
[[account]]
notified_at = "amazon@acme.example"
reply_from = ["Support@acme.example", "old@acme.example"]
require_proof = false

[[mailbox]]
name = "shop"
host = "IMAP.acme.example"
username = "support@acme.example"
password = "env:SHOP"
junk = ""
folders = ["Amazon"]
authserv_id = "mx.acme.example"
poll_every = "30s"

[[receiver]]
type = "console"
"""
OTHER = """
[[mailbox]]
name = "mailbox"
host = "imap.other.example"
username = "ops@other.example"
password = "file:secrets/../secrets/password"
sent = ""
"""
SHIFT = """
[[staffed]]
days = ["mon", "tue"]
from = "08:00"
to = "12:00"
holidays = "FR"
closed_on = [2026-12-24]
"""
ENVIRON = {"SHOP": "former"}
LOGIN = [
    ("Which mailbox", "support@acme.example"),
    ("IMAP server:", ""),
    ("Port:", ""),
    ("User name:", ""),
    ("Its password:", "right"),
    ("Where shall secrets be kept?", ""),
]
ENTER = [
    ("Time zone:", ""),
    ("Are there hours", ""),
    ("On which days?", ""),
    ("From:", ""),
    ("To:", ""),
    ("Closed", ""),
]


def write(path: Path, text: str) -> dict[str, Any]:
    path.write_text(text)
    (path.parent / "secrets").mkdir()
    (path.parent / "secrets" / "password").write_text("of the other")
    return tomllib.loads(text)


def again(path: Path, part: str, answers: list[tuple[str, str]], world: World | None = None) -> Person:
    person = Person([(f"{path} is there already", "y"), *answers])
    assert ask(person, path, part, {}, world) is not None
    assert len(person.asked) == len(person.answers)
    return person


def ask(person: Person, path: Path, part: str, given: dict[str, str], world: World | None = None) -> Written | None:
    dialogue = Dialogue(person, given, interactive=not given)
    return run_init(dialogue, world or World(), path, ENVIRON, local_zone="Europe/Paris", parts=(part,))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


# --- init mailbox


def test_the_mailbox_that_is_meant_keeps_its_name_and_what_nobody_was_asked(path: Path) -> None:
    before = write(path, ONE + OTHER)
    person = again(path, "mailbox", LOGIN)
    after = tomllib.loads(path.read_text())
    shop, other = after["mailbox"]
    assert shop == {
        **before["mailbox"][0],
        "type": "imap",
        "host": "imap.acme.example",
        "password": "file:secrets/password-2",
    }
    assert other == before["mailbox"][1]
    assert 'Mailbox "shop" is replaced; kept: authserv_id, folders, junk, poll_every, mailbox "mailbox", ' in str(
        person.shown
    )
    config = load_config(path, ENVIRON)
    assert [one.password for one in config.mailboxes] == ["right", "of the other"]


def test_addresses_of_the_account_are_added_to_and_its_other_keys_stay(path: Path) -> None:
    write(path, ONE)
    person = again(path, "mailbox", LOGIN)
    account = tomllib.loads(path.read_text())["account"][0]
    assert account == {
        "notified_at": ["amazon@acme.example", "support@acme.example", "orders@acme.example"],
        "reply_from": ["support@acme.example", "old@acme.example", "sales@acme.example"],
        "require_proof": False,
    }
    assert any(line.endswith("amazon@acme.example, old@acme.example.") for line in person.shown)


def test_a_mailbox_that_none_of_several_is_stands_beside_them_with_a_name_and_a_secret_of_its_own(path: Path) -> None:
    before = write(path, ONE + OTHER)
    person = again(
        path, "mailbox", [("Which mailbox", "new@acme.example"), *LOGIN[1:3], ("User name:", "new"), *LOGIN[4:]]
    )
    after = tomllib.loads(path.read_text())
    assert after["mailbox"][:2] == before["mailbox"]
    assert after["mailbox"][2] == {
        "name": "mailbox-2",
        "type": "imap",
        "host": "imap.acme.example",
        "username": "new",
        "password": "file:secrets/password-2",
    }
    assert (path.parent / "secrets" / "password").read_text() == "of the other"
    kept = 'mailbox "shop", mailbox "mailbox", amazon@acme.example, old@acme.example'
    assert f'Mailbox "mailbox-2" is added; kept: {kept}.' in person.shown


def test_a_variable_of_another_mailbox_is_not_taken(path: Path) -> None:
    write(
        path,
        ONE.replace("env:SHOP", "literal")
        + OTHER.replace("file:secrets/../secrets/password", "env:REPLYBY_IMAP_PASSWORD"),
    )
    person = Person([(f"{path} is there already", "y"), *LOGIN[:5], ("Where shall", "env")])
    environ = {"REPLYBY_IMAP_PASSWORD": "of the other"}
    written = run_init(Dialogue(person), World(), path, environ, local_zone="UTC", parts=("mailbox",))
    assert written is not None
    assert written.variables == ("REPLYBY_IMAP_PASSWORD_2",)
    assert [one.password for one in written.config.mailboxes] == ["right", "of the other"]


def test_the_only_mailbox_is_replaced_and_keeps_nothing_that_its_former_server_named(path: Path) -> None:
    write(path, ONE.replace("IMAP.acme", "imap.former"))
    again(path, "mailbox", LOGIN)
    (mailbox,) = tomllib.loads(path.read_text())["mailbox"]
    assert mailbox == {
        "name": "shop",
        "type": "imap",
        "host": "imap.acme.example",
        "username": "support@acme.example",
        "password": "file:secrets/password",
        "junk": "",
        "poll_every": "30s",
    }


def test_what_was_invented_does_not_stay_beside_a_real_mailbox(path: Path) -> None:
    account = '[[account]]\nname = "acme"\nreply_from = "s@simulated.example"\n'
    write(path, f'{account}[[mailbox]]\ntype = "simulated"\nseed = 7\nrate = 2.0\n[[receiver]]\ntype = "console"\n')
    person = again(path, "mailbox", LOGIN)
    document = tomllib.loads(path.read_text())
    assert document["account"] == [
        {
            "name": "acme",
            "notified_at": ["support@acme.example", "orders@acme.example"],
            "reply_from": ["support@acme.example", "sales@acme.example"],
        }
    ]
    assert set(document["mailbox"][0]) == {"name", "type", "host", "username", "password"}
    assert 'Mailbox "mailbox" is replaced.' in person.shown


def test_both_tables_of_one_sign_in_get_its_new_password(path: Path) -> None:
    second = ONE[ONE.index("[[mailbox]]") : ONE.index("[[receiver]]")].replace('"shop"', '"second"')
    write(path, ONE + second.replace('"Amazon"', '"Amazon DE"'))
    again(path, "mailbox", LOGIN)
    mailboxes = tomllib.loads(path.read_text())["mailbox"]
    assert [(one["name"], one["folders"], one["password"]) for one in mailboxes] == [
        ("shop", ["Amazon"], "file:secrets/password"),
        ("second", ["Amazon DE"], "file:secrets/password"),
    ]


def test_a_sign_in_is_kept_under_the_mailboxs_own_name_and_tenant(path: Path) -> None:
    oauth = 'oauth = "microsoft"\nclient_id = "former"\ntenant = "acme"\nca_file = "own.pem"\n'
    text = ONE.replace('host = "IMAP.acme.example"\n', "").replace('password = "env:SHOP"\n', oauth)
    write(path, text)
    host = "outlook.office365.com"
    guess = Guess(provider="microsoft", host=host, port=993, username="support@acme.example", source="mx")
    world = World(guess=guess, host=host)
    again(path, "mailbox", [LOGIN[0], ("Client id:", "app-1")], world)
    (tried,) = world.tried
    assert (tried.name, tried.tenant, tried.ca_file) == ("shop", "acme", str(path.parent / "own.pem"))
    (mailbox,) = tomllib.loads(path.read_text())["mailbox"]
    assert (mailbox["client_id"], mailbox["tenant"], mailbox["ca_file"]) == ("app-1", "acme", "own.pem")


def test_a_password_leaves_nothing_of_oauth_behind(path: Path) -> None:
    oauth = 'oauth = "microsoft"\nclient_id = "former"\ntenant = "acme"\n'
    write(path, ONE.replace('password = "env:SHOP"\n', oauth))
    again(path, "mailbox", LOGIN)
    assert load_config(path, {}).mailboxes[0].password == "right"


# --- init hours


@pytest.mark.parametrize(
    "shifts",
    [
        SHIFT,
        SHIFT + '[[staffed]]\nfrom = "13:00"\nto = "17:00"\ntime_zone = "Asia/Tokyo"\n',
        '[[staffed]]\nfrom = "13:00"\nto = "17:00"\n',
        "",
    ],
    ids=["one", "several", "short", "none"],
)
def test_enter_at_every_question_changes_no_hours(path: Path, shifts: str) -> None:
    before = write(path, f'[worker]\ntime_zone = "Asia/Tokyo"\n{ONE}{shifts}')
    again(path, "hours", ENTER if shifts else ENTER[:2])
    after = tomllib.loads(path.read_text())
    assert after["worker"]["time_zone"] == "Asia/Tokyo"
    assert after.get("staffed", []) == before.get("staffed", [])


def test_what_the_file_has_is_offered_at_every_question_of_hours(path: Path) -> None:
    write(path, ONE + SHIFT)
    asked = again(path, "hours", ENTER).asked
    assert [question.rpartition("[")[2] for question in asked[1:]] == [
        "UTC] ", "y] ", "mon,tue] ", "08:00] ", "12:00] ", "FR] ",
    ]  # fmt: skip


def test_a_changed_shift_keeps_what_nobody_was_asked(path: Path) -> None:
    before = write(path, ONE + SHIFT)
    again(path, "hours", [*ENTER[:4], ("To:", "13:00"), ("Closed", "None")])
    (shift,) = tomllib.loads(path.read_text())["staffed"]
    assert shift == {
        "days": "mon,tue",
        "from": "08:00",
        "to": "13:00",
        "closed_on": before["staffed"][0]["closed_on"],
    }


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("", 2), ("n", 2)])
def test_several_shifts_are_replaced_by_one_only_after_a_yes(path: Path, answer: str, left: int) -> None:
    write(path, ONE + SHIFT + SHIFT.replace("08:00", "07:00"))
    change = ("These hours replace the 2 [[staffed]] tables of the file by one. Do it", answer)
    again(path, "hours", [*ENTER[:4], ("To:", "13:00"), ENTER[5], change])
    assert len(tomllib.loads(path.read_text())["staffed"]) == left


def test_a_script_is_told_that_several_shifts_become_one(path: Path) -> None:
    write(path, ONE + SHIFT + SHIFT)
    person = Person([])
    assert ask(person, path, "hours", {"overwrite": "y", "to": "13:00"}) is not None
    assert "These hours replace the 2 [[staffed]] tables of the file by one." in person.shown
    (shift,) = load_config(path, ENVIRON).staffed
    assert (shift.days, shift.from_minute, shift.to_minute, shift.holidays) == (frozenset({0, 1}), 480, 780, "FR")


def test_no_hours_by_option_is_no_hours_whatever_else_is_given(path: Path) -> None:
    write(path, ONE + SHIFT)
    assert ask(Person([]), path, "hours", {"overwrite": "y", "staffed": "n", "from": "09:00"}) is not None
    assert load_config(path, ENVIRON).staffed == ()


def test_a_shift_without_length_is_refused_at_the_question(path: Path) -> None:
    write(path, ONE)
    answers = [*ENTER[:1], ("Are there hours", "y"), ENTER[2]]
    times = [("From:", "24:00"), ("From:", "9:00"), ("To:", "09:00"), ("From:", "00:00"), ("To:", "24:00"), ENTER[5]]
    person = again(path, "hours", answers + times)
    assert person.problems == [
        '✗ Not a time of day. Write HH:MM, 00:00 to 23:59, such as "08:30".',
        "✗ The same as From. For the whole day write From 00:00 and To 24:00.",
    ]
    (shift,) = load_config(path, ENVIRON).staffed
    assert (shift.from_minute, shift.to_minute) == (0, 1440)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"from": "09:00", "to": "9:00"},
            "--to: the same as --from. For the whole day give --from 00:00 --to 24:00.",
        ),
        (
            {"from": "24:00", "to": "9:00"},
            '--from: Not a time of day. Write HH:MM, 00:00 to 23:59, such as "08:30".',
        ),
    ],
    ids=["no length", "no begin"],
)
def test_options_that_make_no_shift_are_refused_before_anything_is_asked(
    path: Path, given: dict[str, str], problem: str
) -> None:
    write(path, ONE)
    person = Person([])
    with pytest.raises(ConfigError) as caught:
        run_init(Dialogue(person, given), World(), path, ENVIRON, local_zone="UTC")
    assert (caught.value.where, caught.value.problems) == ("replyby init", (problem,))
    assert (person.asked, person.shown) == ([], [])


def test_an_option_against_what_the_file_has_is_one_line(path: Path) -> None:
    write(path, ONE + SHIFT)
    with pytest.raises(ConfigError, match="--to: the same as --from"):
        ask(Person([]), path, "hours", {"overwrite": "y", "from": "12:00"})
    path.write_text(ONE + SHIFT.replace("12:00", "noon"))
    with pytest.raises(ConfigError, match="--to: Not a time of day"):
        ask(Person([]), path, "hours", {"overwrite": "y", "from": "11:00"})


# --- the former file, and a worker that runs


def test_no_copy_of_a_former_file_is_ever_replaced(path: Path) -> None:
    write(path, "# mine, with my notes\n" + ONE)
    asked = again(path, "hours", ENTER[:2]).asked[0]
    assert "comments are not kept in the new file; a copy with them stays beside it" in asked
    texts = [path.read_text()]
    for number in ("1", "2"):
        shown = again(path, "hours", [("Time zone:", "Asia/Tokyo"), ENTER[1]]).shown
        assert f"✓ {path} written; the former one is {path}.bak.{number}" in shown
        texts.append(path.read_text())
    assert path.with_name("config.toml.bak").read_text() == "# mine, with my notes\n" + ONE
    assert [path.with_name(f"config.toml.bak.{number}").read_text() for number in (1, 2)] == texts[:2]


def test_a_worker_that_runs_is_to_be_restarted_not_started(path: Path) -> None:
    write(path, ONE)
    last = again(path, "hours", ENTER[:2], World(running=True)).shown[-1]
    assert last.startswith("A worker runs and does not know of this file yet. Restart it: systemctl restart replyby")
    assert again(path, "hours", ENTER[:2]).shown[-1] == "Start: replyby run"


def test_a_key_that_is_none_is_named_before_anything_is_asked_and_the_file_stays(path: Path) -> None:
    write(path, ONE.replace("junk =", "jnuk ="))
    before, person = path.read_text(), Person([])
    with pytest.raises(
        ConfigError, match=r"mailbox: unknown key 'jnuk'. Correct it or take it out; replyby check-config"
    ):
        ask(person, path, "hours", {})
    assert (path.read_text(), person.asked) == (before, [])


# --- init slack, init phone

SLACK = [
    ("Alerts in Slack?", "y"),
    ("App token:", "xapp-1"),
    ("Bot token:", "xoxb-1"),
    ("Which channel?", "#support"),
    ("Where shall secrets be kept?", ""),
]
IN_SLACK = (
    ONE
    + """
[slack]
bot_token = "xoxb-former"
app_token = "xapp-former"
timeout = "20s"

[[receiver]]
name = "shop"
type = "slack"
channel = "C0456"
external = true
"""
)


def test_the_only_receiver_in_slack_moves_to_the_channel_and_keeps_the_rest(path: Path) -> None:
    before = write(path, IN_SLACK)
    again(path, "slack", SLACK)
    after = tomllib.loads(path.read_text())
    console, shop = before["receiver"]
    assert after["receiver"] == [console, {**shop, "channel": "C0123"}]
    assert after["slack"]["timeout"] == "20s"
    again(path, "slack", SLACK)
    assert tomllib.loads(path.read_text())["receiver"] == after["receiver"]


def test_where_several_receivers_are_in_slack_all_stay_and_the_channel_is_added(path: Path) -> None:
    text = IN_SLACK + '[[receiver]]\nname = "night"\ntype = "slack"\nchannel = "C0789"\n'
    before = write(path, text)
    person = again(path, "slack", SLACK)
    receivers = tomllib.loads(path.read_text())["receiver"]
    assert receivers == [*before["receiver"], {"name": "support", "type": "slack", "channel": "C0123"}]
    assert 'The other receivers in Slack stay. "support" is new: name it in notify of a policy\'s step.' in person.shown


def test_a_phone_that_is_set_again_leaves_the_persons_and_twilios_other_keys(path: Path) -> None:
    text = (
        ONE
        + """
[twilio]
account_sid = "AC0"
auth_token = "former"
from = "+15005550006"
replies_to = "+15005550007"

[[person]]
name = "Ana"
phone = "+33612345678"
email = "ana@acme.example"
"""
    )
    before = write(path, text)
    given = {
        "overwrite": "y",
        "sms": "y",
        "name": "Ana",
        "phone": "+33687654321",
        "language": "fr",
        "twilio-account-sid": "AC1",
        "twilio-auth-token": "right",
        "twilio-from": "+15005550006",
        "secrets": "env",
    }
    assert ask(Person([]), path, "phone", given) is not None
    after = tomllib.loads(path.read_text())
    assert after["twilio"]["replies_to"] == "+15005550007"
    assert after["person"] == [{**before["person"][0], "phone": "+33687654321", "language": "fr"}]


def test_a_mailbox_in_single_brackets_is_set_right_by_asking_for_it_again(path: Path) -> None:
    write(path, ONE.replace("[[mailbox]]", "[mailbox]"))
    again(path, "mailbox", LOGIN)
    assert [one["name"] for one in tomllib.loads(path.read_text())["mailbox"]] == ["shop"]


def test_a_receiver_in_slack_gets_a_name_that_is_free(path: Path) -> None:
    names = ("support", "team", "team-2")
    more = "".join(
        f'[[receiver]]\nname = "{name}"\ntype = "slack"\nchannel = "C000{number}"\n'
        for number, name in enumerate(names, 4)
    )
    write(path, IN_SLACK + more)
    again(path, "slack", SLACK)
    assert tomllib.loads(path.read_text())["receiver"][-1]["name"] == "team-3"

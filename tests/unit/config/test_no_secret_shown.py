"""A secret in the wrong place, of the wrong sort or under a misspelt key is told without being shown."""

from pathlib import Path

import pytest

from monitor.config.loader import parse_config
from monitor.errors import ConfigError

SECRET = "planted-secret-9"
BASE = """\
[[mailbox]]
host = "imap.acme.example"
username = "a@acme.example"
password = "x"
[[receiver]]
type = "console"
"""
PERSON = '[[person]]\nname = "Ana"\n[[schedule]]\nname = "primary"\n'
CASES = {
    "mailbox, a list": BASE.replace('"x"', f'["{SECRET}"]'),
    "mailbox, a table": BASE.replace('"x"', f'{{ a = "{SECRET}" }}'),
    "mailbox, key misspelt": BASE.replace('password = "x"', f'pasword = "{SECRET}"'),
    "mailbox, given twice": BASE.replace('password = "x"', f'password = "{SECRET}"\npassword = "{SECRET}"'),
    "mailbox, quote left open": BASE.replace('"x"', f'"{SECRET}'),
    "mailbox, without quotes": BASE.replace('"x"', SECRET),
    "mailbox, taken for a variable": BASE.replace('"x"', f'"env:{SECRET}"'),
    "slack, a list": f'{BASE}[slack]\nbot_token = ["{SECRET}"]\n',
    "twilio": f'{BASE}[twilio]\naccount_sid = "{SECRET}"\nauth_token = ["{SECRET}"]\nfrom = "+15005550006"\n',
    "smtp": f'{BASE}[smtp]\nhost = "h"\nfrom = "a@b.example"\nusername = "u"\npassword = ["{SECRET}"]\n',
    "database, port no number": f'{BASE}[worker]\ndatabase = "postgresql://u:{SECRET}@h:x/db"\n',
    "database, another server": f'{BASE}[worker]\ndatabase = "mysql://u:{SECRET}@h/db"\n',
    "database, no scheme": f'{BASE}[worker]\ndatabase = "u:{SECRET}@h/db"\n',
    "heartbeat": f'{BASE}[worker]\nheartbeat_url = "ftp://hc.example/{SECRET}"\n',
    "heartbeat, a list": f'{BASE}[worker]\nheartbeat_url = ["https://hc.example/{SECRET}"]\n',
    "page": f'{BASE}[worker]\npage_username = "x"\npage_password = ["{SECRET}"]\n',
    "webhook": f'{BASE}[[receiver]]\ntype = "webhook"\nurl = "ftp://h/{SECRET}"\nsecret = ["{SECRET}"]\n',
    "webhook, no scheme": f'{BASE}[[receiver]]\ntype = "webhook"\nurl = "{SECRET}"\n',
    "calendar": f'{BASE}{PERSON}ical = "ftp://calendar.example/{SECRET}"\n',
    "sp-api": f'{BASE}[[account]]\nname = "a"\n[account.sp_api]\nrefresh_token = ["{SECRET}"]\nlwa_client_secret = 1\n',
}


@pytest.mark.parametrize("name", CASES)
def test_the_problem_is_told_and_the_secret_is_not(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(CASES[name].encode(), Path("/nonexistent/config.toml"), "config.toml", {})
    assert SECRET not in str(caught.value)
    assert "line " in str(caught.value) or "config.toml" in str(caught.value)


def test_the_address_of_a_calendar_does_not_show() -> None:
    text = f'{BASE}{PERSON}ical = "https://calendar.example/{SECRET}.ics"\n'
    config = parse_config(text.encode(), Path("/nonexistent/config.toml"), "config.toml", {})
    assert SECRET in config.schedules[0].ical
    assert SECRET not in repr(config)

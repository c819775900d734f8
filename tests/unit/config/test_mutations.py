"""Whatever is done to a valid file: it is read, or every problem is told; never a traceback, never a secret."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.loader import parse_config
from monitor.errors import ConfigError

WHOLE = (Path(__file__).parents[2] / "data" / "config" / "whole.toml").read_text()
SP_API = """
[account.sp_api]
refresh_token = "env:SECRET"
lwa_app_id = "env:SECRET"
lwa_client_secret = "env:SECRET"
marketplaces = ["FR"]
secret_expires = 2027-01-01
"""
TEXT = WHOLE.replace("[[mailbox]]", f"{SP_API}\n[[mailbox]]", 1)
LINES = TEXT.splitlines()
ASSIGNMENTS = [number for number, line in enumerate(LINES) if re.match(r"\w+ = ", line)]
NAMES = (
    "ACME_IMAP_PASSWORD",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "SECRET",
)
ENVIRON = {**dict.fromkeys(NAMES, "hush-hush"), "TWILIO_ACCOUNT_SID": "AC-hush-hush"}
VALUES = st.one_of(
    st.sampled_from(
        [
            *(
                "0",
                "-1",
                "1.5",
                "nan",
                "inf",
                "-inf",
                "1e400",
                "true",
                "[]",
                "{}",
                "{ a = 1 }",
                '""',
                "' '",
                "[[]]",
                "[{}]",
            ),
            *("2026-01-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59-12:00", "07:00:00"),
            *(
                '"env:"',
                '"env:NO"',
                '"file:"',
                '"file:/etc"',
                '"file:~nobody-here/x"',
                '"a\\nb"',
                '"\\u0000"',
                '"auto"',
            ),
            *('"sqlite:///"', '"postgresql://["', '"http://[::1"', '"http://h:99999999"', '"[::1]:1"', '"127.0.0.1:x"'),
            *(
                '"+33"',
                '"+1 500 555 0006"',
                '"24:00"',
                '"00:00-24:00"',
                '"mon 24:00"',
                '"mon-"',
                '"-"',
                '"DE-BY"',
                '"DE-"',
            ),
            *('"99999999d"', '"0.0000001s"', '["FR", 1]', '["FR", "FR"]', '{ "+33" = 1 }', '{ default = "x" }', '"*"'),
            "9" * 400,
        ]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\n\r"), max_size=20).map(
        lambda text: f"'{text}'"
    ),
    st.integers(min_value=-(2**70), max_value=2**70).map(str),
)


def read(text: str) -> None:
    """Read a text; a problem told is as good as none."""
    try:
        parse_config(text.encode(errors="surrogatepass"), Path("/nonexistent/config.toml"), "config.toml", ENVIRON)
    except ConfigError as error:
        assert error.problems
        assert "hush-hush" not in str(error)
        assert all("\n" not in problem for problem in error.problems)


def test_the_file_to_be_mutated_is_valid() -> None:
    parse_config(TEXT.encode(), Path("/nonexistent/config.toml"), "config.toml", ENVIRON)


@given(st.lists(st.tuples(st.sampled_from(ASSIGNMENTS), VALUES), min_size=1, max_size=4))
@settings(max_examples=300)
def test_any_value_in_any_place_is_read_or_told(changes: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for number, value in changes:
        key = lines[number].split(" = ")[0]
        lines[number] = f"{key} = {value}"
    read("\n".join(lines))


@given(st.sets(st.integers(min_value=0, max_value=len(LINES) - 1), min_size=1, max_size=40))
@settings(max_examples=100)
def test_any_lines_left_out_are_told_or_not_missed(left_out: set[int]) -> None:
    read("\n".join(line for number, line in enumerate(LINES) if number not in left_out))


@given(st.permutations(range(0, len(LINES), 3)))
@settings(max_examples=60)
def test_lines_in_any_order_are_read_or_told(order: list[int]) -> None:
    read("\n".join("\n".join(LINES[start : start + 3]) for start in order))


@given(st.integers(min_value=0, max_value=len(TEXT)), st.text(max_size=5), st.integers(min_value=0, max_value=8))
@settings(max_examples=200)
def test_any_slip_of_the_keyboard_is_read_or_told(at: int, typed: str, deleted: int) -> None:
    read(TEXT[:at] + typed + TEXT[at + deleted :])


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_read_or_told(content: bytes) -> None:
    try:
        parse_config(content, Path("/nonexistent/config.toml"), "config.toml", {})
    except ConfigError as error:
        assert error.problems

"""What is written is read back as it was meant, and no name makes another file."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.setup.manifest import BOT_SCOPES, manifest_url, missing_scopes, render_manifest
from monitor.setup.write import record_config, render_file, render_toml
from tests.support.slack_server import SCOPES

WHOLE = Path(__file__).parents[2] / "data" / "config" / "whole.toml"
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.text(st.characters(codec="utf-8")),
        st.integers(-(2**60), 2**60),
        st.booleans(),
        st.floats(allow_nan=False),
        st.dates(),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_a_value_is_read_back_as_it_was(value: Any) -> None:
    assert tomllib.loads(f"key = {render_toml(value)}")["key"] == value


def test_a_whole_file_is_read_back_as_it_was() -> None:
    document = tomllib.loads(WHOLE.read_text())
    assert tomllib.loads(render_file(document)) == document


def test_a_key_that_nobody_knows_is_not_written() -> None:
    with pytest.raises(ValueError, match="worker: unknown key 'colour'"):
        render_file({"worker": {"colour": "red"}})


def test_a_file_that_would_be_refused_is_not_written(tmp_path: Path) -> None:
    document = {"mailbox": [{"type": "simulated"}], "receiver": [{"type": "console", "language": "xx"}]}
    with pytest.raises(ConfigError, match="language"):
        record_config(tmp_path / "config.toml", document, {})
    assert list(tmp_path.iterdir()) == []


def test_a_dated_override_is_written_as_dates() -> None:
    document = {"sla": {"override": [{"from": date(2026, 12, 1), "to": date(2026, 12, 31), "target": "12h"}]}}
    assert "from = 2026-12-01 " in render_file(document)


def test_the_manifest_asks_for_the_rights_that_are_used_and_no_other() -> None:
    manifest = json.loads(render_manifest())
    assert manifest["oauth_config"]["scopes"]["bot"] == list(BOT_SCOPES)
    assert set(BOT_SCOPES) == set(SCOPES)
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert missing_scopes(set(SCOPES) - {"chat:write"}) == {"chat:write": BOT_SCOPES["chat:write"]}


def test_the_address_carries_the_same_manifest() -> None:
    query = parse_qs(urlsplit(manifest_url()).query)
    assert json.loads(query["manifest_json"][0]) == json.loads(render_manifest())

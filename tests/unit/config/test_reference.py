"""The reference names every key of every table, and each default is what a missing key becomes."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from monitor.config import model
from monitor.config.keys import walk_tables
from monitor.config.reference import render_reference
from monitor.config.schema import Key

READ_AS = {  # fields of the model whose key has another name, or that are made of several keys
    "metrics_host": "metrics_listen",
    "metrics_port": "metrics_listen",
    "sender": "from",
    "senders": "from",
    "from_minute": "from",
    "to_minute": "to",
    "from_at": "from",
    "to_at": "to",
    "handover_day": "handover",
    "handover_minute": "handover",
    "overrides": "override",
    "weekday": "at",
    "minute": "at",
}


def keys() -> Iterator[tuple[str, Key]]:
    for path, table in walk_tables():
        for key in table.keys.values():
            yield ".".join(path), key


def test_every_key_stands_in_the_reference_below_its_table() -> None:
    sections = {part.split("`")[1].strip("[]"): part for part in render_reference().split("#### ")[1:]}
    for table, key in keys():
        assert f"| `{key.name}` |" in sections[table], (table, key.name)


def test_every_field_of_the_model_is_a_key() -> None:
    described = {key.name for _, key in keys()} | {path[-1] for path, _ in walk_tables()}
    classes: list[Any] = [value for name, value in vars(model).items() if name.endswith("Config") and name != "Config"]
    assert len(classes) > 10
    for each in classes:
        for field in dataclasses.fields(each):
            assert READ_AS.get(field.name, field.name) in described, (each.__name__, field.name)


def test_every_key_has_a_meaning_that_fits_a_table() -> None:
    for table, key in keys():
        assert key.meaning, (table, key.name)
        assert "\n" not in key.meaning
        assert not key.meaning.endswith(".")

"""How the keys of config.toml are described: a key, a table."""

from dataclasses import dataclass
from typing import Any

from monitor.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `default` is a TOML value, read like one from the file; None: `unset` says what its absence means.

    `required`: a problem when missing, whatever else is written.
    """

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    unset: str = "none"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table and what may stand in it.

    `repeated`: `[[name]]`, any number of times. `implied`: there with its defaults even where the file has none.
    """

    name: str
    meaning: str
    content: tuple["Key | Table", ...]
    repeated: bool = False
    implied: bool = False

    @property
    def keys(self) -> dict[str, Key]:
        """The keys by name, without the tables inside."""
        return {item.name: item for item in self.content if isinstance(item, Key)}

    @property
    def tables(self) -> dict[str, "Table"]:
        """The tables inside, by name."""
        return {item.name: item for item in self.content if isinstance(item, Table)}

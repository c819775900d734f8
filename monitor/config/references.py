"""Names that one part of the file gives and another uses: collected first, so that one wrong table spoils no other."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.config.problems import LONGEST_LIST, Problems, nearest
from monitor.config.shape import Section
from monitor.core.labels import PRIORITIES


@dataclass(frozen=True, slots=True)
class Known:
    """All names of the file. A section whose name is missing or wrong is simply not there."""

    accounts: tuple[str, ...]
    people: tuple[str, ...]
    receivers: tuple[str, ...]
    schedules: tuple[str, ...]
    labels: tuple[str, ...]


def give_names(root: Section, problems: Problems) -> Known:
    """Fill in names that may be left out, note missing and repeated ones, and return what is known."""
    _name_sections(root.tables["account"], "default", problems)
    _name_sections(root.tables["mailbox"], "mailbox", problems)
    _name_sections(root.tables["policy"], "default", problems)
    for section in root.tables["receiver"]:
        if "name" not in section.given:
            section.values["name"] = section["type"]
    for table, noun in (
        ("account", "account"),
        ("mailbox", "mailbox"),
        ("person", "person"),
        ("receiver", "receiver"),
        ("schedule", "schedule"),
        ("policy", "policy"),
        ("label", "label"),
    ):
        _find_repeated(root.tables[table], noun, problems)
    return Known(
        accounts=_names(root.tables["account"]) or ("default",),
        people=_names(root.tables["person"]),
        receivers=_names(root.tables["receiver"]),
        schedules=_names(root.tables["schedule"]),
        labels=tuple(dict.fromkeys((*PRIORITIES, *_names(root.tables["label"])))),
    )


def _name_sections(sections: Sequence[Section], default: str, problems: Problems) -> None:
    for count, section in enumerate(sections, start=1):
        if "name" in section.given:
            continue
        section.values["name"] = default
        if len(sections) > 1:
            section.broken.add("name")
            problems.add(
                section.path,
                f'missing. With several, each needs one of its own: write name = "{default}-{count}".',
                key="name",
            )


def _names(sections: Sequence[Section]) -> tuple[str, ...]:
    return tuple(section["name"] for section in sections if section["name"] and section.sound("name"))


def _find_repeated(sections: Sequence[Section], noun: str, problems: Problems) -> None:
    counts = Counter(section["name"] for section in sections if section["name"] and section.sound("name"))
    seen: set[str] = set()
    for section in sections:
        name = section["name"]
        if counts[name] > 1 and section.sound("name"):
            if name in seen:
                place = section.at("name") if "name" in section.given else section.path
                key = f'name = "{name}"' if "name" in section.given else f'name, by default "{name}"'
                problems.add(place, f"a second {noun} of this name. Write another name.", key=key)
            seen.add(name)


def check_names(
    section: Section, key: str, known: Sequence[str], noun: str, problems: Problems, *, plural: str = ""
) -> bool:
    """Note every name under `key` that is not known; return whether all are."""
    if not section.sound(key):
        return False
    value = section[key]
    names: Iterable[str] = () if value is None else (value,) if isinstance(value, str) else value
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    for name in unknown:
        problems.add(section.at(key), f"{noun} '{name}' does not exist. {_render_names(name, known, noun, plural)}")
    return not unknown


def _render_names(name: str, known: Sequence[str], noun: str, plural: str) -> str:
    if not known:
        return f"There is none yet: write [[{noun}]]."
    if len(known) > LONGEST_LIST and (near := nearest(name, known)):
        return f"Did you mean '{near}'?"
    title = plural or f"{noun}s"
    return (
        f"{title[0].upper()}{title[1:]}: {', '.join(known[:LONGEST_LIST])}{', …' if len(known) > LONGEST_LIST else ''}."
    )

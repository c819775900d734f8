"""README.md, CHANGELOG.md and the dashboards' files against the program: what they name exists, what exists is named."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from alerts.core.model import Channel
from monitor.cli import app
from monitor.config.loader import parse_config
from monitor.config.reference import render_reference
from monitor.core.classify import SignalName
from monitor.core.labels import PRIORITIES
from monitor.errors import ConfigError
from monitor.metrics.catalogue import METRICS
from monitor.setup.service import written_folders
from tests.dashboard_checks.cross import load_rules

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
PROSE = re.sub(r"`[^`\n]*`", "", BLOCK.sub("", README))
METRIC = re.compile(r"\breplyby_[a-z0-9_]+")
METRIC_NAMES = {metric.name for metric in METRICS} | {
    f"{metric.name}_{part}" for metric in METRICS if metric.type == "histogram" for part in ("bucket", "sum", "count")
}

WHOLE = '[[mailbox]]\nhost = "imap.acme.example"\nusername = "support@acme.example"\n{mailbox}\n'
RECEIVER = '[[receiver]]\nname = "terminal"\ntype = "console"\n'

REPLACED_WORDS = (
    "ticket", "tickets", "incident", "incidents", "case owner", "assignee", "SLA timer", "stopwatch", "due date",
    "pager duty roster", "rota", "recipient group", "mute rule", "snoozed until", "acknowledgment", "watchdog timer",
)  # fmt: skip
"""Words for things that have another name here."""


class Environment(dict[str, str]):
    """Every variable that a documented file names, set to something that looks like its kind."""

    def __missing__(self, name: str) -> str:
        return "xapp-1" if "APP" in name else "xoxb-1" if "SLACK" in name else "AC" + "0" * 32

    def get(self, name: str, default: object = None) -> str:
        return self[name]


def blocks(language: str) -> Iterator[str]:
    for found in BLOCK.finditer(README):
        if found["language"] == language:
            yield re.sub(f"^{found['indent']}", "", found["body"], flags=re.MULTILINE)


def commands() -> Mapping[str, set[str]]:
    """Return every command as typed with the options that it takes."""
    found: dict[str, set[str]] = {}
    root = typer.main.get_command(app)

    def walk(command: object, name: str) -> None:
        inner = getattr(command, "commands", None)
        if inner:
            for part, one in inner.items():
                walk(one, f"{name} {part}".strip())
        else:
            parameters = getattr(command, "params", [])
            found[name] = {option for parameter in parameters for option in parameter.opts if option.startswith("--")}

    walk(root, "")
    return found


COMMANDS = commands()
SHELL_LINE = re.compile(r"(?:\S+=\S.*? )?(?:\.venv/bin/)?replyby ")
TYPED = sorted(
    {line.split("#")[0].strip() for block in blocks("shell") for line in block.splitlines() if SHELL_LINE.match(line)}
    | set(re.findall(r"`(replyby [^`]+)`", README))
)
"""Every `replyby …` of the text and of the shell blocks."""


def anchors(text: str) -> set[str]:
    """Return the names under which GitHub links the headings of a text."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize("body", list(blocks("toml")), ids=lambda body: body.splitlines()[0])
def test_a_toml_block_is_a_configuration_or_a_part_of_one(body: str, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "client-secret").write_text("of the test", encoding="utf-8")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "wholesale.txt").write_text("pallet\n", encoding="utf-8")
    given = tomllib.loads(body)
    is_part_of_mailbox = not body.lstrip().startswith("[")
    text = body
    if "mailbox" not in given:
        own = body if is_part_of_mailbox else 'password = "env:IMAP_PASSWORD"'
        text = WHOLE.format(mailbox=own) + ("" if is_part_of_mailbox else body)
    if "receiver" not in given:
        text += RECEIVER
    config = parse_config(text.encode(), tmp_path / "config.toml", "README.md", Environment())
    assert config.mailboxes
    assert config.policies


def test_the_file_beside_the_readme_needs_nothing(tmp_path: Path) -> None:
    content = (ROOT / "config.toml").read_bytes()
    assert parse_config(content, tmp_path / "config.toml", "config.toml", {}).mailboxes[0].type == "simulated"


def test_every_key_of_the_configuration_stands_in_the_readme() -> None:
    wanted = [line for line in render_reference().splitlines() if line]
    written = set(README.splitlines())
    missing = [line for line in wanted if line not in written]
    assert not missing, "Put what monitor.config.reference.render_reference() returns under “Every key”."


def test_the_readme_names_no_key_that_is_gone() -> None:
    start, end = README.index("### Every key"), README.index("</details>", README.index("### Every key"))
    rows = {line for line in README[start:end].splitlines() if line.startswith("| `")}
    assert rows == {line for line in render_reference().splitlines() if line.startswith("| `")}


def test_every_metric_stands_in_the_readme_with_its_type_labels_and_meaning() -> None:
    rows = set(README.splitlines())
    for metric in METRICS:
        labels = f"; {', '.join(metric.labels)}" if metric.labels else ""
        assert f"| `{metric.name}` | {metric.type}{labels} | {metric.help} |" in rows, metric.name


def test_every_alert_rule_stands_in_the_readme_with_its_severity() -> None:
    for rule in load_rules():
        if "alert" in rule:
            assert f"| `{rule['alert']}` | {rule['labels']['severity']} |" in README, rule["alert"]


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "README.md",
        *sorted(one for end in ("json", "yml", "yaml") for one in (ROOT / "grafana").rglob(f"*.{end}")),
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_metric_that_is_named_exists(path: Path) -> None:
    assert set(METRIC.findall(path.read_text(encoding="utf-8"))) <= METRIC_NAMES


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_stands_in_the_table_of_commands(command: str) -> None:
    table = README[README.index("\n## Commands\n") : README.index("\n## Security and privacy\n")]
    assert re.search(rf"^\|.*`replyby {command}\b", table, re.MULTILINE)


@pytest.mark.parametrize("typed", TYPED)
def test_every_command_that_is_shown_can_be_typed(typed: str) -> None:
    words = typed[typed.index("replyby ") + len("replyby ") :].split()
    name = next((one for size in (2, 1) if (one := " ".join(words[:size])) in COMMANDS), None)
    if words[0] == "--help" or (len(words) == 1 and any(one.startswith(f"{words[0]} ") for one in COMMANDS)):
        return
    assert name is not None, f"`{typed}` is no command"
    shown = {word.strip("[]").split("=")[0] for word in words if word.strip("[]").startswith("--")}
    assert shown <= COMMANDS[name] | {"--help"}


def takes(words: Sequence[str], command: str) -> bool:
    """Return whether the program's own parser reads these words as this command; nothing is run."""
    done = CliRunner().invoke(app, [*words, "--help"])
    return done.exit_code == 0 and f"Usage: replyby {command} " in done.output


def test_what_the_container_files_run_is_a_command_as_the_program_takes_it() -> None:
    worker = yaml.safe_load((ROOT / "grafana" / "compose.yaml").read_text(encoding="utf-8"))["services"]["worker"]
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["replyby"]' in dockerfile
    assert "entrypoint" not in worker
    assert takes(worker["command"], "run")
    assert worker["command"][-2:] == ["--config", "/data/config.toml"]
    assert not takes([*worker["command"][-2:], "run"], "run")  # an option of a command stands behind it
    by_default = re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    assert by_default is not None
    assert takes(json.loads(by_default[1]), "run")


def test_the_shipped_configuration_keeps_everything_in_the_folder_that_the_compose_file_mounts() -> None:
    worker = yaml.safe_load((ROOT / "grafana" / "compose.yaml").read_text(encoding="utf-8"))["services"]["worker"]
    assert worker["volumes"] == ["./data:/data"]  # writable: nothing behind a second colon
    config = parse_config((ROOT / "config.toml").read_bytes(), Path("/data/config.toml"), "config.toml", {})
    assert written_folders(config) == [Path("/data/reports"), Path("/data/var")]


def test_the_example_of_problems_is_what_a_wrong_file_shows() -> None:
    text = (
        '[[mailbox]]\nhots = "imap.acme.example"\nusername = "support@acme.example"\npassword = "env:IMAP_PASSWORD"\n'
        '[[receiver]]\ntype = "slack"\nchannel = "C0123ABCD"\n'
        '[[staffed]]\nfrom = "09:00"\nto = "25:00"\n'
        '[[policy]]\n[[policy.step]]\nremaining = "8h"\nnotify = "tem"\n'
    )
    with pytest.raises(ConfigError) as caught:
        parse_config(text.encode(), Path("/srv/config.toml"), "config.toml", Environment())
    assert f"{caught.value}\n" in list(blocks("text"))


def test_the_table_of_alerts_says_how_long_each_must_last() -> None:
    spans = {"m": "min", "h": "h", "d": "day"}
    for rule in load_rules():
        if "alert" in rule and (held := rule.get("for")):
            (row,) = [line for line in README.splitlines() if line.startswith(f"| `{rule['alert']}` |")]
            wanted = spans[held[-1]] if held == "1d" else f"{held[:-1]} {spans[held[-1]]}"
            assert wanted in row, row


def test_the_arrows_name_every_room_of_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    drawn = next(line for line in README.splitlines() if line.startswith("cli ►"))
    rooms = [part.strip().removeprefix("monitor.") for layer in contracts[0]["layers"] for part in layer.split("|")]
    assert set(rooms) == set(re.split(r"[ ,►]+", drawn))


def test_every_option_of_the_first_questions_exists() -> None:
    section = README[README.index("\n## Setting up\n") : README.index("\n### Gmail with an app password\n")]
    shown = set(re.findall(r"`(--[a-z-]+)", section))
    assert shown == COMMANDS["init"] - {"--config", "--help"}


@pytest.mark.parametrize("command", ["oncall", "answered"])
def test_an_instant_is_explained_where_it_is_asked_for(command: str) -> None:
    said = " ".join(CliRunner().invoke(app, [command, "--help"]).output.split())
    assert said.count("2026-11-20T09:00 in worker.time_zone, or with Z.") == said.count(" INSTANT ")


def test_every_make_target_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = set(re.findall(r"^make ([a-z]+)", "\n".join(blocks("shell")), re.MULTILINE))
    shown |= set(re.findall(r"`make ([a-z]+)`", README))
    assert {"run", "test"} <= shown <= targets


@pytest.mark.parametrize("text", [README, CHANGELOG], ids=["README.md", "CHANGELOG.md"])
def test_every_link_leads_somewhere(text: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
        if link.startswith("#"):
            assert link[1:] in anchors(text), link
        elif not link.startswith("https://"):
            assert (ROOT / link).is_file(), link


def test_every_module_folder_of_the_map_exists() -> None:
    drawn = next(block for block in blocks("text") if block.startswith("monitor/"))
    folder = ""
    for line in drawn.split("\n\n")[0].splitlines():
        name = line.split()[0]
        folder = name if not line.startswith(" ") else folder
        assert (ROOT / folder / ("" if name == folder else name)).exists(), line


def test_every_room_is_on_the_map() -> None:
    drawn = next(block for block in blocks("text") if block.startswith("monitor/"))
    monitor, alerts = drawn.index("monitor/"), drawn.index("\nalerts/")
    for package, text in (("monitor", drawn[monitor:alerts]), ("alerts", drawn[alerts:])):
        for room in sorted((ROOT / package).iterdir()):
            if room.is_dir() and (room / "__init__.py").exists():
                assert f"  {room.name}/" in text, f"{package}/{room.name}"


@pytest.mark.parametrize("word", REPLACED_WORDS)
def test_one_word_for_one_thing(word: str) -> None:
    for name, text in (("README.md", PROSE), ("CHANGELOG.md", CHANGELOG)):
        assert not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE), f"{name}: say it with a word of the table"


def test_every_label_signal_and_channel_is_explained() -> None:
    for label, priority in PRIORITIES.items():
        assert f"| `{label}` | {priority} |" in README
    for signal in SignalName:
        assert f"| `{signal.value}` |" in README
    for channel in Channel:
        assert f"| `{channel.value}` |" in README


def test_the_texts_tell_nothing_of_the_machine_they_were_written_on() -> None:
    for text in (README, CHANGELOG):
        assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home)/", text)


def test_the_changelog_names_the_version_of_the_package() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert re.search(rf"^## \[{re.escape(version)}\] – \d{{4}}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)

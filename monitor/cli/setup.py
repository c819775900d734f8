"""Commands that set ReplyBy up and look after it: init, login, doctor, service."""

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.options import ConfigOption, JsonOption, quiet_logs, read_config
from monitor.cli.output import instant_text, print_json, print_line
from monitor.errors import ConfigError, ReplyByError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.config.model import Config
    from monitor.setup.dialogue import Dialogue
    from monitor.setup.doctor_facts import Facts
    from monitor.setup.world import NetworkProbes


class Part(StrEnum):
    """What `init` can ask again alone."""

    MAILBOX = "mailbox"
    SLACK = "slack"
    PHONE = "phone"
    HOURS = "hours"
    HEARTBEAT = "heartbeat"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(init)
    app.command()(login)
    app.command()(doctor)
    service = typer.Typer(help="Run the worker as a systemd service.", no_args_is_help=True)
    service.command("install")(service_install)
    service.command("uninstall")(service_uninstall)
    app.add_typer(service, name="service")


def _answer(name: str, help_text: str, metavar: str = "TEXT") -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=help_text)


Answer = str | None


def init(
    parts: Annotated[
        list[Part] | None, typer.Argument(metavar="[PART]...", help="Ask these alone; the rest of the file stays.")
    ] = None,
    config: Annotated[
        Path,
        typer.Option(
            "--config",
            metavar="PATH",
            envvar="REPLYBY_CONFIG",
            show_envvar=False,
            show_default=False,
            help="The file to write, read back first; else $REPLYBY_CONFIG, else ./config.toml.",
        ),
    ] = Path("config.toml"),
    address: Annotated[Answer, _answer("address", "The mailbox that Amazon writes to.", "ADDRESS")] = None,
    sign_in: Annotated[Answer, _answer("sign-in", "For Gmail.", "password|oauth")] = None,
    password: Annotated[Answer, _answer("password", "Its password; it stands in the shell's history.")] = None,
    host: Annotated[Answer, _answer("host", "IMAP server.", "HOST")] = None,
    port: Annotated[Answer, _answer("port", "Its port.", "PORT")] = None,
    username: Annotated[Answer, _answer("username", "User name; usually the address.")] = None,
    security: Annotated[Answer, _answer("security", "How the connection is encrypted.", "tls|starttls|none")] = None,
    client_id: Annotated[Answer, _answer("client-id", "OAuth client of your own.")] = None,
    client_secret: Annotated[Answer, _answer("client-secret", "Its secret; Google only.")] = None,
    slack: Annotated[Answer, _answer("slack", "Alerts in Slack?", "y|n")] = None,
    slack_app_token: Annotated[Answer, _answer("slack-app-token", "Begins with xapp-.")] = None,
    slack_bot_token: Annotated[Answer, _answer("slack-bot-token", "Begins with xoxb-.")] = None,
    slack_channel: Annotated[Answer, _answer("slack-channel", "Name or id of a channel the bot is in.")] = None,
    slack_api_url: Annotated[Answer, _answer("slack-api-url", "Another address of Slack's API.", "URL")] = None,
    sms: Annotated[Answer, _answer("sms", "Wake somebody by SMS?", "y|n")] = None,
    name: Annotated[Answer, _answer("name", "Who is woken.")] = None,
    phone: Annotated[Answer, _answer("phone", "Number with country code.", "+33…")] = None,
    language: Annotated[Answer, _answer("language", "Of that person's alerts.", "en|fr|de|es|it")] = None,
    twilio_account_sid: Annotated[Answer, _answer("twilio-account-sid", "Begins with AC.")] = None,
    twilio_auth_token: Annotated[Answer, _answer("twilio-auth-token", "From Twilio's first page.")] = None,
    twilio_from: Annotated[Answer, _answer("twilio-from", "The number or name that sends.")] = None,
    twilio_api_url: Annotated[Answer, _answer("twilio-api-url", "Another address of Twilio's API.", "URL")] = None,
    page: Annotated[Answer, _answer("page", "Send one SMS at the end and wait for the answer?", "y|n")] = None,
    time_zone: Annotated[Answer, _answer("time-zone", "For words and reports.", "AREA/CITY")] = None,
    staffed: Annotated[Answer, _answer("staffed", "Are there hours in which somebody answers?", "y|n")] = None,
    days: Annotated[Answer, _answer("days", "On which days.", "mon-fri")] = None,
    from_: Annotated[Answer, _answer("from", "When they begin.", "HH:MM")] = None,
    to: Annotated[Answer, _answer("to", "When they end.", "HH:MM")] = None,
    holidays: Annotated[Answer, _answer("holidays", "Closed on whose public holidays.", "FR|DE-BY|none")] = None,
    heartbeat_url: Annotated[Answer, _answer("heartbeat-url", "The dead-man's switch.", "URL")] = None,
    secrets: Annotated[Answer, _answer("secrets", "Where secrets are kept.", "file|env")] = None,
    overwrite: Annotated[Answer, _answer("overwrite", "Replace a file that is there?", "y|n")] = None,
) -> None:
    """Set ReplyBy up, question by question. Each answer is tried at once; config.toml is written at the end.

    Every answer can be given as an option; without a terminal those that are missing take their usual value. Nothing is
    overwritten without asking.
    """
    typed = {key: value for key, value in locals().items() if isinstance(value, str) and key not in ("parts", "config")}
    given = {key.rstrip("_").replace("_", "-"): value for key, value in typed.items()}
    from monitor.setup.dialogue import Dialogue
    from monitor.setup.init import PARTS, run_init
    from monitor.setup.world import TerminalScreen

    quiet_logs()
    dialogue = Dialogue(TerminalScreen(), given, interactive=sys.stdin.isatty())
    asked = tuple(part.value for part in parts) if parts else PARTS
    try:
        written = run_init(
            dialogue, _probes(dialogue, config), config, os.environ, local_zone=_local_zone(), parts=asked
        )
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReplyByError(f"{error.filename or config}: {error.strerror}. Choose a folder you can write to.") from None
    if written is None:
        if not dialogue.interactive:
            raise ReplyByError(
                f"{config}: is there already. Give --overwrite y to replace it; a copy with its comments stays beside it."
            )
        print_line(f"{config} stays as it is.")


def _probes(dialogue: "Dialogue", path: Path) -> "NetworkProbes":
    from monitor.bootstrap import build_source
    from monitor.cli.first_look import look_once, page_person
    from monitor.setup.world import NetworkProbes
    from monitor.wallclock import utc_now

    state = path.absolute().parent / "var"
    others = {
        name: url
        for name, option in (("slack_url", "slack-api-url"), ("twilio_url", "twilio-api-url"))
        if (url := dialogue.given.get(option))
    }
    return NetworkProbes(
        build_source=lambda mailbox, token: build_source(mailbox, state, utc_now, token),
        state_directory=state,
        screen=dialogue.screen,
        now=utc_now,
        send_page=page_person,
        look=look_once,
        **others,
    )


def _local_zone() -> str:
    """Return this machine's time zone by name; "UTC" where it has none."""
    link = Path("/etc/localtime")
    _, found, name = str(link.resolve()).partition("zoneinfo/")
    return os.environ.get("TZ") or (name if found else "UTC")


def login(
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help="Name of a [[mailbox]] with oauth.")],
    config: ConfigOption = None,
) -> None:
    """Sign in to a Google or Microsoft mailbox. The worker renews the token from then on."""
    from monitor.setup.world import TerminalScreen, sign_in_mailbox
    from monitor.wallclock import utc_now

    loaded = read_config(config)
    found = next((one for one in loaded.mailboxes if one.name == mailbox), None)
    if found is None:
        names = ", ".join(one.name for one in loaded.mailboxes)
        raise ConfigError("replyby login", [f"{mailbox!r}: no such mailbox. Mailboxes: {names}."])
    if not found.oauth:
        line = f'{mailbox!r} signs in with a password. Write oauth = "google" or "microsoft" into it.'
        raise ConfigError("replyby login", [line])
    try:
        path = sign_in_mailbox(found, loaded.worker.state_directory, TerminalScreen(), utc_now)
    except EOFError:
        raise ReplyByError("replyby login: nobody answers. Run it in a terminal.") from None
    except OSError as error:
        raise ReplyByError(f"{error.filename}: {error.strerror}. Check the folder's owner.") from None
    print_line(f"Signed in; the token is kept in {path}.")


def doctor(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Look at everything that can be wrong, each with what to do. The worst first; exit status 1 when something is bad."""
    from monitor.setup.doctor import find_troubles
    from monitor.setup.doctor_facts import Grade

    loaded = read_config(config)
    quiet_logs(loaded)
    facts = _gather(loaded)
    findings = find_troubles(facts)
    bad = sum(one.grade is Grade.BAD for one in findings)
    if json:
        print_json(
            {
                "looked_at": instant_text(facts.now),
                "bad": bad,
                "findings": [
                    {"grade": one.grade.name.lower(), "subject": one.subject, "text": one.text, "advice": one.advice}
                    for one in findings
                ],
            }
        )
    else:
        marks = {Grade.BAD: "✗", Grade.DOUBTFUL: "!", Grade.GOOD: "✓"}
        for one in findings:
            print_line(f"{marks[one.grade]} {one.line}")
    if bad:
        raise ReplyByError(f"{bad} of {len(findings)} must be put right; see above.")


def _gather(config: "Config") -> "Facts":
    from monitor.errors import StoreError
    from monitor.store.opening import open_store

    try:
        return gather(config, open_store(config).engine)
    except StoreError as error:
        return gather(config, None, str(error))


def gather(config: "Config", engine: "Engine | None", trouble: str = "") -> "Facts":
    """Return everything that the doctor judges; connections are its own, so that it may look beside a worker's reading."""
    from monitor.bootstrap import build_directory, build_keepers, build_sources
    from monitor.setup.gather import Surroundings, gather_facts
    from monitor.wallclock import utc_now

    keepers = build_keepers(config, utc_now)
    return gather_facts(
        Surroundings(
            config=config,
            now=utc_now(),
            engine=engine,
            store_trouble=trouble,
            schedules=build_directory(config, utc_now()).schedules,
            sources=build_sources(config, utc_now, keepers),
            sign_ins={name: keeper.trouble for name, keeper in keepers.items()},
        )
    )


UserOption = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="Whom the system's service runs as; needs root. Default: root itself."),
]


def service_install(
    config: ConfigOption = None,
    user: UserOption = None,
    show: Annotated[bool, typer.Option("--print", help="Print the unit and install nothing.")] = False,
) -> None:
    """Write a systemd unit and start it. For the system when run as root, else for yourself alone."""
    from monitor.setup.service import find_unreadable, make_folders, plan_unit
    from monitor.setup.write import write_publicly

    loaded = read_config(config)
    root = os.geteuid() == 0
    if user is not None and not (root or show):
        raise ConfigError("replyby service install", ["--user needs root. Run it with sudo, or leave --user out."])
    owner = None if user is None else _owner(user)
    unit = plan_unit(loaded, _program(), user=user, home=Path.home(), root=root or user is not None)
    if show:
        print_line(unit.text.rstrip("\n"))
        return
    try:
        make_folders(loaded, owner)
    except OSError as error:
        raise ReplyByError(f"{error.filename}: {error.strerror}. Make it, and give it to the service's user.") from None
    closed = [] if owner is None else find_unreadable(loaded, owner)
    if closed:
        raise ReplyByError(f"{closed[0]}: {user} may not read it. Run: chown -R {user} {loaded.path.parent}")
    try:
        write_publicly(unit.path, unit.text)
    except OSError as error:
        raise ReplyByError(f"{unit.path}: {error.strerror}. Run it with sudo, or as yourself.") from None
    print_line(f"{unit.path} written")
    for command in unit.commands:
        _run(command)
    print_line("Installed and started. Log: journalctl -u replyby" + ("" if root else " --user"))


def _owner(user: str) -> tuple[int, int]:
    import pwd

    try:
        found = pwd.getpwnam(user)
    except KeyError:
        line = f"--user {user!r}: no such user. Make one: useradd --system --no-create-home {user}"
        raise ConfigError("replyby service install", [line]) from None
    return found.pw_uid, found.pw_gid


def service_uninstall() -> None:
    """Stop the service and remove its unit. Configuration and database stay."""
    from monitor.setup.service import plan_removal

    unit = plan_removal(home=Path.home(), root=os.geteuid() == 0)
    if not unit.path.exists():
        raise ReplyByError(f"{unit.path}: not there. Nothing was installed, or by another user.")
    _run(unit.commands[0])
    try:
        unit.path.unlink()
    except OSError as error:
        raise ReplyByError(f"{unit.path}: {error.strerror}. Run it with sudo.") from None
    for command in unit.commands[1:]:
        _run(command)
    print_line(f"{unit.path} removed. Configuration and database stay where they are.")


def _program() -> tuple[str, ...]:
    """Return how this very program is started, by absolute paths."""
    script = Path(sys.argv[0])
    return (str(script.resolve()),) if script.name == "replyby" else (sys.executable, "-m", "monitor")


def _run(command: tuple[str, ...]) -> None:
    shown = " ".join(command)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except FileNotFoundError:
        raise ReplyByError(
            f"{command[0]}: not on this system, so systemd does not run it. Use `replyby run`."
        ) from None
    except subprocess.TimeoutExpired:
        raise ReplyByError(f"{shown}: no answer within 60 s. Look at `journalctl -xe`.") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ReplyByError(f"{shown}: {said.rstrip('.')}. Put it right, then run it again.")

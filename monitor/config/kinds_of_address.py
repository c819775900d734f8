"""Kinds of values that tell where somebody or something is: addresses, numbers, hosts, Slack's ids, files."""

import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitor.config.kinds import NAMES, Kind, Scope, listed, parse_text

LARGEST_WORD_FILE = 1024 * 1024  # bytes
NO_ADDRESS = "not an address. Write it with https:// in front."
OPEN_ADDRESS = (
    "http:// would show the network what is sent there. Write https://; http:// is for this machine (127.0.0.1) only."
)


def _email(value: str, scope: Scope) -> str:
    del scope
    local, at, domain = value.strip().rpartition("@")
    if not at or not local or "." not in domain.strip(".") or re.search(r"[\s<>,;]|\.\.", value.strip()):
        raise ValueError
    return f"{local}@{domain}".lower()


def _phone(value: str, scope: Scope) -> str | None:
    del scope
    if not value.strip():
        return None
    import phonenumbers

    compact = re.sub(r"[\s().-]", "", value)
    if not compact.startswith("+"):
        raise ValueError('without a country code. Write it as "+33612345678": plus, country, number.')
    try:
        number = phonenumbers.parse(compact)
    except phonenumbers.NumberParseException:
        raise ValueError from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("not a possible number: too short or too long for its country. Write all its digits.")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _sender(value: str) -> str:
    """Return a number, a short code or an alphanumeric sender as Twilio takes it."""
    text = value.strip()
    if text.startswith("+"):
        compact = re.sub(r"[\s().-]", "", text)
        if re.fullmatch(r"\+[1-9][0-9]{6,14}", compact):  # Twilio's test numbers are none that a country would assign
            return compact
        raise ValueError
    if re.fullmatch(r"[0-9]{3,8}", text) or re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", text):
        return text
    raise ValueError


def _senders(value: Any, scope: Scope) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the default sender and those by country prefix."""
    del scope
    if isinstance(value, str):
        return (_sender(value) if value.strip() else ""), ()
    default, by_prefix = "", []
    for prefix, sender in value.items():
        if not isinstance(sender, str):
            raise ValueError
        if prefix == "default":
            default = _sender(sender)
        elif re.fullmatch(r"\+[1-9][0-9]{0,3}", prefix):
            by_prefix.append((prefix, _sender(sender)))
        else:
            raise ValueError(f'\'{prefix[:20]}\' is not a country prefix. Write {{ default = "+1…", "+33" = "+33…" }}.')
    return default, tuple(by_prefix)


def _url(value: str, scope: Scope) -> str:
    del scope
    check_url(value)
    return value.strip()


def check_url(value: str) -> None:
    """Raise ValueError unless this is an https address with a host, or an http address of this machine.

    For every address that the program calls: what is sent there, or its path alone, is nobody else's to read.
    """
    try:
        parts = urlsplit(value.strip())
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        raise ValueError(NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", value.strip()):
        raise ValueError(NO_ADDRESS)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(OPEN_ADDRESS)


def is_loopback(host: str) -> bool:
    """Return whether a host name is this machine's own, without asking any name server."""
    if host.lower() in ("localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(value: str, scope: Scope) -> str:
    text = parse_text(value, scope)
    if text.startswith(("env:", "file:")):
        raise ValueError(
            "a variable or file where a host name belongs: only secrets may stand there. Write the name itself."
        )
    if "://" in text or "/" in text:
        raise ValueError('an address where a host name belongs. Write the name alone, such as "imap.example.com".')
    if re.fullmatch(r"[^:]+:[0-9]+", text):
        raise ValueError("a port behind the name. Write the name alone, and port = … on a line of its own.")
    if re.search(r"[\s@]", text):
        raise ValueError
    return text


def _listen(value: str, scope: Scope) -> tuple[str, int]:
    del scope
    host, colon, port = value.strip().rpartition(":")
    host = host.strip("[]")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or re.search(r"[\s/]", host):
        raise ValueError
    return host or "0.0.0.0", int(port)  # noqa: S104 - refused later unless it was meant


EMAIL = Kind("an e-mail address", 'it as "name@example.com"', (str,), _email)
EMAILS = Kind(
    "a list of e-mail addresses",
    '["name@example.com"]',
    (list, str),
    listed(_email, "an e-mail address", "e-mail addresses", '["name@example.com"]'),
)
PHONE = Kind("a phone number", 'it as "+33612345678"', (str,), _phone)
SENDER = Kind(
    "a sender of SMS",
    'a number as "+33612345678", or a table by country prefix: { default = "+1…", "+33" = "+33…" }',
    (str, dict),
    _senders,
)
URL = Kind("an address", "it with https:// in front", (str,), _url)
HOST = Kind("a host name", 'the name alone, such as "imap.example.com"', (str,), _host)
LISTEN = Kind("a host and port", 'them as "127.0.0.1:9464"', (str,), _listen)


# --- files


def _path(value: str, scope: Scope) -> Path:
    if not value.strip() or "\0" in value:
        raise ValueError
    try:
        return scope.directory / Path(value.strip()).expanduser()
    except RuntimeError:
        raise ValueError("has no home directory behind its ~. Write the whole path.") from None


def _ical(value: str, scope: Scope) -> str:
    """Return an address as it is, a path made absolute. Whoever knows the address can read the calendar: it is a secret."""
    if "://" in value:
        check_url(value.replace("webcal://", "https://", 1))
        return value.strip().replace("webcal://", "https://", 1)
    path = _path(value, scope)
    if not path.is_file() and re.match(r"\s*[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?/", value):
        raise ValueError("no such file. An address is written with https:// in front.")
    if not path.is_file():
        raise ValueError(f"{path.name} does not exist. Write an address or the path of an iCalendar file.")
    return str(path)


def _word_files(value: Any, scope: Scope) -> tuple[Path, ...]:
    paths = []
    for item in [value] if isinstance(value, str) else value:
        if not isinstance(item, str):
            raise ValueError
        path = _path(item, scope)
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST_WORD_FILE + 1)
            if len(content) > LARGEST_WORD_FILE:
                raise ValueError(f"{path.name} is larger than 1 MB: not a list of words. Check the path.")
            content.decode("utf-8")
        except FileNotFoundError:
            raise ValueError(
                f"{path.name} does not exist. Write the path of a file, one word or phrase a line."
            ) from None
        except OSError as error:
            raise ValueError(f"{path.name} cannot be read: {error.strerror}. Check its owner and mode.") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path.name} is not UTF-8 text. Save it with encoding UTF-8.") from None
        paths.append(path)
    return tuple(paths)


PATH = Kind("a path", "it in quotes, relative to this file or absolute", (str,), _path)
FILES = Kind("a list of files", '["words.txt"]', (list, str), _word_files)
ICAL = Kind(
    "an iCalendar address or file", "an address with https:// or the path of a file", (str,), _ical, secret=True
)


def _folders(value: Any, scope: Scope) -> tuple[str, ...] | None:
    if value == "auto":
        return None
    return NAMES.parse(value, scope)  # type: ignore[no-any-return]


def _users(value: Any, scope: Scope) -> tuple[str, ...]:
    names: tuple[str, ...] = NAMES.parse(value, scope)
    for name in names:
        if name != "*":
            _slack_id(name, "U0123ABCD")
    return names


def _slack_id(value: str, example: str) -> str:
    text = value.strip()
    if text and not re.fullmatch(r"[A-Z][A-Z0-9]+", text):
        raise ValueError(
            f'not an id of Slack. Write it as "{example}": Slack shows it in the details of the person or channel.'
        )
    return text


FOLDERS = Kind('"auto" or a list of folders', '"auto" or ["INBOX", "…"]', (list, str), _folders)
SLACK_USERS = Kind(
    "a list of Slack's user ids", '["U0123ABCD"], or "*" for everyone in the channel', (list, str), _users
)
SLACK_USER = Kind(
    "Slack's id of a person", 'it as "U0123ABCD"', (str,), lambda value, scope: _slack_id(value, "U0123ABCD")
)
SLACK_CHANNEL = Kind(
    "Slack's id of a channel", 'it as "C0123ABCD"', (str,), lambda value, scope: _slack_id(value, "C0123ABCD")
)

"""Asking a person one thing at a time, or taking the answer from a script; a wrong answer is told and asked again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from monitor.config.kinds import Kind, Scope
from monitor.config.problems import nearest
from monitor.errors import ConfigError, ReplyByError

Answer = TypeVar("Answer")
YES = frozenset({"y", "yes", "o", "oui", "j", "ja", "s", "si", "sí"})
NO = frozenset({"n", "no", "non", "nein"})


class Screen(Protocol):
    """A terminal, or what stands for one in a test."""

    def show(self, text: str) -> None:
        """Show a line."""

    def ask(self, question: str, *, secret: bool) -> str:
        """Show a question and return the line that was typed; a secret is not shown while it is typed.

        Raises:
            EOFError: nobody is there to answer.
        """


@dataclass(slots=True)
class Dialogue:
    """One interview. `given` holds answers from options; they are checked like typed ones but never asked again."""

    screen: Screen
    given: Mapping[str, str] = field(default_factory=dict)
    interactive: bool = True

    def good(self, text: str) -> None:
        """Show that something worked."""
        self.screen.show(f"✓ {text}")

    def bad(self, text: str) -> None:
        """Show that something did not work."""
        self.screen.show(f"✗ {text}")

    def say(self, text: str) -> None:
        """Show a line."""
        self.screen.show(text)

    def ask(
        self,
        name: str,
        question: str,
        check: Callable[[str], Answer],
        *,
        default: str | None = None,
        secret: bool = False,
    ) -> Answer:
        """Return the first answer that `check` takes.

        Args:
            name: of the option that answers it, without its dashes.
            question: what is asked.
            check: returns the value, or raises ValueError or ReplyByError with one line that says what is wrong.
            default: taken for an empty line; None: an empty line is checked like any other.
            secret: not shown.

        Raises:
            ConfigError: the option's answer is wrong, or there is none and nobody to ask.
        """
        if name in self.given or not self.interactive:
            if name not in self.given and default is None:
                raise ConfigError("replyby init", [f"--{name}: missing. It answers: {question}"])
            try:
                return check(self.given.get(name, "").strip() or default or "")
            except (ValueError, ReplyByError) as error:
                raise ConfigError("replyby init", [f"--{name}: {error}"]) from None
        shown = f"{question} [{default}] " if default else f"{question} "
        while True:
            try:
                typed = self.screen.ask(shown, secret=secret).strip()
            except EOFError:
                raise ConfigError(
                    "replyby init", [f"nobody answers. Give --{name}, or run it in a terminal."]
                ) from None
            try:
                return check(typed or default or "")
            except (ValueError, ReplyByError) as error:
                self.bad(str(error))

    def confirm(self, name: str, question: str, *, default: bool) -> bool:
        """Return yes or no."""

        def check(text: str) -> bool:
            word = text.lower()
            if word in YES or word in NO:
                return word in YES
            raise ValueError("Answer y or n.")

        return self.ask(name, f"{question} (y/n)", check, default="y" if default else "n")

    def choose(self, name: str, question: str, choices: Sequence[str], *, default: str | None = None) -> str:
        """Return one of a few words; the beginning of one is enough."""

        def check(text: str) -> str:
            fitting = [choice for choice in choices if text and choice.lower().startswith(text.lower())]
            if text in choices or len(fitting) == 1:
                return text if text in choices else fitting[0]
            raise ValueError(f"Not one of: {', '.join(choices)}.")

        return self.ask(name, f"{question} ({', '.join(choices)})", check, default=default)


def checked(kind: Kind, scope: Scope) -> Callable[[Any], Any]:
    """Return a check that takes what config.toml would take for this kind of value."""

    def check(text: Any) -> Any:
        try:
            return kind.read(text, scope)
        except ValueError as error:
            raise ValueError(f"{str(error)[:1].upper()}{str(error)[1:]}") from None

    return check


def required(text: str) -> str:
    """Return the text, refused where it is empty."""
    if not text:
        raise ValueError("Nothing was typed.")
    return text


def pick(text: str, options: Mapping[str, str]) -> str:
    """Return the id of what was picked: `options` maps ids to names; either is taken, a leading # or @ does not matter.

    Raises:
        ValueError: there is none of this name.
    """
    word = text.strip().lstrip("#@").casefold()
    for key, name in options.items():
        if word and word in (key.casefold(), name.casefold()):
            return key
    near = nearest(word, options.values())
    shown = ", ".join(sorted(options.values())[:20])
    raise ValueError(f"'{text}' is not there. " + (f"Did you mean '{near}'?" if near else f"There is: {shown}."))

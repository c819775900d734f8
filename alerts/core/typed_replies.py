"""What a person types to answer an SMS: "7", "ack 7", "done 7", "7a", "STOP"; in five languages. Pure.

Strict on purpose: "7 min please" is no acknowledgement. What is not understood gets a helpful answer, never a guess.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alerts.core.model import AnswerKind

DEFAULT_SNOOZE: Final = timedelta(hours=1)
MAX_LENGTH: Final = 160  # longer texts are letters, not answers
MAX_CODE: Final = 9999

_ACKNOWLEDGE: Final = frozenset(
    [
        "a",
        "ack",
        "acknowledge",
        "ok",
        "okay",
        "yes",
        "mine",
        "take",
        "have",
        "oui",
        "moi",
        "ja",
        "ich",
        "si",
        "mio",
        "mia",
    ]
)
_ANSWERED: Final = frozenset(
    [
        "done",
        "answered",
        "replied",
        "fait",
        "repondu",
        "fertig",
        "erledigt",
        "beantwortet",
        "hecho",
        "respondido",
        "listo",
        "fatto",
        "risposto",
    ]
)
_WAIVE: Final = frozenset(["waive", "none", "noreply", "rien", "keine", "nada", "niente"])
_SNOOZE: Final = frozenset(["snooze", "later", "pause", "pausa", "spater", "despues", "dopo"])
_UNDO: Final = frozenset(["undo", "annuler", "zuruck", "deshacer", "annulla", "reopen"])
_KINDS: Final = (
    (AnswerKind.ACKNOWLEDGE, _ACKNOWLEDGE),
    (AnswerKind.ANSWERED, _ANSWERED),
    (AnswerKind.WAIVE, _WAIVE),
    (AnswerKind.SNOOZE, _SNOOZE),
    (AnswerKind.UNDO, _UNDO),
)
# Words that add nothing: politeness, and the rest of "I have it" in our five languages.
_FILLER: Final = frozenset(
    [
        "please",
        "thanks",
        "thank",
        "thx",
        "merci",
        "danke",
        "bitte",
        "gracias",
        "grazie",
        "i",
        "it",
        "them",
        "got",
        "i've",
        "je",
        "m'en",
        "occupe",
        "occupo",
        "ubernehme",
        "me",
        "ocupo",
        "ne",
        "number",
        "code",
        "nr",
        "for",
    ]
)
# Only behind one of these "you" adds nothing: "7 for you" hands it to somebody else.
_THANKS: Final = ("thank", "thanks")
# What Twilio and the networks themselves take for an opt-out or its end.
_STOP: Final = frozenset(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "arret", "stopp", "alto", "ferma"))
_START: Final = frozenset(("start", "unstop"))
_CODE: Final = re.compile(r"#?(\d{1,4})")
_CODE_AND_LETTER: Final = re.compile(r"#?(?:(\d{1,4})a|a(\d{1,4}))")
_WORD_AND_CODE: Final = re.compile(r"([a-z]{2,12})#?(\d{1,4})")
_SPAN: Final = re.compile(r"(\d{1,2})(h|m|min)")


@dataclass(frozen=True, slots=True)
class TypedReply:
    """An answer by phone; `code` is None for STOP and START."""

    kind: AnswerKind
    code: int | None = None
    snooze_for: timedelta | None = None


def parse_reply(text: str) -> TypedReply | None:
    """Return what a text means, or None when that is not beyond doubt (two codes, an unknown word, no code, a question)."""
    if len(text) > MAX_LENGTH:
        return None
    words = _words(text)
    if len(words) == 1 and words[0] in _STOP:
        return TypedReply(AnswerKind.STOP)
    if len(words) == 1 and words[0] in _START:
        return TypedReply(AnswerKind.START)
    kinds: set[AnswerKind] = set()
    codes: list[int] = []
    span: timedelta | None = None
    for before, word in zip(["", *words], words, strict=False):
        if found := _CODE_AND_LETTER.fullmatch(word):
            kinds.add(AnswerKind.ACKNOWLEDGE)
            codes.append(int(found[1] or found[2]))
        elif found := _CODE.fullmatch(word):
            codes.append(int(found[1]))
        elif (found := _SPAN.fullmatch(word)) and span is None:
            span = timedelta(hours=int(found[1])) if found[2] == "h" else timedelta(minutes=int(found[1]))
        elif (kind := _kind_of(word)) is not None:
            kinds.add(kind)
        elif (found := _WORD_AND_CODE.fullmatch(word)) and (kind := _kind_of(found[1])) is not None:
            kinds.add(kind)
            codes.append(int(found[2]))
        elif word not in _FILLER and not (word == "you" and before in _THANKS):
            return None
    return _decide(kinds, codes, span)


def _decide(kinds: set[AnswerKind], codes: list[int], span: timedelta | None) -> TypedReply | None:
    if len(codes) != 1 or not 1 <= codes[0] <= MAX_CODE:
        return None
    if len(kinds) == 2 and AnswerKind.ACKNOWLEDGE in kinds:
        kinds = kinds - {AnswerKind.ACKNOWLEDGE}  # "ok done 7": the stronger word counts
    if len(kinds) > 1:
        return None
    kind = next(iter(kinds), AnswerKind.ACKNOWLEDGE)
    if kind is AnswerKind.SNOOZE:
        return TypedReply(kind, codes[0], span or DEFAULT_SNOOZE)
    return TypedReply(kind, codes[0]) if span is None else None


def _kind_of(word: str) -> AnswerKind | None:
    return next((kind for kind, names in _KINDS if word in names), None)


def _words(text: str) -> list[str]:
    """Lower-case words without accents and punctuation; full-width digits become plain ones.

    A question mark stays: no word that means something has one, and a question changes nothing.
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return [word for word in re.split(r"[\s.,;:!=()\"“”«»\[\]*]+", kept) if word]

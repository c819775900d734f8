"""What a buyer's words are about: labels that order and route alerts. They never decide what is a buyer message.

Owns the matching and the priorities. Must not read files: the words come from `monitor.parse.wordlists`.

A word list entry is a word or a phrase. `parcel*` fits every word that begins so; without a star the whole word must fit.
Writing without spaces (Chinese, Japanese, Thai) is searched anywhere. Case and accents do not matter.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

PROMISE_MISSED = "promise_missed"
"""Comes from the order behind a message, not from its words: its promised delivery has passed."""

PRIORITIES: dict[str, int] = {
    "claim_threat": 40,
    PROMISE_MISSED: 35,
    "complaint": 30,
    "damaged": 25,
    "cancellation": 25,
    "delivery": 20,
    "refund": 15,
    "return": 15,
    "product_question": 10,
    "invoice": 5,
    "thank_you": -20,
    "out_of_office": -20,
}
"""A message's priority is that of its most urgent label; 0 without any. A rule in the configuration may set another."""

QUIET_LABELS = ("out_of_office", "thank_you")
THANKS_GO_WITH = frozenset({"delivery", "refund", "return", "invoice", "product_question"})
"""What one may thank for."""

MAX_LETTERS = 20_000
MAX_SEEN = 20_000
LONGEST_SEEN = 40
_HEAD = 3  # letters by which stems are found
THANKS_AT_MOST = 40  # words: a longer message says more than thanks

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_QUESTION = re.compile(r"[?？؟]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_LETTERS_BEYOND_ACCENTS = re.compile("[łøđıßæœ]")
_MARKS = re.compile("[\u0300-\u036f\u064b-\u065f\u0640\u0670\u3099\u309a]+")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Words that give a label. `priority` None keeps the label's usual one (10 for a label of one's own)."""

    name: str
    words: tuple[str, ...]
    priority: int | None = None


_Phrase: TypeAlias = tuple[int, tuple[str, ...], bool, str]
"""Where in the phrase its longest word stands, all its words, whether the last is a stem, and the label."""


@dataclass(frozen=True, slots=True)
class LabelBook:
    """Rules made ready for matching by `build_label_book`: phrases by their longest word, stems by their first letters."""

    phrases: dict[str, tuple[_Phrase, ...]]
    stems: dict[str, tuple[tuple[str, str], ...]]
    unspaced: tuple[tuple[str, str], ...]
    priorities: dict[str, int]
    asking: frozenset[str] = frozenset()
    asking_unspaced: tuple[str, ...] = ()
    seen: dict[str, tuple[_Phrase, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What the words met so far can mean; emptied at `MAX_SEEN`: buyers use the same few thousand words."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labels, most important first, and the priority they give."""

    labels: tuple[str, ...] = ()
    priority: int = 0


def fold(text: str) -> str:
    """Return the text without case, accents and width, so that "Remboursé" and "rembourse" are one."""
    if text.isascii():
        return text.lower()
    folded = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return folded.translate(_LETTERS) if _LETTERS_BEYOND_ACCENTS.search(folded) else folded


def build_label_book(rules: Iterable[LabelRule], asking: Iterable[str] = ()) -> LabelBook:
    """Return the rules ready for use; later rules add words to a label and may set its priority.

    An entry is a phrase of words; its last word may end in `*`. `asking` are words that show that a message with thanks
    in it asks for something after all.
    """
    asks = [fold(word) for word in asking]
    phrases: dict[str, dict[_Phrase, None]] = {}
    stems: dict[str, dict[tuple[str, str], None]] = {}
    unspaced: dict[tuple[str, str], None] = {}
    priorities = dict(PRIORITIES)
    for rule in rules:
        priorities.setdefault(rule.name, 10)
        if rule.priority is not None:
            priorities[rule.name] = rule.priority
        for entry in rule.words:
            folded = fold(entry).strip()
            star = folded.endswith("*")
            if _UNSPACED.search(folded):
                unspaced[(folded.rstrip("*"), rule.name)] = None
                continue
            words = tuple(_WORD.findall(folded))
            if not words:
                continue
            if len(words) == 1 and star:
                stems.setdefault(words[0][:_HEAD], {})[(words[0], rule.name)] = None
                continue
            whole = words[:-1] if star else words
            longest = max(range(len(whole)), key=lambda index: len(whole[index]))
            phrases.setdefault(words[longest], {})[(longest, words, star, rule.name)] = None
    return LabelBook(
        phrases={word: tuple(found) for word, found in phrases.items()},
        stems={head: tuple(found) for head, found in stems.items()},
        unspaced=tuple(unspaced),
        priorities=priorities,
        asking=frozenset(part for word in asks for part in _WORD.findall(word) if len(part) > 1),
        asking_unspaced=tuple(word for word in asks if _UNSPACED.search(word)),
    )


def find_labels(text: str, book: LabelBook) -> set[str]:
    """Return the labels whose words stand in the text."""
    folded = fold(text[:MAX_LETTERS])
    words = _WORD.findall(folded)
    found: set[str] = set()
    seen = book.seen
    for index, word in enumerate(words):
        meanings = seen.get(word)
        if meanings is None:
            meanings = _meanings(word, book)
        for position, phrase, star, name in meanings:
            if name not in found and (len(phrase) == 1 or _stands(words, index - position, phrase, star)):
                found.add(name)
    if not folded.isascii() and _UNSPACED.search(folded):
        found.update(name for phrase, name in book.unspaced if phrase in folded)
    return found


def _meanings(word: str, book: LabelBook) -> tuple[_Phrase, ...]:
    """Return the phrases a word may belong to, and the stems it begins with, as phrases of one word."""
    found = book.phrases.get(word, ())
    stems = book.stems.get(word[:_HEAD], ())
    found += tuple((0, (word,), False, name) for stem, name in stems if word.startswith(stem))
    if len(word) > LONGEST_SEEN:
        return found
    if len(book.seen) >= MAX_SEEN:
        book.seen.clear()
    book.seen[word] = found
    return found


def label_words(words: str, subject: str, book: LabelBook) -> Labelled:
    """Return the labels of a buyer message.

    Thanks count only where nothing is asked or wrong: "thank you" ends most questions. The subject, which Amazon words by the
    topic the buyer chose, adds to what the message says, but not to a mere thank-you or an out-of-office note.

    Args:
        words: the buyer's own words.
        subject: the mail's subject, decoded.
        book: from `build_label_book`.
    """
    found = find_labels(words, book) if words else set()
    in_subject = find_labels(subject, book) if subject else set()
    if "out_of_office" in in_subject:
        found.add("out_of_office")
    thanks = "thank_you" in found
    found.discard("thank_you")
    in_subject -= {"thank_you", "out_of_office"}
    if "out_of_office" in found:
        found = {"out_of_office"}
    elif thanks and found <= THANKS_GO_WITH and _only_thanks(words, book):
        found = {"thank_you"}
    else:
        found |= in_subject
    return ordered(found, book.priorities)


def _only_thanks(words: str, book: LabelBook) -> bool:
    if len(words) > 400 or len(words.split()) > THANKS_AT_MOST or _QUESTION.search(words):
        return False
    folded = fold(words)
    if not book.asking.isdisjoint(_WORD.findall(folded)):
        return False
    return not any(word in folded for word in book.asking_unspaced)


def ordered(found: Iterable[str], priorities: dict[str, int]) -> Labelled:
    """Return labels by falling priority, then by name, and the priority of the first."""
    labels = tuple(sorted(found, key=lambda name: (-priorities.get(name, 0), name)))
    return Labelled(labels, priorities.get(labels[0], 0) if labels else 0)


def _stands(words: list[str], start: int, phrase: tuple[str, ...], star: bool) -> bool:
    end = start + len(phrase)
    if start < 0 or end > len(words):
        return False
    if not star:
        return tuple(words[start:end]) == phrase
    return tuple(words[start : end - 1]) == phrase[:-1] and words[end - 1].startswith(phrase[-1])

"""One thread as a Slack message: Block Kit, read on a phone first.

Everything that came from outside is escaped: a buyer's order or label that says `<!channel>` pings nobody. Emoji stand beside
words that say the same. A button's value holds the thread and its clock, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from alerts.core.model import AnswerKind, Delivery, Purpose, ThreadFacts
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words
from alerts.core.words.summaries import SUMMARY_PURPOSES, render_summary

Block = dict[str, Any]
ACTION_PREFIX: Final = "replyby_"
SNOOZE_FOR: Final = timedelta(hours=1)
MAX_TEXT: Final = 2900  # Slack's 3,000 for a section, less what escaping a cut may add
MAX_HEADER: Final = 150
MAX_URL: Final = 3000
GONE: Final = ("joined", "not_a_message")
_MAX_LINK: Final = 1850  # of the 2,000 that a context block takes


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """What is posted: `text` is the notification line, `blocks` the message; `ring` is said in the thread to ring again."""

    text: str
    blocks: tuple[Block, ...]
    ring: str = ""


def escape(text: str) -> str:
    """Return text that Slack shows as it is: no mention, no link, no channel ping.

    Source: docs.slack.dev, "Formatting message text", escaping `&`, `<` and `>`.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render_thread(words: Words, delivery: Delivery) -> SlackMessage:
    """Return the message of `delivery.threads[0]` as it stands at `delivery.now`.

    Raises:
        LookupError, ValueError: a translation is broken.
    """
    facts, now = delivery.threads[0], delivery.now
    named = delivery.name_people and not delivery.external
    text = escape(said.line(words, facts, now, name_people=named))
    if delivery.purpose is Purpose.REOPENED:
        text = f"{escape(_reopened(words, delivery))}: {text}"
    blocks = [
        _header(f"{said.state_sign(facts, now)} {said.title(words, facts, now, name_people=named)}"),
        _section(_about(words, facts, external=delivery.external)),
        _context(_waiting(words, facts, now, external=delivery.external)),
    ]
    if delivery.purpose is Purpose.REOPENED:
        blocks.append(_context(f"🔁 {escape(_reopened(words, delivery))}"))
    holders = said.who_has_it(words, facts, now, name_people=named)
    if holders:
        blocks.append(_context(" · ".join(escape(part) for part in holders)))
    for warning in said.warnings(words, facts):
        blocks.append(_context(f"⚠️ {escape(warning)}"))
    blocks.extend(_actions(words, facts, external=delivery.external))
    return SlackMessage(
        text,
        tuple(blocks),
        ring=f"{'🔁' if delivery.purpose is Purpose.REOPENED else said.state_sign(facts, now)} {text}",
    )


def render_message(words: Words, delivery: Delivery) -> SlackMessage:
    """Return the Slack message of any delivery: a thread's own one, or a summary without buttons.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    if delivery.content.get("gone") in GONE:
        return _gone(words, delivery)
    if delivery.purpose not in SUMMARY_PURPOSES:
        return render_thread(words, delivery)
    summary = render_summary(words, delivery)
    title = f"{summary.sign} {summary.title}"
    lines = [escape(line) for line in summary.lines]
    lines.extend(f"`{escape(command)}`" for command in summary.commands)
    blocks = bullet_blocks(title, lines, after=[escape(line) for line in summary.small])
    if len(title) > MAX_HEADER:  # a header would cut it: say it in full below
        blocks = bullet_blocks(title, [escape(summary.title), *lines], after=[escape(line) for line in summary.small])
    if delivery.purpose is Purpose.TEST and delivery.content.get("page"):
        blocks = (*blocks, test_button(words))
    return SlackMessage(escape(title), blocks)


def _gone(words: Words, delivery: Delivery) -> SlackMessage:
    """Return what is left of the message of a thread that is part of another now, or was no buyer's: a line, no button."""
    name = said.thread_name(words, delivery.threads[0]) if delivery.threads else ""
    text = escape(words.say(delivery.content["gone"], name=name))
    return SlackMessage(text, (_context(f"↪️ {text}"),))


def bare_message(text: str) -> SlackMessage:
    """Return text as it is, without blocks: when words or blocks are broken."""
    return SlackMessage(escape(text), (), ring=escape(text))


def _reopened(words: Words, delivery: Delivery) -> str:
    reason = delivery.content.get("reason")
    if reason in ("bounced", "undone"):
        return f"{words.say('open_again')} ({words.say(f'why_{reason}')})"
    return words.say("open_again")


def _about(words: Words, facts: ThreadFacts, *, external: bool) -> str:
    name = f"*{escape(said.thread_name(words, facts))}*"
    parts = [escape(said.place(words, facts)), name]
    if facts.labels and not external:
        parts.append(", ".join(escape(words.label(label)) for label in facts.labels[:4]))
    return " · ".join(parts)


def _waiting(words: Words, facts: ThreadFacts, now: datetime, *, external: bool) -> str:
    key = "waited_since" if said.is_closed(facts) else "waiting_since"
    parts = [escape(words.say(key, at=words.weekday_instant(facts.started_at)))]
    parts.append(words.count("messages", facts.messages))
    if not external:
        parts.extend(escape(fact) for fact in said.order_facts(words, facts))
    if not said.is_closed(facts):
        # Each reader sees this one in his own time zone; a client that cannot shows the receiver's.
        due = escape(words.weekday_instant(facts.deadline_at))
        stamp = f"<!date^{int(facts.deadline_at.timestamp())}^{{date_short_pretty}} {{time}}|{due}>"
        parts.append(words.say("deadline", at=stamp))
        parts.append(escape(words.say("as_of", at=words.instant(now, now))))
    return " · ".join(parts)


def _actions(words: Words, facts: ThreadFacts, *, external: bool) -> list[Block]:
    value = f"{facts.thread_id}.{facts.clock_id}"
    if said.is_closed(facts):
        by_hand = facts.state == "waived" or facts.answered_route == "hand"
        return [_buttons([_button(words, "undo", AnswerKind.UNDO, value)])] if by_hand else []
    waive = _button(words, "waive", AnswerKind.WAIVE, value)
    no_response = web_link(facts.no_response_url)
    if no_response and not external:
        waive["url"] = no_response  # opens Amazon's own page; Slack tells us of the press as well
    buttons = [
        {**_button(words, "acknowledge", AnswerKind.ACKNOWLEDGE, value), "style": "primary"},
        _button(words, "answered", AnswerKind.ANSWERED, value),
        waive,
        _button(words, "snooze", AnswerKind.SNOOZE, value),
    ]
    open_at = web_link(facts.seller_central_url)
    if open_at and not external:
        label = f"{words.say('button_open')} ↗"
        buttons.append(
            {"type": "button", "action_id": f"{ACTION_PREFIX}open", "text": _plain(label, 75), "url": open_at}
        )
    blocks = [_buttons(buttons)]
    holding = mail_link(facts.holding_reply_url)
    if holding and not external:
        blocks.append(_context(f"✍️ <{holding}|{escape(words.say('holding_reply'))}>"))
    return blocks


def web_link(url: str | None) -> str | None:
    """Return an https address that fits a button, else None."""
    if not url or len(url) > MAX_URL or any(char.isspace() for char in url):
        return None
    return url if urlsplit(url).scheme == "https" else None


def mail_link(url: str | None) -> str | None:
    """Return a `mailto:` address fit to stand inside `<…|…>`, else None: `|` and `>` would end it early."""
    if not url or not url.startswith("mailto:") or any(char.isspace() or ord(char) < 32 for char in url):
        return None
    safe = url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E").replace("&", "&amp;")
    return safe if len(safe) <= _MAX_LINK else None


def bullet_blocks(title: str, lines: Sequence[str], *, after: Sequence[str] = ()) -> tuple[Block, ...]:
    """Return a summary: a title, lines in as few sections as Slack takes, and small print. Lines are escaped already."""
    blocks = [_header(title)]
    chunk: list[str] = []
    for line in lines:
        if chunk and len("\n".join([*chunk, line])) > MAX_TEXT:
            blocks.append(_section("\n".join(chunk)))
            chunk = []
        chunk.append(line[:MAX_TEXT])
    if chunk:
        blocks.append(_section("\n".join(chunk)))
    blocks.extend(_context(text) for text in after if text)
    return tuple(blocks[:50])


def test_button(words: Words) -> Block:
    """Return the button that proves that a person is reached; its value names no thread."""
    return _buttons([_button(words, "acknowledge", AnswerKind.ACKNOWLEDGE, "test")])


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text, MAX_HEADER)}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:2000]}]}


def _buttons(elements: list[Block]) -> Block:
    return {"type": "actions", "elements": elements}


def _button(words: Words, name: str, kind: AnswerKind, value: str) -> Block:
    label = _plain(words.say(f"button_{name}"), 75)
    return {"type": "button", "action_id": f"{ACTION_PREFIX}{kind.value}", "text": label, "value": value}


def _plain(text: str, limit: int) -> Block:
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": "plain_text", "text": shown, "emoji": True}

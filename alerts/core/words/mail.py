"""A delivery as an e-mail: subject, plain text, and the same as small HTML. Everything from outside is escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from alerts.core.model import Delivery, Purpose, ThreadFacts
from alerts.core.words import threads as said
from alerts.core.words.catalog import Words, clean
from alerts.core.words.slack import web_link
from alerts.core.words.summaries import SUMMARY_PURPOSES, render_summary

_STYLE: Final = "font:16px/1.45 system-ui,sans-serif;color:#1d1c1d;max-width:40rem"


@dataclass(frozen=True, slots=True)
class MailText:
    """`html` refers to pictures as `cid:<name>`."""

    subject: str
    text: str
    html: str


def render_mail(words: Words, delivery: Delivery) -> MailText:
    """Return the e-mail of a delivery.

    Raises:
        LookupError, ValueError: a translation or the content is broken.
    """
    if delivery.purpose in SUMMARY_PURPOSES:
        summary = render_summary(words, delivery)
        lines = [*summary.lines, *summary.commands, *summary.small]
        mail = _lay_out(summary.title, lines)
        if delivery.purpose is Purpose.REPORT:
            text, html = str(delivery.content.get("text") or ""), str(delivery.content.get("html") or "")
            return MailText(mail.subject, text or mail.text, html or mail.html)
        return mail
    first = delivery.threads[0]
    subject = said.line(words, first, delivery.now, name_people=delivery.name_people)
    if delivery.purpose is Purpose.REOPENED:
        subject = f"{words.say('open_again')}: {subject}"
    paragraphs: list[str] = []
    links: list[tuple[str, str]] = []
    for facts in delivery.threads:
        paragraphs.extend(thread_lines(words, facts, delivery))
        url = web_link(facts.seller_central_url)
        if url:
            links.append((words.say("button_open"), url))
    return _lay_out(subject, paragraphs, links)


def thread_lines(words: Words, facts: ThreadFacts, delivery: Delivery) -> list[str]:
    """Return one thread as plain lines: what and how long, which order, since when, who has it, what to mind."""
    now, named = delivery.now, delivery.name_people
    about = [said.place(words, facts), said.thread_name(words, facts)]
    if facts.labels:
        about.append(", ".join(words.label(label) for label in facts.labels[:4]))
    key = "waited_since" if said.is_closed(facts) else "waiting_since"
    waiting = [words.say(key, at=words.weekday_instant(facts.started_at)), words.count("messages", facts.messages)]
    waiting.extend(said.order_facts(words, facts))
    lines = [
        f"{said.state_sign(facts, now)} {said.title(words, facts, now, name_people=named)}",
        " · ".join(about),
        " · ".join(waiting),
    ]
    holders = said.who_has_it(words, facts, now, name_people=named)
    if holders:
        lines.append(" · ".join(holders))
    lines.extend(f"⚠️ {warning}" for warning in said.warnings(words, facts))
    return lines


def bare_mail(text: str) -> MailText:
    """Return bare facts as an e-mail: when the words are broken."""
    return _lay_out(text.split("\n", 1)[0], text.split("\n"))


def _lay_out(subject: str, lines: Sequence[str], links: Sequence[tuple[str, str]] = ()) -> MailText:
    text = "\n".join([subject, "", *lines, *(f"{name}: {url}" for name, url in links)]) + "\n"
    rows = "".join(f"<p style='margin:.3em 0'>{escape(line)}</p>" for line in lines)
    anchors = "".join(f'<p><a href="{escape(url, quote=True)}">{escape(name)}</a></p>' for name, url in links)
    html = f"<div style='{_STYLE}'><h1 style='font-size:1.2em'>{escape(subject)}</h1>{rows}{anchors}</div>"
    return MailText(clean(subject, 150), text, html)

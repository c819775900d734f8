"""The keys of config.toml about who is told, how and when."""

from datetime import timedelta

from monitor.config.keys_of_mail import POLL, PORT, SECURITY
from monitor.config.kinds import (
    FLAG,
    LANGUAGE,
    LOGIN,
    NAME,
    NAMES,
    SECRET,
    SEQUENCE,
    TEXT,
    choice,
    whole,
)
from monitor.config.kinds_of_address import (
    EMAIL,
    FILES,
    HOST,
    ICAL,
    PATH,
    PHONE,
    SENDER,
    SLACK_CHANNEL,
    SLACK_USER,
    SLACK_USERS,
    URL,
)
from monitor.config.kinds_of_market import HOLIDAYS, MARKETS
from monitor.config.kinds_of_time import (
    DAILY,
    DATE,
    DATE_TIME,
    DATES,
    DAYS,
    DURATION,
    LASTING,
    QUIET,
    REPEAT,
    TIME,
    WEEKLY,
    ZONE,
    duration,
)
from monitor.config.schema import Key, Table

SLACK = Table(
    "slack",
    "The Slack application of one's own, for receivers of type `slack`.",
    (
        Key("bot_token", SECRET, "begins with `xoxb-`", required=True),
        Key(
            "app_token",
            SECRET,
            "begins with `xapp-`: Socket Mode, buttons without a public address",
            unset="no buttons",
        ),
        Key("api_url", URL, "another address of the API, for tests", "https://slack.com/api/"),
        Key(
            "allowed_users",
            SLACK_USERS,
            'who may press buttons; `"*"`: everyone in the channel',
            unset="the people below",
        ),
        Key("timeout", LASTING, "how long one call may take", "10s"),
    ),
)
TWILIO = Table(
    "twilio",
    "Twilio, for receivers of type `sms` and `voice`.",
    (
        Key("account_sid", SECRET, "begins with `AC`", required=True),
        Key("auth_token", SECRET, "the account's token", required=True),
        Key(
            "from",
            SENDER,
            'the sending number; or a table by country prefix, `{ default = "+1…", "+33" = "+33…" }`',
            unset="required without `messaging_service_sid`",
        ),
        Key("messaging_service_sid", LOGIN, "a messaging service instead of a number", ""),
        Key("replies_to", PHONE, "where people's SMS answers arrive, if that is another number", unset="as `from`"),
        Key("api_url", URL, "another address of the API, for tests", "https://api.twilio.com"),
        Key("poll_replies", POLL, "how often answers are looked for", "30s"),
        Key("timeout", LASTING, "how long one call may take", "10s"),
    ),
)
SMTP = Table(
    "smtp",
    "The server for receivers of type `email`.",
    (
        Key("host", HOST, "SMTP server", required=True),
        Key("from", EMAIL, "sender of the mails", required=True),
        Key("port", PORT, "SMTP port", unset="587; with `tls` 465, with `none` 25"),
        Key("security", SECURITY, "`none` only for a server on this machine", "starttls"),
        Key("username", LOGIN, "to log in with", "", unset="no login"),
        Key("password", SECRET, "to log in with", unset="no login"),
        Key("ca_file", PATH, "a certificate authority of one's own", unset="the system's"),
        Key("timeout", LASTING, "how long the server may stay silent", "20s"),
    ),
)
PERSON = Table(
    "person",
    "Somebody who can be told.",
    (
        Key("name", NAME, "as it stands in `to`, `rotation` and the answers", required=True),
        Key("phone", PHONE, "with country code", unset="no SMS, no calls"),
        Key("slack_user", SLACK_USER, "Slack's id of the person", unset="no direct message"),
        Key("email", EMAIL, "for receivers of type `email`", unset="no mail"),
        Key("language", LANGUAGE, "of what this person is told", "en"),
        Key("time_zone", ZONE, "of the times this person is told, and of `quiet`", unset="as `worker.time_zone`"),
        Key("quiet", QUIET, "nothing is delivered between these times, unless on call", unset="never quiet"),
        Key("quiet_unless_within", DURATION, "a deadline nearer than this goes through", "1h"),
        Table(
            "contact",
            "How a receiver of type `person` reaches this person, in order. "
            "Default, as far as known: Slack, SMS after 5 minutes, a call after 15; where none of these is, e-mail.",
            (
                Key("by", choice("slack", "sms", "voice", "email"), "the way", required=True),
                Key("after", DURATION, "this long after the first attempt", "0s"),
            ),
            repeated=True,
        ),
    ),
    repeated=True,
)
RECEIVER = Table(
    "receiver",
    "A named destination. At least one.",
    (
        Key("name", NAME, "as it stands in `notify` and `to`", unset="its type"),
        Key(
            "type",
            choice("slack", "sms", "voice", "email", "webhook", "console", "person"),
            "the way; `person`: each by their own contact rules",
            required=True,
        ),
        Key("channel", SLACK_CHANNEL, "the Slack channel's id", unset="required for `slack`"),
        Key(
            "external",
            FLAG,
            "the Slack channel is shared with others: order facts, labels, names and links stay out",
            False,
        ),
        Key("to", NAMES, "names of people", unset="required for `sms`, `voice`, `email`, `person` without `schedule`"),
        Key("schedule", NAME, "instead of `to`: whoever is on call"),
        Key("url", SECRET, "where the webhook is posted to", unset="required for `webhook`"),
        Key("secret", SECRET, "signs what the webhook posts", unset="not signed"),
        Key("language", LANGUAGE, "of what is told there", "en"),
        Key("time_zone", ZONE, "of the times told there", unset="as `worker.time_zone`"),
    ),
    repeated=True,
)
SCHEDULE = Table(
    "schedule",
    "Who is on call.",
    (
        Key("name", NAME, "as it stands in a receiver's `schedule`", required=True),
        Key("time_zone", ZONE, "of handovers and overrides", unset="as `worker.time_zone`"),
        Key("rotation", SEQUENCE, "people in turn", [], unset="required without `ical`"),
        Key("handover", WEEKLY, "when the next person begins", "mon 09:00"),
        Key("every", duration(timedelta(hours=1), '"1h"'), "length of a turn", "7d"),
        Key("starts", DATE, "a day on which the first person of the rotation begins", unset="2026-01-05"),
        Key("ical", ICAL, "a calendar's address or file instead of a rotation; its titles are names of people"),
        Table(
            "override",
            "Somebody else for a while.",
            (
                Key("from", DATE_TIME, "local time of the schedule", required=True),
                Key("to", DATE_TIME, "local time of the schedule", required=True),
                Key("person", NAME, "who is on call", required=True),
            ),
            repeated=True,
        ),
    ),
    repeated=True,
)
STAFFED = Table(
    "staffed",
    "When somebody answers. Moves alerts, never deadlines. Without it there is no look-ahead.",
    (
        Key("days", DAYS, "days of the week", "mon-fri"),
        Key("from", TIME, "begin, local time", required=True),
        Key("to", TIME, "end; before `from`: on the next day", required=True),
        Key("time_zone", ZONE, "of these times", unset="as `worker.time_zone`"),
        Key("holidays", HOLIDAYS, "no shift on public holidays of this country, or region: `DE-BY`", unset="none"),
        Key("closed_on", DATES, "further days without a shift", []),
    ),
    repeated=True,
)
MATCH = Table(
    "match",
    "Which threads the policy is for: all that is written must fit. The first policy that fits wins.",
    (
        Key("accounts", NAMES, "accounts", [], unset="all"),
        Key("marketplaces", MARKETS, "marketplaces", [], unset="all"),
        Key("labels", NAMES, "any of these labels", [], unset="all"),
        Key("min_priority", whole(-1000, 1000), "this priority or a higher one", unset="any"),
        Key("text", TEXT, "the buyer's words contain this", unset="any"),
    ),
)
POLICY = Table(
    "policy",
    "Who is told, and when. Default: the team at 8 h; phones from 2 h on, every 10 minutes, by voice too from 1 h on; "
    "without a phone the team instead.",
    (
        Key("name", NAME, "stands in messages", "default", unset="`default` where there is one"),
        MATCH,
        Key("acknowledgement_expires", LASTING, "after *I have it* and no reply, pages again", "2h"),
        Table(
            "step",
            "At this time remaining, tell these receivers. At least one.",
            (
                Key("remaining", DURATION, "time left until the deadline; `0s`: the breach", required=True),
                Key("notify", NAMES, "receivers", required=True),
                Key("repeat_every", REPEAT, "again until somebody acknowledges; `0s`: once", "0s"),
            ),
            repeated=True,
        ),
        Table(
            "look_ahead",
            "A deadline outside staffed hours is told before they end.",
            (
                Key("before_end_of_shift", LASTING, "how long before", "90m"),
                Key("notify", NAMES, "receivers", required=True),
            ),
        ),
    ),
    repeated=True,
)
REPORT = Table(
    "report",
    "The weekly report. Without this table none is sent; `replyby report` prints it at any time.",
    (
        Key("at", WEEKLY, "day and time in `worker.time_zone`", "mon 08:00"),
        Key("to", NAMES, "receivers", [], unset="nobody: files only"),
        Key("directory", PATH, "where its files are kept", "reports"),
        Key("names", FLAG, "people by name; default: team totals only", False),
        Key("language", LANGUAGE, "of the report", "en"),
    ),
)
DIGEST = Table(
    "digest",
    "The daily summary. Without this table none is sent.",
    (
        Key("at", DAILY, "time in `worker.time_zone`", "08:30"),
        Key("to", NAMES, "receivers", required=True),
        Key("when_empty", FLAG, "also sent when nothing waits", False),
        Key("language", LANGUAGE, "of the digest", "en"),
    ),
)
LABEL = Table(
    "label",
    "Words of one's own for a label, new or known.",
    (
        Key("name", NAME, "the label", required=True),
        Key("words", NAMES, "words or phrases", []),
        Key("files", FILES, "text files, one word or phrase a line", []),
        Key("priority", whole(-1000, 1000), "larger is more urgent", unset="as known, else 10"),
    ),
    repeated=True,
)

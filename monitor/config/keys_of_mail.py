"""The keys of config.toml about the worker, the rule, the accounts and their mailboxes."""

from datetime import timedelta

from monitor.config.kinds import (
    DIFFERENCE,
    FLAG,
    LOGIN,
    NAME,
    NAMES,
    SECRET,
    SHARE,
    TEXT,
    choice,
    number,
    whole,
)
from monitor.config.kinds_of_address import (
    EMAILS,
    FOLDERS,
    HOST,
    LISTEN,
    PATH,
    URL,
)
from monitor.config.kinds_of_market import MARKETS
from monitor.config.kinds_of_time import (
    DATE,
    DURATION,
    LASTING,
    ZONE,
    duration,
)
from monitor.config.schema import Key, Table

PORT = whole(1, 65535)
SECURITY = choice("tls", "starttls", "none")
POLL = duration(timedelta(seconds=5), '"5s"')
WORKER = Table(
    "worker",
    "The worker itself: where it keeps its facts, what it serves, how long it remembers.",
    (
        Key(
            "database",
            SECRET,
            "a SQLite file, or a PostgreSQL server as `postgresql://user@host/name`",
            "sqlite:///var/replyby.db",
        ),
        Key("database_password", SECRET, "the PostgreSQL password, where it does not stand in the address"),
        Key(
            "state_directory",
            PATH,
            "the key for hashes, and OAuth tokens",
            unset="the folder of the SQLite file, else `var`",
        ),
        Key("metrics_listen", LISTEN, "host and port of `/metrics`, `/healthz` and the page `/`", "127.0.0.1:9464"),
        Key("metrics_public", FLAG, "`metrics_listen` may be an address that other machines reach", False),
        Key("page_public", FLAG, "the page `/` is served to other machines too, not only on this one", False),
        Key("page_username", TEXT, "asked for before the page is shown", ""),
        Key("page_password", SECRET, "asked for before the page is shown"),
        Key("time_zone", ZONE, "for words and reports; never for the SLA clock", "UTC"),
        Key("lookback", LASTING, "how much old mail the first run reads", "90d"),
        Key(
            "keep_text",
            DURATION,
            "how long a buyer's words are kept after a thread is closed; `0d`: they are not written down at all; names never",
            "0d",
        ),
        Key(
            "keep_identifiers",
            DURATION,
            "how long aliases and order numbers are kept after a thread is closed; then only keyed hashes and figures",
            "30d",
        ),
        Key(
            "heartbeat_url",
            SECRET,
            "called every minute while all runs, as `/healthz` says; the service there warns you when the calls stop",
            "",
        ),
        Key("blind_after", LASTING, "no successful poll of a mailbox for this long is an alert of its own", "15m"),
        Key("health_notify", NAMES, "receivers of ReplyBy's own troubles", unset="the receivers of the first policy"),
        Key("log_format", choice("console", "json"), "how log lines are written to standard error", "console"),
    ),
    implied=True,
)
SLA = Table(
    "sla",
    "How long a buyer may wait.",
    (
        Key("target", LASTING, "from the oldest unanswered buyer message; elapsed time, weekends count", "24h"),
        Key("goal", SHARE, "the response rate to reach", 0.90),
        Key("at_risk", DURATION, "a wait counts as `at_risk` when less than this is left", "4h"),
        Table(
            "override",
            "Another target for clocks that start on these dates. The first that fits wins.",
            (
                Key("from", DATE, "the first day, in `worker.time_zone`", required=True),
                Key("to", DATE, "the last day, included", required=True),
                Key("target", LASTING, "the target on these days", required=True),
                Key("marketplaces", MARKETS, "where it applies", [], unset="all"),
            ),
            repeated=True,
        ),
    ),
    implied=True,
)
SP_API = Table(
    "sp_api",
    "Amazon's own figures and order facts, through the seller's private application.",
    (
        Key("refresh_token", SECRET, "from *Authorize app* in Seller Central", required=True),
        Key("lwa_app_id", SECRET, "the application's client id", required=True),
        Key("lwa_client_secret", SECRET, "the application's client secret", required=True),
        Key("marketplaces", MARKETS, "whose figures are fetched", required=True),
        Key("secret_expires", DATE, "when Amazon ends the client secret; told 30 days ahead", unset="not told"),
        Key("endpoint", URL, "another address of the API, for the sandbox and for tests", unset="Amazon's"),
        Key("auth_endpoint", URL, "another address of Login with Amazon", unset="Amazon's"),
        Key("item_titles", FLAG, "product titles in alerts", False),
        Key("difference", DIFFERENCE, "our rate and Amazon's may differ by this much before it is an alert", 0.05),
    ),
)
ACCOUNT = Table(
    "account",
    "One Seller Central account. One is implied.",
    (
        Key("name", NAME, "stands in alerts and metrics", "default", unset="`default` where there is one"),
        Key(
            "merchant_id",
            TEXT,
            "your id as the `c=` in Amazon's links has it; tells accounts apart that share a mailbox",
            "",
        ),
        Key(
            "notified_at",
            EMAILS,
            "every address that Amazon writes to: a copy of a reply is proven only if it went to one of them or their domain",
            [],
        ),
        Key("reply_from", EMAILS, "approved senders", []),
        Key("require_proof", FLAG, "a copy of a reply stops the clock only with proof that Amazon sent it", True),
        SP_API,
    ),
    repeated=True,
)
MAILBOX = Table(
    "mailbox",
    "Where Amazon's mail arrives. At least one.",
    (
        Key("name", NAME, "stands in metrics and messages", unset="`mailbox` where there is one"),
        Key("accounts", NAMES, "the accounts whose mail it holds", unset="all"),
        Key("type", choice("imap", "maildir", "simulated"), "how it is read; `simulated` invents a seller", "imap"),
        Key(
            "host",
            HOST,
            "IMAP server",
            unset="required for `imap`; with `oauth` the provider's own",
        ),
        Key("port", PORT, "IMAP port", unset="993, without `tls` 143"),
        Key("security", SECURITY, "`none` only for a server on this machine", "tls"),
        Key("username", LOGIN, "usually the e-mail address", unset="required for `imap`"),
        Key("password", SECRET, "for Gmail an app password", unset="required for `imap` without `oauth`"),
        Key("oauth", choice("google", "microsoft"), "sign in with `replyby login` instead of a password"),
        Key("client_id", SECRET, "the OAuth application's id", unset="required with `oauth`"),
        Key("client_secret", SECRET, "the OAuth application's secret (Google)", unset="required with `google`"),
        Key("tenant", TEXT, "Microsoft: the directory", unset="`organizations`"),
        Key("token_endpoint", URL, "another address that renews tokens", unset="the provider's"),
        Key("ca_file", PATH, "a certificate authority of one's own", unset="the system's"),
        Key(
            "folders",
            FOLDERS,
            "where buyers' mail lies: found by itself (INBOX or all mail), or named; `[]`: none, only replies are read",
            "auto",
        ),
        Key("sent", TEXT, '`auto`: the folder with `\\Sent`; a name; or `""` for none', "auto"),
        Key("junk", TEXT, '`auto`: the folder with `\\Junk`; a name; or `""` to leave it out', "auto"),
        Key("poll_every", POLL, "how often it is read", "60s"),
        Key("idle", FLAG, "let the server report new mail at once; without it a message waits for the next poll", True),
        Key(
            "authserv_id",
            TEXT,
            'the name under which your server writes its checks of senders; `auto`: learnt from the mails; `""`: believe none',
            "auto",
        ),
        Key("timeout", LASTING, "how long the server may stay silent", "30s"),
        Key("path", PATH, "the Maildir", unset="required for `maildir`"),
        Key("sent_path", PATH, "the Maildir of sent mail"),
        Key("junk_path", PATH, "the Maildir of spam"),
        Key("seed", whole(0, 2**31 - 1), "`simulated`: the same seed is the same invented seller", 1),
        Key("rate", number(0, 1000, "a factor, such as 2.5"), "`simulated`: arrivals, times a usual day", 1.0),
    ),
    repeated=True,
)

"""Every wrong line of config.toml is told with its line, its place, what was seen and what to write."""

from pathlib import Path

import pytest

from monitor.config.loader import parse_config
from monitor.errors import ConfigError

BASE = """\
[[mailbox]]
host = "imap.acme.example"
username = "support@acme.example"
password = "literal-imap-secret"

[[receiver]]
type = "console"
"""  # seven lines: what a case appends begins on line 8
CONSOLE = '[[receiver]]\ntype = "console"\n'
IMAP = 'host = "imap.acme.example"\nusername = "a@acme.example"\npassword = "literal-imap-secret"\n'
SLACK = '[slack]\nbot_token = "xoxb-literal"\n'
TWILIO = '[twilio]\naccount_sid = "AC1"\nauth_token = "literal-twilio-secret"\nfrom = "+15005550006"\n'
ANA = '[[person]]\nname = "Ana"\nphone = "+33 6 12 34 56 78"\n'
ENVIRON = {"EMPTY": "  ", "GOOD": "value-of-good"}


OPEN_ADDRESS = (
    "http:// would show the network what is sent there. Write https://; http:// is for this machine (127.0.0.1) only."
)


def problems_of(text: str) -> list[str]:
    """Return the problems of a text that lies in a folder which does not exist."""
    path = Path("/nonexistent/replyby/config.toml")
    try:
        parse_config(text.encode(), path, "config.toml", ENVIRON)
    except ConfigError as error:
        assert error.where == "config.toml"
        return list(error.problems)
    return []


WORKER_CASES = {
    "unknown key, near one": (
        '[worker]\ntimezone = "UTC"\n',
        "line 9 [worker] timezone: unknown key. Did you mean 'time_zone'?",
    ),
    "unknown key, nothing near": (
        "[digest]\nxxxx = 1\nto = ['console']\n",
        "line 9 [digest] xxxx: unknown key. Keys: at, to, when_empty, language.",
    ),
    "zone misspelt": (
        '[worker]\ntime_zone = "Europe/Pariss"\n',
        "line 9 [worker] time_zone = \"Europe/Pariss\": not a time zone. Did you mean 'Europe/Paris'?",
    ),
    "zone in lower case": (
        '[worker]\ntime_zone = "europe/paris"\n',
        "line 9 [worker] time_zone = \"europe/paris\": not a time zone. Did you mean 'Europe/Paris'?",
    ),
    "zone is only a city": (
        '[worker]\ntime_zone = "Tokyo"\n',
        "line 9 [worker] time_zone = \"Tokyo\": not a time zone. Did you mean 'Asia/Tokyo'?",
    ),
    "zone is a folder": (
        '[worker]\ntime_zone = "../../etc"\n',
        'line 9 [worker] time_zone = "../../etc": not a time zone. Write it as "Europe/Paris": continent and city.',
    ),
    "zone is a number": (
        "[worker]\ntime_zone = 2\n",
        'line 9 [worker] time_zone = 2: a number where a time zone belongs. Write it as "Europe/Paris".',
    ),
    "duration without unit": (
        '[worker]\nlookback = "90"\n',
        'line 9 [worker] lookback = "90": not a duration. Write a number and s, m, h or d, such as "90m".',
    ),
    "duration is a number": (
        "[worker]\nlookback = 90\n",
        "line 9 [worker] lookback = 90: a number where a duration belongs. "
        'Write a number and s, m, h or d, such as "90m".',
    ),
    "duration of nothing": (
        '[worker]\nblind_after = "0s"\n',
        'line 9 [worker] blind_after = "0s": too short. Write at least "1s".',
    ),
    "duration of ages": (
        '[worker]\nlookback = "999999999d"\n',
        'line 9 [worker] lookback = "999999999d": longer than ten years. Write at most "3650d".',
    ),
    "metrics for everybody": (
        '[worker]\nmetrics_listen = "0.0.0.0:9464"\n',
        'line 9 [worker] metrics_listen = "0.0.0.0:9464": other machines could read the metrics. '
        'Write "127.0.0.1:9464", or metrics_public = true if that is meant.',
    ),
    "metrics without port": (
        '[worker]\nmetrics_listen = "127.0.0.1"\n',
        'line 9 [worker] metrics_listen = "127.0.0.1": not a host and port. Write them as "127.0.0.1:9464".',
    ),
    "metrics on no port": (
        '[worker]\nmetrics_listen = "127.0.0.1:99999"\n',
        'line 9 [worker] metrics_listen = "127.0.0.1:99999": not a host and port. Write them as "127.0.0.1:9464".',
    ),
    "unknown database": (
        '[worker]\ndatabase = "mysql://root:literal@db/replyby"\n',
        "line 9 [worker] database: 'mysql' is no database that is known. "
        'Write "sqlite:///var/replyby.db" or "postgresql://user@host/name".',
    ),
    "database is a path": (
        '[worker]\ndatabase = "var/replyby.db"\n',
        'line 9 [worker] database: not a database address. Write "sqlite:///var/replyby.db" '
        'or "postgresql://user@host/name".',
    ),
    "database in memory": (
        '[worker]\ndatabase = "sqlite://"\n',
        'line 9 [worker] database: without the path of a file. Write "sqlite:///var/replyby.db"; four slashes: absolute.',
    ),
    "database without name": (
        '[worker]\ndatabase = "postgresql://user@host"\n',
        'line 9 [worker] database: without the name of a database. Write "postgresql://user@host/name".',
    ),
    "heartbeat is no address": (
        '[worker]\nheartbeat_url = "hc-ping.example/secret-uuid"\n',
        "line 9 [worker] heartbeat_url: not an address. Write it with https:// in front.",
    ),
    "half a login for the page": (
        '[worker]\npage_username = "wall"\n',
        "line 8 [worker] page_password: missing. Write both page_username and page_password, or neither.",
    ),
    "health goes to nobody known": (
        '[worker]\nhealth_notify = ["ops"]\n',
        "line 9 [worker] health_notify: receiver 'ops' does not exist. Receivers: console.",
    ),
    "log format": (
        '[worker]\nlog_format = "xml"\n',
        'line 9 [worker] log_format = "xml": not known. Choices: console, json.',
    ),
    "flag in quotes": (
        '[worker]\nmetrics_public = "yes"\n',
        'line 9 [worker] metrics_public = "yes": text where true or false belongs. Write true or false, without quotes.',
    ),
    "unknown table": (
        "[imap]\nhost = 1\n",
        "line 8 [imap]: unknown table. Tables: worker, sla, account, mailbox, slack, twilio, smtp, person, receiver, "
        "schedule, staffed, policy, report, digest, label.",
    ),
    "misspelt table": ("[wroker]\n", "line 8 [wroker]: unknown table. Did you mean 'worker'?"),
    "misspelt list of tables": (
        '[[recievers]]\nname = "x"\n',
        "line 8 [[recievers]]: unknown table. Did you mean 'receiver'?",
    ),
    "double brackets too many": (
        "[[worker]]\n",
        "line 8 [[worker]]: stands only once. Write [worker] with single brackets.",
    ),
    "double brackets too few": (
        '[person]\nname = "Ana"\n',
        "line 8 [person]: there may be several of these. Write [[person]] with double brackets.",
    ),
}
SLA_CASES = {
    "target is no duration": (
        '[sla]\ntarget = "one day"\n',
        'line 9 [sla] target = "one day": not a duration. Write a number and s, m, h or d, such as "90m".',
    ),
    "goal in per cent": (
        "[sla]\ngoal = 90\n",
        "line 9 [sla] goal = 90: not a number in range. Write a share above 0 and up to 1, such as 0.90.",
    ),
    "goal is no number at all": (
        "[sla]\ngoal = nan\n",
        "line 9 [sla] goal = nan: not a number in range. Write a share above 0 and up to 1, such as 0.90.",
    ),
    "at risk from the start": (
        '[sla]\nat_risk = "24h"\n',
        'line 9 [sla] at_risk = "24h": not shorter than target = "24h". Write less, such as "4h".',
    ),
    "override without end": (
        '[[sla.override]]\nfrom = 2026-12-01\ntarget = "12h"\n',
        "line 8 [[sla.override]] to: missing. Write it without quotes, such as 2026-12-24 (the last day, included).",
    ),
    "override ends before it begins": (
        '[[sla.override]]\nfrom = 2026-12-31\nto = 2026-12-01\ntarget = "12h"\n',
        "line 10 [[sla.override]] to = 2026-12-01: before from = 2026-12-31. Write the last day.",
    ),
    "override with a date in quotes": (
        '[[sla.override]]\nfrom = "2026-12-01"\nto = 2026-12-31\ntarget = "12h"\n',
        'line 9 [[sla.override]] from = "2026-12-01": text where a date belongs. '
        "Write it without quotes, such as 2026-12-24.",
    ),
    "override with a time": (
        '[[sla.override]]\nfrom = 2026-12-01T09:00:00\nto = 2026-12-31\ntarget = "12h"\n',
        "line 9 [[sla.override]] from = 2026-12-01T09:00:00: a date with a time where a date belongs. "
        "Write it without quotes, such as 2026-12-24.",
    ),
    "override in an unknown marketplace": (
        '[[sla.override]]\nfrom = 2026-12-01\nto = 2026-12-31\ntarget = "12h"\nmarketplaces = ["GB"]\n',
        "line 12 [[sla.override]] marketplaces = [\"GB\"]: 'GB' is not a marketplace. Did you mean 'UK'?",
    ),
}
ACCOUNT_CASES = {
    "account without name beside another": (
        '[[account]]\nname = "a"\nmerchant_id = "A1"\n[[account]]\nmerchant_id = "A2"\n',
        'line 11 [[account]] name: missing. With several, each needs one of its own: write name = "default-2".',
    ),
    "two accounts of one name": (
        '[[account]]\nname = "a"\nmerchant_id = "A1"\n[[account]]\nname = "a"\nmerchant_id = "A2"\n',
        'line 12 [[account]] name = "a": a second account of this name. Write another name.',
    ),
    "account with a mailbox inside": (
        "[[account]]\nmailbox = 'x'\n",
        "line 9 [[account]] mailbox: unknown key. It is a table of its own: write [[mailbox]].",
    ),
    "address that is none": (
        '[[account]]\nnotified_at = ["support at acme"]\n',
        "line 9 [[account]] notified_at = [\"support at acme\"]: 'support at acme' is not an e-mail address. "
        'Write ["name@example.com"].',
    ),
    "accounts that cannot be told apart": (
        '[[account]]\nname = "a"\nmerchant_id = "A1"\n[[account]]\nname = "b"\n',
        "line 1 [[mailbox]] accounts: mail of account 'b' could not be told from the others'. "
        "Write its merchant_id, or its own notified_at.",
    ),
    "accounts with one address": (
        '[[account]]\nname = "a"\nnotified_at = ["s@acme.example"]\n'
        '[[account]]\nname = "b"\nnotified_at = ["S@acme.example"]\n',
        "line 1 [[mailbox]] accounts: accounts 'a' and 'b' share one address in notified_at. Give each its merchant_id.",
    ),
    "accounts with one merchant id": (
        '[[account]]\nname = "a"\nmerchant_id = "A1"\n[[account]]\nname = "b"\nmerchant_id = "A1"\n',
        "line 1 [[mailbox]] accounts: accounts 'a' and 'b' share one merchant id. Give each its merchant_id.",
    ),
    "SP-API without a secret": (
        '[[account]]\n[account.sp_api]\nrefresh_token = "t"\nlwa_app_id = "i"\nmarketplaces = ["FR"]\n',
        "line 9 [account.sp_api] lwa_client_secret: missing. Write "
        '"env:NAME", "file:/path" or the value itself, in quotes (the application\'s client secret).',
    ),
    "SP-API of no marketplace": (
        '[[account]]\n[account.sp_api]\nrefresh_token = "t"\nlwa_app_id = "i"\nlwa_client_secret = "s"\nmarketplaces = []\n',
        'line 13 [account.sp_api] marketplaces: empty. Write those you sell in, such as ["FR", "DE"].',
    ),
    "SP-API of two regions": (
        '[[account]]\n[account.sp_api]\nrefresh_token = "t"\nlwa_app_id = "i"\nlwa_client_secret = "s"\n'
        'marketplaces = ["FR", "US", "DE"]\n',
        "line 13 [account.sp_api] marketplaces: of several regions (FR, DE; US). "
        "An authorisation is of one region: write an [[account]] for each.",
    ),
    "SP-API in the clear": (
        '[[account]]\n[account.sp_api]\nrefresh_token = "t"\nlwa_app_id = "i"\nlwa_client_secret = "s"\n'
        'marketplaces = ["FR"]\nendpoint = "http://amazon.example"\n',
        f'line 14 [account.sp_api] endpoint = "http://amazon.example": {OPEN_ADDRESS}',
    ),
}
MAILBOX_CASES = {
    "host misspelt": (
        f'[[mailbox]]\nhots = "h"\nusername = "a@b.example"\npassword = "p"\n{CONSOLE}',
        "line 2 [[mailbox]] hots: unknown key. Did you mean 'host'?",
    ),
    "host missing": (
        f'[[mailbox]]\nusername = "a@b.example"\npassword = "p"\n{CONSOLE}',
        'line 1 [[mailbox]] host: missing. Write host = "imap.example.com".',
    ),
    "host is an address": (
        f'[[mailbox]]\nhost = "imaps://h.example"\nusername = "a@b.example"\npassword = "p"\n{CONSOLE}',
        'line 2 [[mailbox]] host = "imaps://h.example": an address where a host name belongs. '
        'Write the name alone, such as "imap.example.com".',
    ),
    "host with port": (
        f'[[mailbox]]\nhost = "h.example:993"\nusername = "a@b.example"\npassword = "p"\n{CONSOLE}',
        'line 2 [[mailbox]] host = "h.example:993": a port behind the name. '
        "Write the name alone, and port = … on a line of its own.",
    ),
    "username missing": (
        f'[[mailbox]]\nhost = "h.example"\npassword = "p"\n{CONSOLE}',
        'line 1 [[mailbox]] username: missing. Write username = "support@example.com".',
    ),
    "password missing": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\n{CONSOLE}',
        'line 1 [[mailbox]] password: missing. Write password = "env:NAME" and set that variable, '
        'or oauth = "google" or "microsoft".',
    ),
    "password from a variable that is not set": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\npassword = "env:IMAP_PASSWORD"\n{CONSOLE}',
        "line 4 [[mailbox]] password: environment variable IMAP_PASSWORD is not set. "
        'Set it, or write "file:/path" to read a file.',
    ),
    "password from an empty variable": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\npassword = "env:EMPTY"\n{CONSOLE}',
        "line 4 [[mailbox]] password: environment variable EMPTY is empty. Put the secret into it.",
    ),
    "password from a file that is not there": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\npassword = "file:secret"\n{CONSOLE}',
        "line 4 [[mailbox]] password: /nonexistent/replyby/secret does not exist. "
        "Write the secret into that file, with mode 0600.",
    ),
    "password is a number": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\npassword = 12345678\n{CONSOLE}',
        "line 4 [[mailbox]] password: a number where a secret belongs. "
        'Write "env:NAME", "file:/path" or the value itself, in quotes.',
    ),
    "password and OAuth": (
        f'[[mailbox]]\n{IMAP}oauth = "microsoft"\nclient_id = "c"\n{CONSOLE}',
        "line 4 [[mailbox]] password: given together with oauth. Keep one of the two.",
    ),
    "OAuth of another house": (
        f'[[mailbox]]\nhost = "h.example"\nusername = "a@b.example"\noauth = "yahoo"\n{CONSOLE}',
        'line 4 [[mailbox]] oauth = "yahoo": not known. Choices: google, microsoft.',
    ),
    "OAuth without an application": (
        f'[[mailbox]]\nusername = "a@b.example"\noauth = "microsoft"\n{CONSOLE}',
        'line 1 [[mailbox]] client_id: missing. oauth = "microsoft" needs the one of your own application.',
    ),
    "client id without OAuth": (
        f'[[mailbox]]\n{IMAP}client_id = "c"\n{CONSOLE}',
        'line 5 [[mailbox]] client_id: means nothing without oauth. Write oauth = "google" or "microsoft".',
    ),
    "password in the open": (
        f'[[mailbox]]\n{IMAP}security = "none"\n{CONSOLE}',
        'line 5 [[mailbox]] security = "none": the password would travel to imap.acme.example in the open. '
        'Write "tls" or "starttls".',
    ),
    "ssl": (
        f'[[mailbox]]\n{IMAP}security = "ssl"\n{CONSOLE}',
        'line 5 [[mailbox]] security = "ssl": not known. Choices: tls, starttls, none.',
    ),
    "port zero": (
        f"[[mailbox]]\n{IMAP}port = 0\n{CONSOLE}",
        "line 5 [[mailbox]] port = 0: not a whole number in range. Write a number from 1 to 65535.",
    ),
    "port in quotes": (
        f'[[mailbox]]\n{IMAP}port = "993"\n{CONSOLE}',
        'line 5 [[mailbox]] port = "993": text where a whole number in range belongs. Write a number from 1 to 65535.',
    ),
    "port true": (
        f"[[mailbox]]\n{IMAP}port = true\n{CONSOLE}",
        "line 5 [[mailbox]] port = true: true or false where a whole number in range belongs. "
        "Write a number from 1 to 65535.",
    ),
    "polled every second": (
        f'[[mailbox]]\n{IMAP}poll_every = "1s"\n{CONSOLE}',
        'line 5 [[mailbox]] poll_every = "1s": too short. Write at least "5s".',
    ),
    "type misspelt": (
        f'[[mailbox]]\ntype = "imaps"\n{IMAP}{CONSOLE}',
        "line 2 [[mailbox]] type = \"imaps\": not known. Did you mean 'imap'?",
    ),
    "maildir without path": (
        f'[[mailbox]]\ntype = "maildir"\n{CONSOLE}',
        'line 1 [[mailbox]] path: missing. Write the Maildir\'s path: path = "/home/…/Maildir".',
    ),
    "maildir with a host": (
        f'[[mailbox]]\ntype = "maildir"\npath = "m"\nhost = "h.example"\n{CONSOLE}',
        'line 4 [[mailbox]] host: means nothing where type = "maildir". Remove it.',
    ),
    "IMAP with a seed": (
        f"[[mailbox]]\n{IMAP}seed = 3\n{CONSOLE}",
        'line 5 [[mailbox]] seed: means nothing where type = "imap". Remove it.',
    ),
    "account that does not exist": (
        f'[[mailbox]]\n{IMAP}accounts = ["acme"]\n{CONSOLE}[[account]]\nname = "acme-eu"\n',
        [
            "line 5 [[mailbox]] accounts: account 'acme' does not exist. Accounts: acme-eu.",
            'line 8 [[account]] "acme-eu": in no mailbox\'s accounts. Add it there.',
        ],
    ),
    "two mailboxes, one nameless": (
        f'[[mailbox]]\nname = "a"\n{IMAP}[[mailbox]]\n{IMAP}{CONSOLE}',
        'line 6 [[mailbox]] name: missing. With several, each needs one of its own: write name = "mailbox-2".',
    ),
    "folder that is a number": (
        f'[[mailbox]]\n{IMAP}folders = ["INBOX", 1]\n{CONSOLE}',
        'line 5 [[mailbox]] folders = ["INBOX", 1]: a number in a list of names. Write ["…", "…"].',
    ),
    "no mailbox": (CONSOLE, "[[mailbox]]: missing. Write at least one, with type, host, username and password."),
    "mailbox is a word": (
        f'mailbox = "support"\n{CONSOLE}',
        "line 1 mailbox: not a table. Write [[mailbox]] and its keys below.",
    ),
    "mailbox in single brackets": (
        f"[mailbox]\n{IMAP}{CONSOLE}",
        "line 1 [mailbox]: there may be several of these. Write [[mailbox]] with double brackets.",
    ),
}
SERVICE_CASES = {
    "Slack without token": (
        "[slack]\n",
        'line 8 [slack] bot_token: missing. Write "env:NAME", "file:/path" or the value itself, in quotes '
        "(begins with xoxb-).",
    ),
    "tokens swapped": (
        '[slack]\nbot_token = "xapp-1-literal"\napp_token = "xoxb-literal"\n',
        [
            "line 9 [slack] bot_token: begins with xapp-: another kind of token. Use the one with xoxb-.",
            "line 10 [slack] app_token: begins with xoxb-: another kind of token. Use the one with xapp-.",
        ],
    ),
    "allowed users by name": (
        f'{SLACK}allowed_users = ["ana"]\n',
        'line 10 [slack] allowed_users = ["ana"]: not an id of Slack. Write it as "U0123ABCD": '
        "Slack shows it in the details of the person or channel.",
    ),
    "API address": (
        f'{SLACK}api_url = "slack.com"\n',
        'line 10 [slack] api_url = "slack.com": not an address. Write it with https:// in front.',
    ),
    "Twilio without sender": (
        '[twilio]\naccount_sid = "AC1"\nauth_token = "t"\n',
        'line 8 [twilio] from: missing. Write from = "+1…", or messaging_service_sid.',
    ),
    "sender of no country": (
        '[twilio]\naccount_sid = "AC1"\nauth_token = "t"\nfrom = { FR = "+33612345678" }\n',
        'line 11 [twilio] from = {…}: \'FR\' is not a country prefix. Write { default = "+1…", "+33" = "+33…" }.',
    ),
    "sender too long": (
        '[twilio]\naccount_sid = "AC1"\nauth_token = "t"\nfrom = "Acme Customer Care"\n',
        'line 11 [twilio] from = "Acme Customer Care": not a sender of SMS. Write a number as "+33612345678", '
        'or a table by country prefix: { default = "+1…", "+33" = "+33…" }.',
    ),
    "SMTP without host": (
        '[smtp]\nfrom = "r@acme.example"\n',
        'line 8 [smtp] host: missing. Write the name alone, such as "imap.example.com" (SMTP server).',
    ),
    "SMTP in the open": (
        '[smtp]\nhost = "smtp.acme.example"\nfrom = "r@acme.example"\nsecurity = "none"\n',
        'line 11 [smtp] security = "none": mail would travel to smtp.acme.example in the open. '
        'Write "tls" or "starttls".',
    ),
    "SMTP with half a login": (
        '[smtp]\nhost = "smtp.acme.example"\nfrom = "r@acme.example"\nusername = "r"\n',
        "line 8 [smtp] password: missing. Write both username and password, or neither.",
    ),
}
PEOPLE_CASES = {
    "phone without country": (
        '[[person]]\nname = "Ana"\nphone = "06 12 34 56 78"\n',
        'line 10 [[person]] phone = "06 12 34 56 78": without a country code. '
        'Write it as "+33612345678": plus, country, number.',
    ),
    "phone too short": (
        '[[person]]\nname = "Ana"\nphone = "+3361"\n',
        'line 10 [[person]] phone = "+3361": not a possible number: too short or too long for its country. '
        "Write all its digits.",
    ),
    "phone in words": (
        '[[person]]\nname = "Ana"\nphone = "+call me"\n',
        'line 10 [[person]] phone = "+call me": not a phone number. Write it as "+33612345678".',
    ),
    "Slack user by name": (
        '[[person]]\nname = "Ana"\nslack_user = "@ana"\n',
        'line 10 [[person]] slack_user = "@ana": not an id of Slack. Write it as "U0123ABCD": '
        "Slack shows it in the details of the person or channel.",
    ),
    "language that is not spoken": (
        '[[person]]\nname = "Ana"\nlanguage = "pt"\n',
        'line 10 [[person]] language = "pt": not known. Choices: en, fr, de, es, it.',
    ),
    "quiet without an end": (
        '[[person]]\nname = "Ana"\nquiet = "22:00"\n',
        'line 10 [[person]] quiet = "22:00": not two times of day. Write HH:MM-HH:MM, such as "22:00-07:00".',
    ),
    "quiet for no time": (
        '[[person]]\nname = "Ana"\nquiet = "22:00-22:00"\n',
        'line 10 [[person]] quiet = "22:00-22:00": begins and ends at the same time. '
        'Write two times, such as "22:00-07:00".',
    ),
    "contact by pigeon": (
        '[[person]]\nname = "Ana"\ncontact = [{ by = "pigeon" }]\n',
        'line 10 [[person.contact]] by = "pigeon": not known. Choices: slack, sms, voice, email.',
    ),
    "contact without a way": (
        '[[person]]\nname = "Ana"\ncontact = [{ after = "5m" }]\n',
        'line 10 [[person.contact]] by: missing. Write "slack", "sms", "voice" or "email" (the way).',
    ),
    "contact by SMS without phone": (
        f'{TWILIO}[[person]]\nname = "Ana"\ncontact = [{{ by = "sms" }}]\n',
        'line 14 [[person.contact]] by = "sms": Ana has no phone. Write it into [[person]].',
    ),
    "contact by SMS without Twilio": (
        f'{ANA}contact = [{{ by = "sms" }}]\n',
        'line 11 [[person.contact]] by = "sms": there is no [twilio]. Write that table, or choose another way.',
    ),
    "person without name": (
        '[[person]]\nphone = "+33612345678"\n',
        'line 8 [[person]] name: missing. Write it in quotes: "…" (as it stands in to, rotation and the answers).',
    ),
    "two people of one name": (
        '[[person]]\nname = "Ana"\n[[person]]\nname = "Ana"\n',
        'line 11 [[person]] name = "Ana": a second person of this name. Write another name.',
    ),
}
RECEIVER_CASES = {
    "receiver without type": (
        '[[receiver]]\nname = "x"\n',
        "line 8 [[receiver]] type: missing. Write "
        '"slack", "sms", "voice", "email", "webhook", "console" or "person" '
        "(the way; person: each by their own contact rules).",
    ),
    "receiver of unknown type": (
        '[[receiver]]\nname = "x"\ntype = "teams"\n',
        'line 10 [[receiver]] type = "teams": not known. Choices: slack, sms, voice, email, webhook, console, person.',
    ),
    "Slack without [slack]": (
        '[[receiver]]\ntype = "slack"\nchannel = "C0123"\n',
        'line 9 [[receiver]] type = "slack": there is no [slack]. Write that table, or choose another way.',
    ),
    "Slack without channel": (
        f'{SLACK}[[receiver]]\ntype = "slack"\n',
        'line 10 [[receiver]] channel: missing. Write the channel\'s id: channel = "C0123ABCD".',
    ),
    "Slack channel by name": (
        f'{SLACK}[[receiver]]\ntype = "slack"\nchannel = "#support"\n',
        'line 12 [[receiver]] channel = "#support": not an id of Slack. Write it as "C0123ABCD": '
        "Slack shows it in the details of the person or channel.",
    ),
    "SMS without [twilio]": (
        f'{ANA}[[receiver]]\ntype = "sms"\nto = ["Ana"]\n',
        'line 12 [[receiver]] type = "sms": there is no [twilio]. Write that table, or choose another way.',
    ),
    "SMS to nobody": (
        f'{TWILIO}[[receiver]]\ntype = "sms"\n',
        'line 12 [[receiver]] to: missing. Write the names of people: to = ["…"], or schedule = "…".',
    ),
    "SMS to somebody unknown": (
        f'{TWILIO}{ANA}[[receiver]]\ntype = "sms"\nto = ["Anna"]\n',
        "line 17 [[receiver]] to: person 'Anna' does not exist. People: Ana.",
    ),
    "SMS to somebody without phone": (
        f'{TWILIO}[[person]]\nname = "Bo"\n[[receiver]]\ntype = "sms"\nto = ["Bo"]\n',
        "line 16 [[receiver]] to: 'Bo' has no phone. Write it into that [[person]].",
    ),
    "SMS to a schedule that does not exist": (
        f'{TWILIO}[[receiver]]\ntype = "sms"\nschedule = "primary"\n',
        "line 14 [[receiver]] schedule: schedule 'primary' does not exist. There is none yet: write [[schedule]].",
    ),
    "SMS to people and a schedule": (
        f'{TWILIO}{ANA}[[receiver]]\ntype = "sms"\nto = "Ana"\nschedule = "s"\n'
        '[[schedule]]\nname = "s"\nrotation = ["Ana"]\n',
        "line 18 [[receiver]] schedule: given together with to. Keep one of the two.",
    ),
    "SMS with a channel": (
        f'{TWILIO}{ANA}[[receiver]]\ntype = "sms"\nto = "Ana"\nchannel = "C0123"\n',
        'line 18 [[receiver]] channel: means nothing where type = "sms". Remove it.',
    ),
    "mail without [smtp]": (
        '[[person]]\nname = "Ana"\nemail = "a@b.example"\n[[receiver]]\ntype = "email"\nto = "Ana"\n',
        'line 12 [[receiver]] type = "email": there is no [smtp]. Write that table, or choose another way.',
    ),
    "person who cannot be reached": (
        '[[person]]\nname = "Ana"\n[[receiver]]\ntype = "person"\nto = "Ana"\n',
        "line 12 [[receiver]] to: 'Ana' can be reached by nothing. Write a phone, slack_user or email there.",
    ),
    "webhook without address": (
        '[[receiver]]\ntype = "webhook"\n',
        'line 8 [[receiver]] url: missing. Write url = "env:NAME" or the address itself.',
    ),
    "webhook that is no address": (
        '[[receiver]]\ntype = "webhook"\nurl = "hooks.example/literal-secret"\n',
        "line 10 [[receiver]] url: not an address. Write it with https:// in front.",
    ),
    "two receivers of one name": (
        '[[receiver]]\nname = "console"\ntype = "console"\n',
        'line 9 [[receiver]] name = "console": a second receiver of this name. Write another name.',
    ),
    "two nameless receivers of one type": (
        CONSOLE,
        'line 8 [[receiver]] name, by default "console": a second receiver of this name. Write another name.',
    ),
    "no receiver": (
        f"[[mailbox]]\n{IMAP}",
        '[[receiver]]: missing. Write at least one, such as type = "console" or type = "slack".',
    ),
}
SCHEDULE_CASES = {
    "rotation with somebody unknown": (
        f'{ANA}[[schedule]]\nname = "s"\nrotation = ["Ana", "Bo"]\n',
        "line 13 [[schedule]] rotation: person 'Bo' does not exist. People: Ana.",
    ),
    "schedule of nobody": (
        '[[schedule]]\nname = "s"\n',
        'line 8 [[schedule]] rotation: missing. Write rotation = ["…", "…"], people in turn; or ical.',
    ),
    "handover without a day": (
        f'{ANA}[[schedule]]\nname = "s"\nrotation = "Ana"\nhandover = "09:00"\n',
        'line 14 [[schedule]] handover = "09:00": not a day and a time. Write it as "mon 09:00".',
    ),
    "turn of a minute": (
        f'{ANA}[[schedule]]\nname = "s"\nrotation = "Ana"\nevery = "1m"\n',
        'line 14 [[schedule]] every = "1m": too short. Write at least "1h".',
    ),
    "calendar that is not there": (
        '[[schedule]]\nname = "s"\nical = "oncall.ics"\n',
        "line 10 [[schedule]] ical: oncall.ics does not exist. Write an address or the path of an iCalendar file.",
    ),
    "override at a time that happens twice": (
        f'{ANA}[[schedule]]\nname = "s"\ntime_zone = "Europe/Paris"\nrotation = "Ana"\n[[schedule.override]]\n'
        'from = 2026-10-25T02:30:00\nto = 2026-10-26T09:00:00\nperson = "Ana"\n',
        "line 16 [[schedule.override]] from = 2026-10-25T02:30:00: this local time happens twice in Europe/Paris that "
        "day. Write it with its offset: 2026-10-25T02:30:00+02:00.",
    ),
    "override at a time that does not happen": (
        f'{ANA}[[schedule]]\nname = "s"\ntime_zone = "Europe/Paris"\nrotation = "Ana"\n[[schedule.override]]\n'
        'from = 2026-03-29T02:30:00\nto = 2026-03-30T09:00:00\nperson = "Ana"\n',
        "line 16 [[schedule.override]] from = 2026-03-29T02:30:00: this local time does not happen in Europe/Paris that "
        "day. Write it with its offset: 2026-03-29T02:30:00+01:00.",
    ),
    "override that ends first": (
        f'{ANA}[[schedule]]\nname = "s"\nrotation = "Ana"\n[[schedule.override]]\n'
        'from = 2026-10-26T09:00:00\nto = 2026-10-26T08:00:00\nperson = "Ana"\n',
        "line 16 [[schedule.override]] to = 2026-10-26T08:00:00: not after from. Write when the turn ends.",
    ),
    "override by date alone": (
        f'{ANA}[[schedule]]\nname = "s"\nrotation = "Ana"\n[[schedule.override]]\n'
        'from = 2026-10-26\nto = 2026-10-27T08:00:00\nperson = "Ana"\n',
        "line 15 [[schedule.override]] from = 2026-10-26: a date without a time. "
        "Write it without quotes, such as 2026-12-24T09:00:00.",
    ),
    "staffed to 25:00": (
        '[[staffed]]\nfrom = "09:00"\nto = "25:00"\n',
        'line 10 [[staffed]] to = "25:00": not a time of day. Write HH:MM, 00:00 to 24:00.',
    ),
    "staffed to a number": (
        '[[staffed]]\nfrom = "09:00"\nto = 18\n',
        "line 10 [[staffed]] to = 18: a number where a time of day belongs. Write HH:MM, 00:00 to 24:00.",
    ),
    "staffed to a TOML time": (
        '[[staffed]]\nfrom = 09:00:00\nto = "18:00"\n',
        "line 9 [[staffed]] from = 09:00:00: a date or time where a time of day belongs. Write HH:MM, 00:00 to 24:00.",
    ),
    "staffed from midnight to come": (
        '[[staffed]]\nfrom = "24:00"\nto = "06:00"\n',
        'line 9 [[staffed]] from = "24:00": no day begins then. Write "00:00".',
    ),
    "staffed for no time": (
        '[[staffed]]\nfrom = "09:00"\nto = "09:00"\n',
        'line 10 [[staffed]] to: the same as from. Write from = "00:00" and to = "24:00" for the whole day.',
    ),
    "days in French": (
        '[[staffed]]\ndays = "lun-ven"\nfrom = "09:00"\nto = "18:00"\n',
        'line 9 [[staffed]] days = "lun-ven": not days of the week. Write "mon-fri" or "mon,wed".',
    ),
    "holidays of no country": (
        '[[staffed]]\nfrom = "09:00"\nto = "18:00"\nholidays = "QQ"\n',
        "line 11 [[staffed]] holidays = \"QQ\": 'QQ' is no country with known holidays. "
        'Write two letters, such as "FR" or "DE-BY".',
    ),
    "holidays of no region": (
        '[[staffed]]\nfrom = "09:00"\nto = "18:00"\nholidays = "FR-XX"\n',
        "line 11 [[staffed]] holidays = \"FR-XX\": 'XX' is no region of FR. Regions of FR: 57, 6AE, 971, 972, 973, 974, "
        "976, BL, MF, NC, PF, PM, TF, WF, Zone A, Zone B, Zone C.",
    ),
}
STEP = '[[policy]]\n[[policy.step]]\nremaining = "2h"\nnotify = ["console"]\n'
POLICY_CASES = {
    "receiver misspelt": (
        '[[policy]]\n[[policy.step]]\nremaining = "2h"\nnotify = ["consle"]\n',
        "line 11 [[policy.step]] notify: receiver 'consle' does not exist. Receivers: console.",
    ),
    "policy without steps": (
        "[[policy]]\n",
        "line 8 [[policy]] step: nobody would be told. Write at least one [[policy.step]] below.",
    ),
    "step that tells nobody": (
        '[[policy]]\n[[policy.step]]\nremaining = "2h"\nnotify = []\n',
        "line 11 [[policy.step]] notify: empty, so nobody would be told. Write names of receivers.",
    ),
    "step before the message": (
        '[[policy]]\n[[policy.step]]\nremaining = "30h"\nnotify = ["console"]\n',
        'line 10 [[policy.step]] remaining = "30h": longer than the target, so never reached. Write at most 24h.',
    ),
    "two steps at once": (
        f'{STEP}[[policy.step]]\nremaining = "120m"\nnotify = ["console"]\n',
        'line 13 [[policy.step]] remaining = "2h": a second step there. Put all receivers into one.',
    ),
    "step without time": (
        '[[policy]]\n[[policy.step]]\nnotify = ["console"]\n',
        "line 9 [[policy.step]] remaining: missing. Write a number and s, m, h or d, "
        'such as "90m" (time left until the deadline; 0s: the breach).',
    ),
    "negative time remaining": (
        '[[policy]]\n[[policy.step]]\nremaining = "-1h"\nnotify = ["console"]\n',
        'line 10 [[policy.step]] remaining = "-1h": not a duration. Write a number and s, m, h or d, such as "90m".',
    ),
    "match in an unknown marketplace": (
        '[[policy]]\nmatch = { marketplaces = ["FR", "XX"] }\n[[policy.step]]\nremaining = "2h"\nnotify = ["console"]\n',
        'line 9 [policy.match] marketplaces = ["FR", "XX"]: \'XX\' is not a marketplace. Marketplaces: '
        "US, CA, MX, BR, UK, DE, FR, IT, ES, NL, BE, SE, PL, IE, TR, AE, SA, EG, IN, JP, AU, SG, ZA.",
    ),
    "match of an unknown account": (
        '[[policy]]\nmatch = { accounts = "acme" }\n[[policy.step]]\nremaining = "2h"\nnotify = ["console"]\n',
        "line 9 [policy.match] accounts: account 'acme' does not exist. Accounts: default.",
    ),
    "match of an unknown label": (
        '[[policy]]\nmatch = { labels = ["vip", "refunds"] }\n[[policy.step]]\nremaining = "2h"\nnotify = ["console"]\n'
        '[[label]]\nname = "vip"\npriority = 50\n',
        "line 9 [policy.match] labels: label 'refunds' does not exist. Labels: claim_threat, promise_missed, "
        "complaint, damaged, cancellation, delivery, refund, return, product_question, invoice, thank_you, out_of_office, vip.",
    ),
    "match by an unknown key": (
        '[[policy]]\nmatch = { marketplace = "FR" }\n[[policy.step]]\nremaining = "2h"\nnotify = ["console"]\n',
        "line 9 [policy.match] marketplace: unknown key. Did you mean 'marketplaces'?",
    ),
    "look-ahead to nobody": (
        f'[[staffed]]\nfrom = "09:00"\nto = "18:00"\n{STEP}[policy.look_ahead]\nbefore_end_of_shift = "1h"\n',
        'line 15 [policy.look_ahead] notify: missing. Write ["…", "…"] (receivers).',
    ),
    "policy that another hides": (
        STEP.replace("[[policy]]", "[[policy]]\nname = 'a'", 1)
        + STEP.replace("[[policy]]", "[[policy]]\nname = 'b'", 1),
        "line 13 [[policy]] b: never used, because 'a' before it matches all that it matches. Move it up.",
    ),
    "report to somebody unknown": (
        '[report]\nto = ["team"]\n',
        "line 9 [report] to: receiver 'team' does not exist. Receivers: console.",
    ),
    "report at a date": (
        '[report]\nat = "1st 08:00"\n',
        'line 9 [report] at = "1st 08:00": not a day and a time. Write it as "mon 09:00".',
    ),
    "digest to nobody": (
        '[digest]\nat = "08:30"\n',
        'line 8 [digest] to: missing. Write ["…", "…"] (receivers).',
    ),
    "digest at midnight to come": (
        '[digest]\nat = "24:00"\nto = "console"\n',
        'line 9 [digest] at = "24:00": not a time of day. Write HH:MM, 00:00 to 23:59, such as "08:30".',
    ),
    "label that says nothing": (
        '[[label]]\nname = "vip"\n',
        "line 8 [[label]] words: says nothing of its label. Write words, files or priority.",
    ),
    "label from a file that is not there": (
        '[[label]]\nname = "vip"\nfiles = ["vip.txt"]\n',
        'line 10 [[label]] files = ["vip.txt"]: vip.txt does not exist. '
        "Write the path of a file, one word or phrase a line.",
    ),
}
SYNTAX_CASES = {
    "text without quotes": (
        "[worker]\ntime_zone = Europe/Paris\n",
        'line 9 time_zone: the value is not TOML. Text needs quotes: key = "text"; true and false are lower-case.',
    ),
    "quote not closed": (
        '[worker]\nlog_format = "json\n',
        "line 9 log_format: the text has no closing quote, or holds a character that cannot stand there. Retype it.",
    ),
    "key written twice": (
        '[worker]\nlookback = "1d"\nlookback = "2d"\n',
        "line 10 lookback: this key stands here a second time. Keep one of the two.",
    ),
    "table written twice": (
        "[worker]\n[worker]\n",
        "line 9: this table stands here a second time. Put its keys under the first one.",
    ),
    "table once single, once double": (
        "[mailbox]\n",
        "line 8: this table stands once as [name] and once as [[name]]. Keep one way.",
    ),
    "no equals sign": (
        "[worker]\ntime_zone\n",
        "line 9: no = after the key. Write key = value; names with other letters need quotes.",
    ),
    "list not closed": (
        '[digest]\nto = ["console"\n',
        "line 9 to: the list is not closed, or a comma is missing. Write [a, b].",
    ),
    "backslash": (
        '[worker]\nstate_directory = "C:\\data"\n',
        "line 9 state_directory: a backslash in double quotes. Use single quotes: 'C:\\folder'.",
    ),
    "remark without #": (
        '[worker]\nlookback = "1d" one day\n',
        "line 9 lookback: more text after the value. Close the quotes; one key a line; # for remarks.",
    ),
    "a comma in a number": (
        "[sla]\ngoal = 0,90\n",
        "line 9 goal: a comma in a number. Write a point: 0.90.",
    ),
    "a percent sign": (
        "[sla]\ngoal = 90%   # of all\n",
        "line 9 goal: a percent sign. Write the share: 0.90 for 90 %.",
    ),
    "nothing before the point": (
        "[sla]\ngoal = .9\n",
        "line 9 goal: a number that begins or ends with its point. Write 0.9.",
    ),
    "curly quotes": (
        "[worker]\ntime_zone = “Europe/Paris”\n",
        'line 9 time_zone: curly quotes. Type straight ones: key = "text".',
    ),
    "one curly quote": (
        '[worker]\ntime_zone = "Europe/Paris”\nlookback = "1d"\n',
        'line 9 time_zone: curly quotes. Type straight ones: key = "text".',
    ),
    "a curly quote within": (
        '[[receiver]]\nname = "l’équipe\ntype = "console"\n',
        "line 9 name: the text has no closing quote, or holds a character that cannot stand there. Retype it.",
    ),
    "a blank of the web before the equals sign": (
        '[worker]\ntime_zone\u00a0= "Europe/Paris"\n',
        "line 9 time_zone: a blank that is none, as copied from a web page or a letter. "
        "Delete the blanks there and type them anew.",
    ),
    "a blank of the web in a remark": (
        "[worker]\ntime_zone = UTC  # à\u00a0vérifier\n",
        'line 9 time_zone: the value is not TOML. Text needs quotes: key = "text"; true and false are lower-case.',
    ),
    "a time without quotes": (
        '[[staffed]]\nfrom = 09:00\nto = "18:00"\n',
        'line 9 from: a time without quotes. Write "09:00", in quotes.',
    ),
    "a duration without quotes": (
        "[sla]\ntarget = 24h\n",
        'line 9 target: a duration without quotes. Write "90m", in quotes.',
    ),
    "a date as people write it": (
        '[[staffed]]\nfrom = "09:00"\nto = "18:00"\nclosed_on = [24.12.2026]\n',
        "line 11 closed_on: a date in another form. Write year-month-day: 2026-12-24.",
    ),
    "a date as people write it, on a line of its own": (
        '[[staffed]]\nfrom = "09:00"\nto = "18:00"\nclosed_on = [\n    2026-12-25,\n    26/12/2026,\n]\n',
        "line 11 closed_on: a date in another form. Write year-month-day: 2026-12-24.",
    ),
    "a time without seconds": (
        "[[schedule.override]]\nfrom = 2026-12-24T09:00\n",
        "line 9 from: a time without seconds. Write 2026-12-24T09:00:00.",
    ),
    "true with a capital": (
        "[worker]\npage_public = True\n",
        "line 9 page_public: true and false are lower-case.",
    ),
    "a backslash that begins a number": (
        '[worker]\nstate_directory = "C:\\Users\\Ana"\n',
        "line 9 state_directory: a backslash in double quotes. Use single quotes: 'C:\\folder'.",
    ),
    "no such date": (
        "[[sla.override]]\nfrom = 2026-02-30\n",
        "line 9 from: no such date or time. Write 2026-12-24 or 2026-12-24T09:00:00.",
    ),
}
SLIP_CASES = {
    "a zone as an offset": (
        '[worker]\ntime_zone = "GMT+1"\n',
        'line 9 [worker] time_zone = "GMT+1": not a time zone: an offset knows no summer time. '
        'Write continent and city, such as "Europe/Paris".',
    ),
    "a step without its policy": (
        '[[policy.step]]\nremaining = "2h"\nnotify = "console"\n',
        "line 8 [[policy.step]]: no [[policy]] above it. Write [[policy]] on a line of its own before it.",
    ),
    "a match without its policy": (
        '[policy.match]\nmarketplaces = "FR"\n',
        [
            "line 8 [policy.match]: no [[policy]] above it. Write [[policy]] on a line of its own before it.",
            "line 8 [policy] step: nobody would be told. Write at least one [[policy.step]] below.",
        ],
    ),
    "a policy in single brackets": (
        '[policy]\n[[policy.step]]\nremaining = "2h"\nnotify = "console"\n',
        "line 8 [policy]: there may be several of these. Write [[policy]] with double brackets.",
    ),
    "a date without a time": (
        ANA
        + '[[schedule]]\nname = "s"\nrotation = "Ana"\n[[schedule.override]]\n'
        + 'from = 2026-12-23T09:00:00\nto = 2026-12-24\nperson = "Ana"\n',
        "line 16 [[schedule.override]] to = 2026-12-24: a date without a time. "
        "Write it without quotes, such as 2026-12-24T09:00:00.",
    ),
    "two mailboxes without names": (
        "[[mailbox]]\n" + IMAP,
        [
            'line 1 [[mailbox]] name: missing. With several, each needs one of its own: write name = "mailbox-1".',
            'line 8 [[mailbox]] name: missing. With several, each needs one of its own: write name = "mailbox-2".',
        ],
    ),
    "an API key as account": (
        TWILIO.replace("AC1", "SKliteral"),
        "line 9 [twilio] account_sid: does not begin with AC: an API key. Copy the Account SID from Twilio's console.",
    ),
    "too often again": (
        '[[policy]]\n[[policy.step]]\nremaining = "2h"\nnotify = "console"\nrepeat_every = "1s"\n',
        'line 12 [[policy.step]] repeat_every = "1s": too short. Write at least "1m", or "0s" for once.',
    ),
    "a calendar's address without https": (
        ANA + '[[schedule]]\nname = "s"\nical = "calendar.google.com/literal.ics"\n',
        "line 13 [[schedule]] ical: no such file. An address is written with https:// in front.",
    ),
    "a difference that is no share": (
        '[[account]]\n[account.sp_api]\nrefresh_token = "r"\nlwa_app_id = "l"\nlwa_client_secret = "s"\n'
        'marketplaces = ["FR"]\ndifference = 5\n',
        "line 14 [account.sp_api] difference = 5: not a number in range. Write a share above 0 and up to 1, such as 0.05.",
    ),
    "a country by its name": (
        '[[staffed]]\nfrom = "09:00"\nto = "18:00"\nholidays = "Germany"\n',
        "line 11 [[staffed]] holidays = \"Germany\": 'Germany' is no country with known holidays. "
        'Write two letters, such as "FR" or "DE-BY".',
    ),
    "a variable as host": (
        '[smtp]\nhost = "env:GOOD"\nfrom = "a@acme.example"\n',
        'line 9 [smtp] host = "env:GOOD": a variable or file where a host name belongs: only secrets may stand there. '
        "Write the name itself.",
    ),
    "a short target": (
        '[sla]\ntarget = "90s"\nat_risk = "2m"\n',
        'line 10 [sla] at_risk = "2m": not shorter than target = "90s". Write less, such as "15s".',
    ),
}
APPENDED = {
    **SLIP_CASES,
    **WORKER_CASES,
    **SLA_CASES,
    **ACCOUNT_CASES,
    **SERVICE_CASES,
    **PEOPLE_CASES,
    **RECEIVER_CASES,
    **SCHEDULE_CASES,
    **POLICY_CASES,
    **SYNTAX_CASES,
}
WHOLE = {**MAILBOX_CASES, "no receiver": RECEIVER_CASES["no receiver"]}
del APPENDED["no receiver"]
CASES = [
    *(pytest.param(BASE + text, expected, id=name) for name, (text, expected) in APPENDED.items()),
    *(pytest.param(text, expected, id=name) for name, (text, expected) in WHOLE.items()),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_wrong_file_is_told_exactly(text: str, expected: str | list[str]) -> None:
    assert problems_of(text) == ([expected] if isinstance(expected, str) else expected)


def test_the_base_of_the_cases_is_right() -> None:
    assert problems_of(BASE) == []


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_no_problem_shows_a_secret(text: str, expected: str | list[str]) -> None:
    told = "\n".join(problems_of(text))
    assert "literal" not in told
    assert "value-of-good" not in told


ADDRESSES = {
    "webhook": (
        CONSOLE + '[[receiver]]\nname = "hook"\ntype = "webhook"\nurl = "{}"\n',
        "line 13 [[receiver]] url: ",
    ),
    "dead-man's switch": ('[worker]\nheartbeat_url = "{}"\n', "line 9 [worker] heartbeat_url: "),
    "calendar": (
        ANA + '[[schedule]]\nname = "s"\nical = "{}"\n',
        "line 13 [[schedule]] ical: ",
    ),
    "Slack": (SLACK + 'api_url = "{}"\n', 'line 10 [slack] api_url = "{}": '),
    "Twilio": (TWILIO + 'api_url = "{}"\n', 'line 12 [twilio] api_url = "{}": '),
    "sign-in": (
        '[[mailbox]]\nname = "b"\noauth = "microsoft"\nusername = "a@b.example"\nclient_id = "c"\ntoken_endpoint = "{}"\n',
        'line 13 [[mailbox]] token_endpoint = "{}": ',
    ),
}


@pytest.mark.parametrize(("text", "place"), ADDRESSES.values(), ids=ADDRESSES)
@pytest.mark.parametrize("host", ["10.0.0.5:8080", "hooks.example", "127.0.0.1.example"])
def test_an_address_without_tls_is_this_machines_own(text: str, place: str, host: str) -> None:
    address = f"http://{host}/x"
    assert place.format(address) + OPEN_ADDRESS in problems_of(BASE + text.format(address))


@pytest.mark.parametrize("text", [text for text, _ in ADDRESSES.values()], ids=ADDRESSES)
@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:1", "https://hooks.example"]
)
def test_an_address_with_tls_or_of_this_machine_is_taken(text: str, host: str) -> None:
    told = problems_of(BASE + text.format(f"{host}/x"))
    assert not [one for one in told if "http" in one]

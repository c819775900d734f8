"""Secrets and a buyer's words that can be told from everything else, planted wherever a worker takes them, and found again."""

import base64
import quopri
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot, running_dovecot
from tests.support.hook_server import HookServer
from tests.support.oauth_server import OAuthServer, run_oauth_server
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.smtp_server import SmtpServer
from tests.support.spapi_server import SpApiServer
from tests.support.twilio_server import TwilioServer
from tests.support.worker_process import WorkerProcess, worker_on

SECRETS = {
    "mailbox": "Planted-mailbox-7Qw2",
    "bot": "xoxb-planted-bot-8Er3",
    "app": "xapp-planted-app-9Ty4",
    "twilio": "plantedtwiliotoken0a1b2c3d4e5f60",
    "heartbeat": "planted-heartbeat-path-1Ui5",
    "hook": "planted-hook-path-2Op6",
    "signing": "planted-signing-key-3As7",
    "smtp": "planted-smtp-password-4Df8",
    "client": "planted-client-secret-5Gh9",
    "access": "planted-access-token-6Jk0",
    "refresh": "planted-refresh-token-7Lz1",
    "lwa": "planted-lwa-secret-8Xc2",
    "amazon": "planted-amazon-refresh-9Vb3",
    "page": "planted-page-password-0Nm4",
}
NAME = "Quintessa Plantedname"
WORDS = "My zanzibarlamp arrived krumplified, call me at the plantedstreet"
BUYER = ("Quintessa", "Plantedname", "zanzibarlamp", "krumplified", "plantedstreet")
ALIAS = "k7c2v9m4x1q8w5z@marketplace.amazon.fr"
ORDER = "402-7777777-1234567"


def config_text(world: "PlantedWorld", *, log_format: str, port: int, database: str) -> str:
    """Return a configuration that names every secret there can be, each in a file of its own."""
    return f"""
[worker]
database = "{database}"
metrics_listen = "127.0.0.1:{port}"
time_zone = "Europe/Paris"
log_format = "{log_format}"
heartbeat_url = "file:secrets/heartbeat"
page_username = "office"
page_password = "file:secrets/page"

[[account]]
name = "acme-eu"
notified_at = ["support@acme.example"]
reply_from = ["support@acme.example"]
[account.sp_api]
refresh_token = "file:secrets/amazon"
lwa_app_id = "amzn1.application-oa2-client.invented"
lwa_client_secret = "file:secrets/lwa"
marketplaces = ["FR"]
endpoint = "{world.amazon.base_url}"
auth_endpoint = "{world.amazon.base_url}/auth/o2/token"

[[mailbox]]
name = "support"
host = "127.0.0.1"
port = {world.dovecot.port}
security = "none"
username = "{world.dovecot.username}"
password = "file:secrets/mailbox"
poll_every = "5s"

[[mailbox]]
name = "second"
host = "127.0.0.1"
port = {world.dovecot.port}
security = "none"
username = "{world.dovecot.username}"
oauth = "google"
client_id = "invented.apps.googleusercontent.com"
client_secret = "file:secrets/client"
token_endpoint = "{world.sign_in.token_endpoint}"
poll_every = "5s"

[slack]
bot_token = "file:secrets/bot"
app_token = "file:secrets/app"
api_url = "{world.slack.api_url}"
timeout = "4s"

[twilio]
account_sid = "{world.twilio.account_sid}"
auth_token = "file:secrets/twilio"
from = "+15005550006"
api_url = "{world.twilio.base_url}"
poll_replies = "5s"
timeout = "4s"

[smtp]
host = "127.0.0.1"
port = {world.smtp.port}
security = "none"
from = "replyby@acme.example"
username = "replyby"
password = "file:secrets/smtp"

[[person]]
name = "Ana"
phone = "+447700900123"
slack_user = "U0123"
email = "ana@acme.example"

[[receiver]]
name = "team"
type = "slack"
channel = "C0123"
[[receiver]]
name = "oncall-sms"
type = "sms"
to = ["Ana"]
[[receiver]]
name = "office"
type = "email"
to = ["Ana"]
[[receiver]]
name = "pager"
type = "webhook"
url = "file:secrets/hook"
secret = "file:secrets/signing"

[[policy]]
name = "default"
[[policy.step]]
remaining = "8h"
notify = ["team", "office", "pager"]
[[policy.step]]
remaining = "2h"
notify = ["oncall-sms"]
repeat_every = "1m"
"""


@dataclass
class PlantedWorld:
    """A worker that was given every secret, and all it talks to."""

    folder: Path
    dovecot: Dovecot
    slack: SlackServer
    twilio: TwilioServer
    smtp: SmtpServer
    hook: HookServer
    monitor: HookServer
    sign_in: OAuthServer
    amazon: SpApiServer
    worker: WorkerProcess

    def told(self) -> str:
        """Return everything that reached a provider, as they keep it."""
        mails = "\n".join(str(one.message) for one in self.smtp.accepted)
        hooks = "\n".join(call.body.decode() for call in getattr(self.hook, "accepted", []))
        return "\n".join([str(self.slack.all_messages()), str(self.twilio.sent), mails, hooks])


@contextmanager
def planted_world(
    folder: Path, *, log_format: str = "console", program: tuple[str, ...] = ()
) -> Iterator[PlantedWorld]:
    """Give a worker that is not started yet; its umask is open."""
    with ExitStack() as stack:
        dovecot = stack.enter_context(running_dovecot())
        (dovecot.directory / "users").write_text(f"{dovecot.username}:{{PLAIN}}{SECRETS['mailbox']}\n")
        slack = stack.enter_context(SlackServer(bot_token=SECRETS["bot"], app_token=SECRETS["app"]))
        twilio = stack.enter_context(TwilioServer(auth_token=SECRETS["twilio"]))
        smtp = stack.enter_context(SmtpServer(security="none", username="replyby", password=SECRETS["smtp"]))
        hook, monitor = HookServer().start(), HookServer().start()
        stack.callback(hook.stop)
        stack.callback(monitor.stop)
        sign_in = stack.enter_context(run_oauth_server(OAuthServer(refuse="invalid_grant")))
        amazon = stack.enter_context(SpApiServer())
        port = free_port()
        worker = stack.enter_context(worker_on(folder, "", port, "not used"))
        world = PlantedWorld(folder, dovecot, slack, twilio, smtp, hook, monitor, sign_in, amazon, worker)
        _write_secrets(world)
        text = config_text(world, log_format=log_format, port=port, database="sqlite:///var/data/replyby.db")
        (folder / "config.toml").write_text(text)
        worker.environ.pop("TEST_IMAP_PASSWORD")
        worker.umask = 0
        worker.program = program or worker.program
        yield world


def _write_secrets(world: PlantedWorld) -> None:
    folder = world.folder / "secrets"
    folder.mkdir(mode=0o700)
    values = dict(SECRETS)
    values["heartbeat"] = f"{world.monitor.base_url}/{SECRETS['heartbeat']}"
    values["hook"] = f"{world.hook.base_url}/{SECRETS['hook']}"
    for name, value in values.items():
        (folder / name).write_text(value)
        (folder / name).chmod(0o600)
    _write_token(world.folder / "var" / "data")


def _write_token(state: Path) -> None:
    from monitor.oauth.token_file import Token, record_token, token_path

    now = utc_now()
    token = Token(
        provider="google",
        username="ops@acme.example",
        client_id="invented.apps.googleusercontent.com",
        access_token=SECRETS["access"],
        access_expires_at=now - timedelta(hours=1),
        refresh_token=SECRETS["refresh"],
        signed_in_at=now - timedelta(days=1),
        renewed_at=now - timedelta(days=1),
    )
    record_token(token_path(state, "second"), token)


def forms(text: str) -> set[bytes]:
    """Return a text as it may lie somewhere: as it is, in base64 (at each offset), quoted, in UTF-16, as hex digits."""
    raw = text.encode()
    found = {raw, text.encode("utf-16-le"), quopri.encodestring(raw).strip(), raw.hex().encode()}
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + raw)
        # The first and last characters depend on what stands beside it.
        found.add(whole[4 if offset else 0 : len(whole) - 4])
    return found


def leaks(content: bytes | str, texts: dict[str, str] | tuple[str, ...]) -> list[str]:
    """Return the names of what stands in some content, in whatever form and case."""
    raw = (content.encode(errors="replace") if isinstance(content, str) else content).lower()
    named = texts if isinstance(texts, dict) else {text: text for text in texts}
    return sorted(name for name, text in named.items() if any(form.lower() in raw for form in forms(text)))


def files_below(folder: Path, *but: str) -> Iterator[tuple[str, bytes]]:
    """Yield every file below a folder, leaving out these folders' own."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part in but for part in path.relative_to(folder).parts):
            yield str(path.relative_to(folder)), path.read_bytes()


def process_texts(pid: int) -> Iterator[tuple[str, bytes]]:
    """Yield command line and environment of a process and of its children: what the system shows of them."""
    for name in ("cmdline", "environ"):
        yield f"{pid} {name}", Path(f"/proc/{pid}/{name}").read_bytes()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from process_texts(int(child))

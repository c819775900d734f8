"""A throw-away Dovecot on loopback: real IMAP, its own folders, no trace left behind.

Mail is put in as a delivery agent does it: written into `tmp`, then renamed into `new`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path

from monitor.sources.folder_names import encode_folder_name
from tests.support.ports import HOST, free_port
from tests.support.programs import require_program
from tests.support.waiting import wait_until

USERNAME = "ops@acme.example"
PASSWORD = "correct horse battery"  # an invented one, for loopback only
SPECIAL_USE = {"Sent": "\\Sent", "Junk": "\\Junk"}


@dataclass
class Dovecot:
    """A running server. `port` is plain with STARTTLS, `tls_port` is TLS from the first byte."""

    directory: Path
    port: int
    tls_port: int
    ca_file: Path
    owner: pwd.struct_passwd
    username: str = USERNAME
    password: str = PASSWORD
    special_use: Mapping[str, str] = field(default_factory=lambda: SPECIAL_USE)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def maildir(self) -> Path:
        """The user's Maildir."""
        return self.directory / "home" / self.username / "Maildir"

    def folder_path(self, folder: str) -> Path:
        """Return where a folder lies: Maildir++, its name in modified UTF-7."""
        return self.maildir if folder == "INBOX" else self.maildir / f".{encode_folder_name(folder).decode()}"

    def _make(self, path: Path) -> None:
        for part in (path, path / "tmp", path / "new", path / "cur"):
            part.mkdir(parents=True, exist_ok=True)
        for part in (path, *path.rglob("*"), *path.parents):
            if self.directory in part.parents:
                os.chown(part, self.owner.pw_uid, self.owner.pw_gid)

    def deliver(self, content: bytes, received_at: datetime | None = None, folder: str = "INBOX") -> Path:
        """Put a mail into a folder and return its file. `received_at` becomes INTERNALDATE."""
        path = self.folder_path(folder)
        if not (path / "tmp").exists():
            self._make(path)
        name = f"{next(self._numbers)}.M{os.getpid()}.test"
        draft = path / "tmp" / name
        draft.write_bytes(content)
        os.chown(draft, self.owner.pw_uid, self.owner.pw_gid)
        if received_at is not None:
            os.utime(draft, (received_at.timestamp(), received_at.timestamp()))
        return draft.rename(path / "new" / name)

    def put_in_sent(self, content: bytes, received_at: datetime | None = None) -> Path:
        """Put a mail into the folder with the special use \\Sent."""
        sent = next(folder for folder, use in self.special_use.items() if use == "\\Sent")
        return self.deliver(content, received_at, sent)

    def change_uidvalidity(self, folder: str = "INBOX") -> None:
        """Make the server number a folder anew, as after a restore from a backup."""
        path = self.folder_path(folder)
        for file in (*path.glob("dovecot-uidlist"), *path.glob("dovecot.index*")):
            file.unlink()

    def flags(self, folder: str = "INBOX") -> list[str]:
        """Return the flags of each mail file that the server has taken into `cur`."""
        return [file.name.rpartition(":2,")[2] for file in (self.folder_path(folder) / "cur").iterdir()]

    def stop(self) -> None:
        """End the server at once, with all its processes: a polite end takes it a second or more."""
        pid_file = self.directory / "run" / "master.pid"
        if not pid_file.exists():
            return
        pid = int(pid_file.read_text())
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not _runs(pid), "Dovecot to end")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # a container's first process may take its time to bury the dead


def make_certificate(directory: Path) -> tuple[Path, Path, Path]:
    """Return (CA, certificate, key) made by openssl for localhost and 127.0.0.1."""
    openssl = require_program("openssl")
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    certificate, key, request = directory / "server.pem", directory / "server.key", directory / "server.csr"
    names = directory / "names.cnf"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for arguments in (
        ["req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=ReplyBy test CA"],
        ["req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-out", certificate,
         "-days", "2", "-extfile", names],
    ):  # fmt: skip
        subprocess.run([openssl, *map(str, arguments)], check=True, capture_output=True)
    return ca, certificate, key


def _owner() -> pwd.struct_passwd:
    # Dovecot refuses to serve mail as root: `mail` exists on every Debian.
    return pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _configuration(server: Dovecot, certificate: Path, key: Path, introspection_url: str) -> str:
    base, owner = server.directory, server.owner
    root = os.geteuid() == 0
    internal, login = ("dovecot", "dovenull") if root else (owner.pw_name, owner.pw_name)
    folders = "\n".join(
        f'  mailbox "{name}" {{\n    auto = create\n    special_use = {use}\n  }}'
        for name, use in server.special_use.items()
    )
    users = base / "users"
    users.write_text(f"{server.username}:{{PLAIN}}{server.password}\n")
    passdb = f"passdb {{\n  driver = passwd-file\n  args = username_format=%u {users}\n}}"
    if introspection_url:
        token = base / "oauth2.conf"
        token.write_text(
            f"introspection_mode = post\nintrospection_url = {introspection_url}\n"
            "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        )
        passdb += f"\npassdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {token}\n}}"
    return f"""
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
protocols = imap
listen = {HOST}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login{" xoauth2 oauthbearer" if introspection_url else ""}
auth_failure_delay = 0
mail_location = maildir:~/Maildir
mail_uid = {owner.pw_uid}
mail_gid = {owner.pw_gid}
first_valid_uid = 1
default_internal_user = {internal}
default_login_user = {login}
mail_max_userip_connections = 100
mailbox_idle_check_interval = 1s
{passdb}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={base}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {server.port}
  }}
  inet_listener imaps {{
    port = {server.tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
{folders}
}}
"""


def accepts(port: int) -> bool:
    """Return whether something listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def running_dovecot(special_use: Mapping[str, str] = SPECIAL_USE, introspection_url: str = "") -> Iterator[Dovecot]:
    """Run a server with these folders (name: special use); skip the test when Dovecot is not installed."""
    program = require_program("dovecot")
    # Not pytest's tmp_path: its 0700 parents would keep Dovecot's own users out.
    directory = Path(tempfile.mkdtemp(prefix="replyby-dovecot-"))
    try:
        directory.chmod(0o755)
        for part in ("run", "state", "home"):
            (directory / part).mkdir()
        ca, certificate, key = make_certificate(directory)
        server = Dovecot(directory, free_port(), free_port(), ca, _owner(), special_use=special_use)
        server._make(server.maildir)
        configuration = directory / "dovecot.conf"
        configuration.write_text(_configuration(server, certificate, key, introspection_url))
        # No pipes: the daemon would keep them open and the call would never return.
        with (directory / "start.log").open("wb") as log:
            started = subprocess.run(
                [program, "-c", str(configuration)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
        if started.returncode:
            raise AssertionError(f"Dovecot did not start: {(directory / 'start.log').read_text()}")
        try:
            wait_until((directory / "run" / "master.pid").exists, "Dovecot to start")
            wait_until(lambda: accepts(server.port) and accepts(server.tls_port), "Dovecot to listen")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)

"""How fast an export is taken in, and in how much memory.

    .venv/bin/python -m tests.bench.bench_import [MAILS] [ATTACHMENT-MB]

Writes an mbox of so many mails of a seller (half buyer messages, a quarter replies, a quarter notices) and as many others,
and a file with so many megabytes of attachments, and imports both as `replyby import` does.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.mails import buyer_mail, return_notice, seller_reply

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251  a benchmark runs on the wall clock
PADDING = "<p>Un texte de plus, pour la longueur : la lampe est bleue, le carton est grand.</p>\n" * 45
WORDS = "Bonjour,\n\nle colis devait arriver hier et je n'ai rien reçu. Pouvez-vous me dire où il est ?\n\nMerci"
CONFIG = '[[mailbox]]\ntype = "maildir"\npath = "Maildir"\nauthserv_id = ""\n[[receiver]]\ntype = "console"\n'
OTHER = (
    b"From: Bo <bo@other.example>\nDate: Mon, 02 Nov 2026 10:00:00 +0000\nSubject: lunch\n\n" + b"word " * 800 + b"\n"
)


def write(path: Path, mails: int) -> None:
    """Write the seller's mails, each followed by one that has nothing to do with Amazon."""
    with path.open("wb") as file:
        for number in range(mails):
            at = NOW - timedelta(days=80) + timedelta(days=79) * number / mails
            order = f"402-{number // 2:07d}-{number // 2:07d}"
            alias = f"a{number // 2:014d}@marketplace.amazon.fr"
            labels = b"Inbox,Opened"
            if number % 4 == 1:
                content, labels = seller_reply(at, order=order, alias=alias), b"Sent"
            elif number % 4 == 3:
                content = return_notice(at, order=order)
            else:
                content = buyer_mail(at, order=order, alias=alias, words=WORDS, html=PADDING)
            for one, label in ((content, labels), (OTHER, b"Inbox")):
                file.write(at.strftime("From 18123@xxx %a %b %d %H:%M:%S +0000 %Y\n").encode())
                file.write(b"X-Gmail-Labels: " + label + b"\n" + re.sub(rb"(?m)^(>*From )", rb">\1", one) + b"\n")


def write_attachments(path: Path, megabytes: int) -> None:
    """Write mails of ten megabytes each, nearly all of it an attachment."""
    line = b"A" * 76 + b"\n"
    with path.open("wb") as file:
        for _ in range(megabytes // 10):
            file.write(b"From 18123@xxx Mon Nov 02 10:00:00 +0000 2026\nFrom: x@marketplace.amazon.fr\n")
            file.write(b'Content-Type: multipart/mixed; boundary="xx"\n\n--xx\nContent-Type: text/plain\n\nwords\n')
            file.write(b"--xx\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n")
            file.write(line * (10 * 1024 * 1024 // 77) + b"--xx--\n\n")


def measure(folder: Path, name: str) -> float:
    """Import a file as the command does, print what it says, and return the seconds from start to end."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "import", name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    print(done.stdout.splitlines()[0])
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    mails = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    megabytes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.toml").write_text(CONFIG)
        write(folder / "all.mbox", mails)
        write_attachments(folder / "large.mbox", megabytes)
        seconds = measure(folder, "all.mbox")
        print(f"{2 * mails / seconds:,.0f} mails a second with start-up, half of them Amazon's")
        seconds = measure(folder, "large.mbox")
        print(f"{megabytes / seconds:,.0f} MB of attachments a second")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()

"""SIGKILL at random moments of the real worker; two workers taking turns on PostgreSQL: nothing lost, nothing told twice.

`CHAOS_SEED=7 pytest -s tests/integration/test_kills.py` repeats a run and prints its figures.
"""

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from monitor.wallclock import utc_now
from tests.support.dovecot import Dovecot
from tests.support.mails import ORDER, buyer_mail, seller_reply
from tests.support.ports import free_port
from tests.support.postgresql import running_postgresql
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until
from tests.support.worker_process import render_config, worker_on

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)
KILLS = 10


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))


@pytest.fixture
def postgresql() -> Iterator[str]:
    with running_postgresql() as address:
        yield address


def alerts(slack: SlackServer) -> list[str]:
    """Return the orders that stand in messages of the channel, once for each message."""
    texts = [str(message["text"]) for message in slack.messages()]
    return sorted(text.split("· ")[1].split(" ")[0] for text in texts if "· 402-" in text)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_at_random_moments_of_its_whole_life_it_tells_each_order_once(
    tmp_path: Path,
    dovecot: Dovecot,
    slack: SlackServer,
    twilio: TwilioServer,
    seed: int,
    database: str,
    request: pytest.FixtureRequest,
) -> None:
    """From the making of the schema on: starting, reading, planning, sending, recording; a mail comes between any two kills."""
    rng = random.Random(seed)
    address = "sqlite:///var/replyby.db" if database == "sqlite" else request.getfixturevalue("postgresql")
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=address)
    orders: list[str] = []
    pause = threading.Event()
    early = 0
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        for number in range(KILLS):
            for part in range(3):
                orders.append(f"402-{number:05d}{part:02d}-1111111")
                alias = f"kill{number:02d}x{part}aaaaaaaa@marketplace.amazon.fr"
                dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR, order=orders[-1], alias=alias))
            worker.start(wait=False)
            pause.wait(rng.uniform(0.2, 2.6))
            early += not worker.is_well()
            worker.stop(signal.SIGKILL)
        worker.start()
        wait_until(lambda: alerts(slack) == sorted(orders), f"each order told once (seed {seed})")
        wait_until(lambda: worker.metric("replyby_outbox_pending") == 0, "an empty outbox")
        assert worker.metric("replyby_messages_total", kind="buyer_message") == len(orders), f"seed {seed}"
        assert worker.stop() == 0
    assert alerts(slack) == sorted(orders), f"seed {seed}"
    assert early > 0, f"seed {seed}: every kill came after the start; the run shows too little"
    print(
        f"\n{database}, seed {seed}: {KILLS} kills ({early} before it listened), {len(orders)} alerts, 0 lost, 0 doubled"
    )
    if database == "sqlite":
        with sqlite3.connect(tmp_path / "var" / "replyby.db") as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        file.close()


def test_two_workers_on_postgresql_take_turns_and_the_second_takes_over_within_seconds(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    ports = [free_port(), free_port()]
    for folder in folders:
        (folder / "state").mkdir(parents=True)
    configs = [render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=postgresql) for port in ports]
    with (
        worker_on(folders[0], configs[0], ports[0], dovecot.password) as first,
        worker_on(folders[1], configs[1], ports[1], dovecot.password) as second,
    ):
        first.start()
        source = next(folders[0].rglob("replyby.key"))  # two machines share the key, as they share the database
        target = folders[1] / source.relative_to(folders[0])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR))
        wait_until(lambda: len(slack.messages()) == 1, "the first worker to tell")
        second.start(wait=False)
        wait_until(lambda: "takes over when it ends" in second.log(), "the second to wait, and to say so")
        assert not second.is_well()

        for number in range(4):
            alias = f"turns{number}aaaaaaaaa@marketplace.amazon.fr"
            dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR, order=f"402-000000{number}-5555555", alias=alias))
        first.stop(signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: second.is_well(), "the second to take over")
        took = time.monotonic() - killed
        # What was being sent at the kill waits for its lease: another machine's process cannot be seen to be dead.
        wait_until(lambda: len(alerts(slack)) == 5, "what came meanwhile")
        assert len(set(alerts(slack))) == 5
        dovecot.put_in_sent(seller_reply(utc_now()))
        wait_until(lambda: "nswered" in str(slack.messages()[0]["text"]), "the first one's message to be redrawn")
        assert ORDER in str(slack.messages()[0])
        assert len(slack.messages()) == 5
        assert took < 30
        print(f"\nthe second worker served {took:.1f} s after the first was killed")


def test_the_main_job_on_postgresql_with_mails_that_hold_what_it_cannot_store(
    tmp_path: Path, dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, postgresql: str
) -> None:
    """U+0000, half a surrogate pair and endless identifiers are cut; no buyer message is lost for one of them."""
    port = free_port()
    config = render_config(dovecot, slack, twilio, port=port, poll_every="5s", database=postgresql)
    config = config.replace("[worker]\n", '[worker]\nkeep_text = "5d"\n')
    with worker_on(tmp_path, config, port, dovecot.password) as worker:
        odd = buyer_mail(utc_now() - 17 * HOUR, words="avant XYZ après", message_id="<n-ul@x>")
        odd = odd.replace(b"XYZ", b"\x00").replace(b"<n-ul@x>", b"<n\x00ul@x>")
        dovecot.deliver(odd)
        long_alias = "l" * 300 + "@marketplace.amazon.fr"
        dovecot.deliver(buyer_mail(utc_now() - 17 * HOUR, order="402-0000001-0000001", alias=long_alias))
        dovecot.deliver(
            buyer_mail(
                utc_now() - 17 * HOUR, order="402-0000002-0000002", alias="plain1aaaaaaaaa@marketplace.amazon.fr"
            )
        )
        worker.start()
        wait_until(lambda: len(worker.status()) == 3, f"all three to wait; log:\n{worker.log()[-2000:]}")
        wait_until(lambda: len(slack.messages()) >= 3, "all three to be told")
        dovecot.put_in_sent(
            seller_reply(utc_now(), order="402-0000002-0000002", alias="plain1aaaaaaaaa@marketplace.amazon.fr")
        )
        wait_until(lambda: len(worker.status()) == 2, "the reply to be seen")
        assert "402-0000002-0000002" in worker.run("history", "402-0000002-0000002") or worker.run("report")
        assert worker.metric("replyby_damaged_mails_total", mailbox="support") == 1  # read in part, counted, told
    engine = create_engine(postgresql)
    with engine.connect() as connection:
        words = connection.execute(text("SELECT text FROM message WHERE text LIKE '%avant%'")).scalar()
    engine.dispose()
    assert words is not None
    assert "après" in words

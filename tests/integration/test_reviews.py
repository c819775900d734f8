"""What comes on the list of things to decide, and what stays off it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store.engine import reading, writing
from monitor.store.reviews import dismiss_review, read_reviews
from tests.support.jobs_world import JobsWorld
from tests.support.weekend_world import paris

TUESDAY = paris("2026-11-17 06:00")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JobsWorld]:
    built = JobsWorld(tmp_path, TUESDAY)
    yield built
    built.close()


def notice(number: int, *, sender: str, kind: str = "") -> bytes:
    """Return a notice of Amazon's as nobody has described it yet."""
    header = f"X-Space-Notification-Type: {kind}\nX-Marketplace-ID: A13V1IB3VIYZZH\n" if kind else ""
    return (
        f"From: {sender}\nTo: support@acme.example\nDate: Tue, 17 Nov 2026 05:00:0{number} +0100\n"
        f"Message-ID: <{number}-{kind}-{sender}>\nSubject: News\n{header}"
        "Content-Type: text/html\n\n<p>402-1234567-1234567</p>\n"
    ).encode()


def listed(world: JobsWorld) -> list[tuple[str, str, int]]:
    with reading(world.services.engine) as connection:
        return [(item.kind, item.detail, item.count) for item in read_reviews(connection)]


def test_a_template_that_nobody_knows_is_one_line_however_often_it_comes(world: JobsWorld) -> None:
    for number, domain in enumerate(("fr", "de", "fr")):
        world.mailbox.deliver(notice(number, sender=f"no-reply@amazon.{domain}", kind="BRAND_NEW"), world.clock())
    world.mailbox.deliver(notice(3, sender="donotreply@amazon.com"), world.clock())
    world.mailbox.deliver(notice(4, sender="payments-messages@amazon.it"), world.clock())
    world.mailbox.deliver(notice(5, sender="no-reply@amazon.it", kind="REFUND_ISSUED"), world.clock())
    world.poll()
    assert listed(world) == [("unknown_notice", "BRAND_NEW", 3), ("unknown_notice", "from donotreply", 1)]


def test_a_template_that_was_looked_at_stays_off_the_list(world: JobsWorld) -> None:
    world.mailbox.deliver(notice(0, sender="no-reply@amazon.fr", kind="BRAND_NEW"), world.clock())
    world.poll()
    with writing(world.services.engine) as connection:
        assert dismiss_review(connection, read_reviews(connection)[0].id, by="Ana", now=world.clock())
    world.mailbox.deliver(notice(1, sender="no-reply@amazon.fr", kind="BRAND_NEW"), world.clock())
    world.poll()
    assert listed(world) == []

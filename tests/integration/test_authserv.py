"""Whose verdicts on senders a mailbox holds: learnt from its mails, by a mailbox that was empty at the start too."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.errors import MailboxError
from monitor.jobs.intake import poll_mailbox
from monitor.sources.base import MailboxFacts
from monitor.store.engine import reading
from monitor.store.schema import review
from tests.fakes import MemoryMailbox
from tests.support.jobs_world import ORDERS, JobsWorld
from tests.support.mails import buyer_mail
from tests.support.weekend_world import paris

pytestmark = pytest.mark.integration

TUESDAY = paris("2026-11-17 06:00")
CORPUS = Path(__file__).parents[1] / "data" / "corpus"
COPIES = [CORPUS / f"{name}.eml" for name in ("076-ca-copy-header-pass", "026-ca-copy-shape-pass")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JobsWorld]:
    built = JobsWorld(tmp_path, TUESDAY, changes={'authserv_id = "mx.acme.example"': 'authserv_id = "auto"'})
    yield built
    built.close()


def unproven(world: JobsWorld) -> int:
    """Return how many copies wait for a person because nothing proves them."""
    with reading(world.services.engine) as connection:
        return len(connection.execute(select(review.c.id).where(review.c.kind == "unproven_copy")).all())


def test_a_mailbox_that_was_empty_at_the_start_learns_from_its_first_mail(world: JobsWorld) -> None:
    for _ in range(3):
        world.poll()
    assert world.mailbox.probes == 0  # each would be a login
    for copy in COPIES:
        world.mailbox.deliver(copy.read_bytes(), world.clock())
        assert world.worker.poll("support").new == {"confirmation_copy": 1}
    assert unproven(world) == 0
    assert world.mailbox.probes == 1


def test_what_a_few_mails_do_not_tell_is_asked_of_the_next_ones(world: JobsWorld) -> None:
    world.ask(ORDERS[0])  # carries no verdict
    for copy in COPIES:
        world.mailbox.deliver(copy.read_bytes(), world.clock())
    assert world.worker.poll("support").new == {"confirmation_copy": 2}
    assert unproven(world) == 0


def test_a_mailbox_without_verdicts_is_not_asked_for_ever(world: JobsWorld) -> None:
    for number in range(20):
        order = f"402-{number:07d}-{number:07d}"
        world.mailbox.deliver(buyer_mail(world.clock(), order=order), world.clock())
    world.poll()
    assert world.mailbox.probes == 1
    world.ask(ORDERS[0])
    assert world.mailbox.probes == 1


class LooksInVain(MemoryMailbox):
    """A mailbox that cannot be looked at, for a reason that concerns one folder or one mail of it."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def probe(self) -> MailboxFacts:
        """Say so, as the real ones do."""
        raise MailboxError("support: cannot be looked at.", self.reason)


@pytest.mark.parametrize("reason", ["folder", "protocol"])
def test_a_folder_or_mail_that_cannot_be_had_holds_up_no_other(world: JobsWorld, reason: str) -> None:
    lacking = LooksInVain(reason)
    lacking.deliver(buyer_mail(world.clock()), world.clock())
    services = replace(world.services, sources={"support": lacking})
    assert poll_mailbox(services, "support").new == {"buyer_message": 1}

"""A sign-in that will end is told while the mailbox is still read, and again each day until somebody signs in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.config.model import MailboxConfig
from monitor.oauth.keeper import TokenKeeper, record_sign_in
from monitor.oauth.provider import Grant
from tests.support.jobs_world import JobsWorld

START = datetime(2026, 11, 16, 9, tzinfo=UTC)
MAILBOX = MailboxConfig(
    name="support",
    type="imap",
    accounts=("default",),
    username="ops@acme.example",
    oauth="google",
    client_id="client-1",
    client_secret="secret-1",
)


def sign_in(world: JobsWorld, lasts: timedelta) -> None:
    grant = Grant(
        access_token="access-1",
        expires_in=timedelta(days=30),
        refresh_token="refresh-1",
        refresh_expires_in=lasts,
    )
    record_sign_in(MAILBOX, grant, world.folder, world.clock())


def test_a_sign_in_that_ends_is_told_three_days_before_and_each_day_until_it_is_renewed(tmp_path: Path) -> None:
    world = JobsWorld(tmp_path, START)
    try:
        sign_in(world, timedelta(days=7))
        keeper = TokenKeeper(MAILBOX, tmp_path, world.clock)
        world.services = replace(world.services, sign_ins={"support": keeper.trouble})
        told: list[int] = []
        for hour in range(6 * 24):
            found = [one for one in world.cycle() if one.content and one.content.get("name") == "support"]
            if found:
                told.append(hour)
                assert found[0].content is not None
                assert "replyby login support" in str(found[0].content["detail"])
                assert "refresh-1" not in str(found[0].content)
            world.clock.set(world.clock() + timedelta(hours=1))
        assert [hour // 24 for hour in told] == [4, 5], told
        sign_in(world, timedelta(days=90))
        world.clock.set(world.clock() + timedelta(days=1))
        assert not [one for one in world.cycle() if one.content and one.content.get("name") == "support"]
    finally:
        world.close()

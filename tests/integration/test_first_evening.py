"""An evening's setting up: the interview with its real probes against Dovecot and stand-ins for Slack and Twilio."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config.loader import load_config
from monitor.setup import probes
from monitor.setup.autodiscover import Guess
from monitor.setup.dialogue import Dialogue
from monitor.setup.init import run_init
from monitor.setup.probes import ProbeFailed
from monitor.setup.world import NetworkProbes
from monitor.sources.imap import ImapSource
from tests.support.dovecot import PASSWORD, USERNAME, Dovecot, running_dovecot
from tests.support.ports import free_port
from tests.support.slack_server import SlackServer
from tests.support.twilio_server import TwilioServer
from tests.unit.setup.conversation import Person

pytestmark = pytest.mark.integration


def loopback(dovecot: Dovecot, slack: SlackServer, twilio: TwilioServer, directory: Path) -> NetworkProbes:
    """Return the real probes, sent to servers on this machine."""

    class Near(NetworkProbes):
        def discover(self, address: str) -> Guess:
            return Guess(provider="other", host="127.0.0.1", port=free_port(), username=address, source="a guess")

    return Near(
        build_source=lambda mailbox, token: ImapSource(mailbox, lambda header, where: True, token=token),
        state_directory=directory / "var",
        screen=Person([]),
        now=lambda: datetime(2026, 11, 20, 8, tzinfo=UTC),
        send_page=lambda config, person: f"✓ {person} answered",
        look=lambda config: [],
        slack_url=slack.api_url,
        twilio_url=twilio.base_url,
    )


def test_an_evening_ends_in_a_file_that_opens_everything(tmp_path: Path) -> None:
    with running_dovecot() as dovecot, SlackServer() as slack, TwilioServer() as twilio:
        dovecot.deliver(b"From: a@b.example\r\nSubject: hello\r\n\r\nhello\r\n")
        slack.channels["C0OUT"].is_member = False
        person = Person(
            [
                ("Which mailbox does Amazon write to?", USERNAME),
                ("IMAP server:", ""),
                ("Port:", ""),
                ("User name:", ""),
                ("Its password:", PASSWORD),
                ("IMAP server:", ""),
                ("Port:", str(dovecot.port)),
                ("User name:", ""),
                ("Its password:", "wrong"),
                ("Its password:", PASSWORD),
                ("Where shall secrets be kept?", ""),
                ("Alerts in Slack?", "y"),
                ("App token:", slack.app_token),
                ("Bot token:", "xoxb-wrong"),
                ("Bot token:", slack.bot_token),
                ("Which channel?", "elsewhere"),
                ("Which channel?", "support"),
                ("Wake somebody by SMS?", "y"),
                ("Who?", "Ana"),
                ("Phone, with country code:", "+33612345678"),
                ("Language", ""),
                ("Account SID:", twilio.account_sid),
                ("Auth token:", "wrong"),
                ("Account SID:", ""),
                ("Auth token:", twilio.auth_token),
                ("Sending number:", ""),
                ("Time zone:", ""),
                ("Are there hours", "n"),
                ("Its address", "http://127.0.0.1:1/ping"),
                ("Its address", ""),
                ("Send one SMS now?", "n"),
            ]
        )
        world = loopback(dovecot, slack, twilio, tmp_path)
        assert run_init(Dialogue(person), world, tmp_path / "config.toml", {}, local_zone="Europe/Paris") is not None
        problems = person.problems
        assert len(problems) == 6, problems
        for problem, words in zip(
            problems,
            (
                "not reachable",
                "login refused for ops@acme.example",
                "Slack: invalid_auth",
                "The bot is not in #elsewhere",
                "Twilio",
                "This address does not answer",
            ),
            strict=True,
        ):
            assert words in problem or (words == "not reachable" and "refused" in problem), problem
        config = load_config(tmp_path / "config.toml", {})
        assert (config.mailboxes[0].port, config.mailboxes[0].security) == (dovecot.port, "none")
        assert world.probe_mailbox(config.mailboxes[0]).folders
        assert config.people[0].slack_user == "U0123"
        assert config.receivers[0].target == "C0123"


def test_probes_say_what_is_wrong_without_the_secret() -> None:
    with SlackServer() as slack, TwilioServer() as twilio:
        slack.scopes = ("chat:write",)
        facts = probes.probe_slack(slack.bot_token, slack.app_token, slack.api_url)
        assert (facts.team, facts.member_of, "C0OLD" in facts.channels) == (
            "Acme",
            frozenset({"C0123", "C0456"}),
            False,
        )
        assert "channels:read" in facts.lacking
        with pytest.raises(ProbeFailed) as refused:
            probes.probe_twilio(twilio.account_sid, "hush-hush", twilio.base_url)
        assert "hush-hush" not in str(refused.value)
        assert probes.probe_twilio(twilio.account_sid, twilio.auth_token, twilio.base_url).balance == "12.34 USD"
    with pytest.raises(ProbeFailed, match="not reachable"):
        probes.probe_slack("xoxb-1", "", "http://127.0.0.1:1/api/")
    with pytest.raises(ProbeFailed, match="Twilio"):
        probes.probe_twilio("AC1", "t", "http://127.0.0.1:1")

"""The holding reply that a person only has to send."""

from urllib.parse import parse_qs, urlsplit

import pytest

from alerts.core.words.holding import holding_reply_url
from alerts.core.words.slack import mail_link

ALIAS = "abc123+a-case@marketplace.amazon.fr"


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "ja", None])
def test_it_opens_a_mail_to_the_alias_in_the_buyers_language(language: str | None) -> None:
    url = urlsplit(holding_reply_url(ALIAS, "402-1234567-1234567", language))
    assert url.scheme == "mailto"
    assert url.path == ALIAS
    asked = parse_qs(url.query)
    assert "402-1234567-1234567" in asked["subject"][0]
    assert len(asked["body"][0]) > 40


def test_without_an_order_the_subject_stands_alone() -> None:
    assert parse_qs(urlsplit(holding_reply_url(ALIAS, None, "fr")).query)["subject"] == ["Votre message"]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv"])
def test_every_holding_reply_is_short_enough_for_slack(language: str) -> None:
    assert mail_link(holding_reply_url(ALIAS, "402-1234567-1234567", language)) is not None

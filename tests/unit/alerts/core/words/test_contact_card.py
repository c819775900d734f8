"""The contact card that is saved on a phone."""

import pytest

from alerts.core.words.contact_card import render_contact_card


def test_the_card_holds_every_number_once_and_no_name_that_cannot_be_called() -> None:
    card = render_contact_card(["+15005550006", "ReplyBy", "+33644444444", "+15005550006"])
    assert card.startswith("BEGIN:VCARD\r\nVERSION:3.0\r\nN:ReplyBy;;;;\r\nFN:ReplyBy\r\n")
    assert card.count("TEL;TYPE=CELL:") == 2
    assert card.endswith("END:VCARD\r\n")


def test_no_line_can_be_added_by_a_name() -> None:
    assert "\r\nTEL;TYPE=CELL:+44" not in render_contact_card(["+15005550006"], "Acme\r\nTEL;TYPE=CELL:+44")


def test_without_a_number_there_is_no_card() -> None:
    with pytest.raises(ValueError, match="no number"):
        render_contact_card(["ReplyBy"])

"""Which parts of a large mail are asked for, and what is made of them."""

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.imap_parts import MAIL_PARTS, PART_BYTES, parse_structure, plan_items, render_mail, trim_encoded
from monitor.sources.imap_response import Value, parse_values

TEXT = b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "BASE64" 900 12 NIL NIL NIL NIL)'
PHOTO = b'("IMAGE" "JPEG" ("NAME" "p.jpg") NIL NIL "BASE64" 9000000 NIL ("ATTACHMENT" ("FILENAME" "p.jpg")) NIL NIL)'
ATTACHED_TEXT = b'("text" "csv" NIL NIL NIL "7bit" 9000000 9 NIL ("attachment" NIL) NIL)'
LIMIT = f"<0.{PART_BYTES}>"


def structure_of(text: bytes) -> Value:
    return parse_values([text])[0]


def items_of(text: bytes) -> list[str]:
    return plan_items(parse_structure(structure_of(text)))


def test_of_a_single_text_only_its_beginning_is_asked() -> None:
    assert items_of(TEXT) == [f"BODY.PEEK[TEXT]{LIMIT}"]


def test_attachments_are_not_asked_for() -> None:
    assert items_of(PHOTO) == []
    mixed = b"(" + TEXT + PHOTO + ATTACHED_TEXT + b' "MIXED" ("BOUNDARY" "b") NIL NIL)'
    assert items_of(mixed) == [f"BODY.PEEK[1.MIME]{LIMIT}", f"BODY.PEEK[1]{LIMIT}"]


def test_an_attached_mail_gives_its_headers_and_texts() -> None:
    inner = b"(" + TEXT + PHOTO + b' "MIXED" ("BOUNDARY" "c") NIL NIL)'
    mail = b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9999 (NIL) ' + inner + b" 99 NIL NIL NIL)"
    report = b'("MESSAGE" "DELIVERY-STATUS" NIL NIL NIL "7BIT" 300 NIL NIL NIL)'
    whole = b"(" + TEXT + report + mail + b' "REPORT" ("BOUNDARY" "b") NIL NIL)'
    assert [item.removesuffix(LIMIT) for item in items_of(whole)] == [
        "BODY.PEEK[1.MIME]",
        "BODY.PEEK[1]",
        "BODY.PEEK[2.MIME]",
        "BODY.PEEK[2]",
        "BODY.PEEK[3.MIME]",
        "BODY.PEEK[3.HEADER]",
        "BODY.PEEK[3.1.MIME]",
        "BODY.PEEK[3.1]",
    ]


def test_a_thousand_parts_do_not_make_a_thousand_downloads() -> None:
    many = b"(" + TEXT * 1000 + b' "MIXED" ("BOUNDARY" "b") NIL NIL)'
    assert len(items_of(many)) <= 2 * MAIL_PARTS


@pytest.mark.parametrize("text", [b"x", b"()", b'("TEXT" "PLAIN")', b"(" * 40 + TEXT + b")" * 40])
def test_what_is_no_structure_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_structure(structure_of(text))


values = st.recursive(
    st.none() | st.binary(max_size=8) | st.sampled_from([b"TEXT", b"MESSAGE", b"RFC822", b"MULTIPART", b"12"]),
    lambda children: st.lists(children, max_size=12),
    max_leaves=60,
)


@given(values)
def test_a_strange_structure_is_a_value_error_or_still_gives_a_mail(value: Value) -> None:
    try:
        structure = parse_structure(value)
    except ValueError:
        return
    plan_items(structure)
    content = render_mail(b"Subject: x\r\n\r\n", structure, {})
    assert content.startswith(b"Subject: x\r\n")
    assert b"\r\n\r\n" in content


def test_cut_off_headers_still_tell_where_the_parts_begin() -> None:
    mixed = parse_structure(structure_of(b"(" + TEXT + PHOTO + b' "MIXED" ("BOUNDARY" "b\\"c") NIL NIL)'))
    parts: dict[bytes, Value] = {b"BODY[1.MIME]": b"Content-Type: text/plain\r\n\r\n", b"BODY[1]": b"words"}
    content = render_mail(b"Subject: cut\r\nX-Long: xxx", mixed, parts)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/mixed", "text/plain", "image/jpeg"]
    assert not any(part.defects for part in message.walk())


@pytest.mark.parametrize(
    ("content", "encoding", "kept"),
    [
        (b"QUJD\r\nREV", b"base64", b"QUJD\r\n"),
        (b"QUJDRE", b"base64", b"QUJD"),
        (b"caf=C3=A9\r\nbon=", b"quoted-printable", b"caf=C3=A9\r\n"),
        (b"plain tex", b"7bit", b"plain tex"),
    ],
)
def test_a_cut_part_ends_where_its_encoding_allows(content: bytes, encoding: bytes, kept: bytes) -> None:
    assert trim_encoded(content, encoding) == kept

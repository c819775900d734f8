"""HTML to text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.delimiters import read_words
from monitor.core.quoting import PRE_CLOSE, PRE_OPEN
from monitor.parse.html import find_links, html_to_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>a</p><p>b</p>", "\n\na\n\nb\n\n"),
        ("<div>a  \n b</div>", "\na b\n"),
        ("<td>a</td><td>b</td>", " a b"),
        ("a<!-- x <b> -->b", "ab"),
        ("a<!-- never closed", "a<!-- never closed"),
        ("<style>p { }</style>a<script>1 < 2</script>b", "ab"),
        ("<style>never closed", ""),
        ("<head><title>x</title></head><header>a</header>", "\na\n"),
        ("<title>never closed", "never closed"),
        ("&lt;b&gt; &amp;amp; &#233;", "<b> &amp; é"),
        ('<a title="a > b" href="x">link</a>', "link"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<blockquote>a<br>b<blockquote>c</blockquote></blockquote>d", "> a\n> b\n> > c\n> \nd"),
        ("<!DOCTYPE html><?xml?>a", "a"),
        ("İ<style>x</style>b", "İb"),
    ],
)
def test_tags_become_lines(source: str, text: str) -> None:
    assert html_to_text(source).strip("\n") == text.strip("\n") or html_to_text(source) == text


def test_pre_keeps_its_lines_and_spaces() -> None:
    text = html_to_text("<p>x</p><pre style='white-space: -o-pre-wrap'>  a &amp; b\r\n\n\tc<br>d</pre><p>y")
    assert f"{PRE_OPEN}  a & b\n\n\tc\nd\n{PRE_CLOSE}" in text
    assert html_to_text("<pre>open").endswith(PRE_CLOSE)
    assert read_words(html_to_text("<p>Hello</p><pre></pre>")).text == ""


def test_marks_cannot_be_written_by_a_buyer() -> None:
    assert html_to_text("a\ue000\ue001\ue003b") == "ab"


def test_links_come_from_attributes_with_entities_decoded() -> None:
    source = "<a href=\"https://a.example/?x=1&amp;y=2\">a</a><a href='https://b.example/'>b</a><img src=https://c.example/i>"
    assert find_links(source) == ["https://a.example/?x=1&y=2", "https://b.example/", "https://c.example/i"]
    assert len(find_links("<a href='https://a.example/'>" * 3000)) == 2000


@given(st.text(alphabet="<>/!-abpre \"'=&;\n\ue000", max_size=200))
def test_any_text_is_html(source: str) -> None:
    html_to_text(source)
    find_links(source)

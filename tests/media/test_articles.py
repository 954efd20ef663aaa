"""What is left of a web page, and what becomes of pages that are made to hurt."""

import contextlib
import time

import pytest

from antiphon.media.articles import read
from antiphon.media.frames import HtmlJob, Written
from antiphon.media.reader import Bounds, Reader
from antiphon.ports.media import Article, MediaProblem

URL = "https://example.com/cats/"
PARAGRAPH = "Cats sleep for sixteen hours a day, and nobody who has studied them has found out why they need it. " * 4
SECONDS = 1.5
# Starting a worker and ending it, on a machine that does other things too.
SLACK = 20.0


def written(html: str, characters: int = 100_000) -> Written:
    return read(html.encode(), HtmlJob(URL, characters, 10))


PAGE = f"""<!doctype html><html><head><title>Cats &amp; sleep</title><style>p {{ color: red }}</style></head><body>
<nav><a href="/">Home</a> <a href="/shop">Shop</a></nav>
<article><h1>Why cats sleep</h1><p>{PARAGRAPH}</p><p>{PARAGRAPH} See <a href="../dogs">the dogs</a>.</p></article>
<script>steal()</script><footer>All rights reserved</footer></body></html>"""


@pytest.mark.promise("web-tools.page-text")
def test_the_subject_of_a_page_is_kept_with_its_links_and_the_rest_is_left_out():
    found = written(PAGE)
    assert found.title == "Cats & sleep"
    assert "# Why cats sleep" in found.text
    assert "[the dogs](https://example.com/dogs)" in found.text
    assert not [word for word in ("steal", "Shop", "color", "rights reserved") if word in found.text]


@pytest.mark.promise("web-tools.page-text")
def test_a_page_without_a_subject_gives_everything_that_can_be_seen():
    found = written(
        "<title>T</title><style>x{}</style><nav>One<b>two</b><div>three &lt;4&gt;</div></nav><script>5</script>"
    )
    assert (found.text, found.title) == ("Onetwo\nthree <4>", "T")


def test_a_head_that_nobody_closed_does_not_hide_the_page():
    assert written("<html><head><title>T</title><body>Hello there").text == "Hello there"


def test_the_text_is_cut_and_clean():
    assert written("<p>a\x00b\x1bc&#xD800;d" + "x" * 100, 10).text == "ab" + "c\ufffdd" + "x" * 5


def test_nothing_comes_of_nothing_to_see():
    assert written("<html><body><script>1</script></body></html>") == Written("", "")


@pytest.mark.promise("web-tools.hostile-pages")
async def test_a_page_is_read_in_a_worker(reader: Reader):
    found = await reader.article(PAGE.encode(), URL, 100_000)
    assert found == Article(written(PAGE).text, "Cats & sleep")


HOSTILE: dict[str, bytes] = {
    "a tower of elements": b"<div>" * 200_000 + b"bottom",
    "a tower of tables": b"<table><tr><td>" * 20_000,
    "a tower of lists": b"<ul><li>" * 50_000 + b"x",
    "a crowd of attributes": b"<p " + b" ".join(b"a%d=1" % n for n in range(60_000)) + b">hi",
    "one long tag": b"<" + b"a" * 3_000_000,
    "half-open comments": b"<!--" * 300_000,
    "half-open declarations": b"<![CDATA[" * 200_000,
    "a crowd of entities": b"&amp;&#0;&#x110000;&bogus;" * 100_000,
    "a million links": b"<a href=/x>y</a>" * 250_000,
    "a crowd of paragraphs": b"<p>Some words that count as text, and more of them.</p>" * 100_000,
    "no text at all": bytes(range(256)) * 4_000,
    "half-open scripts": b"<script>" * 100_000 + b"</scr",
    "a form in a form": b"<form><input><select><option>" * 50_000,
    "an external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><html><body><p>&e;</p></body></html>',
    "a billion laughs": b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><p>&b;&b;</p>' * 1000,
}


async def _read_in_the_end(reader: Reader) -> str:
    """A page's text; a worker that begins anew on a busy machine may take longer than a page may."""
    for _ in range(4):
        with contextlib.suppress(MediaProblem):
            return (await reader.article(PAGE.encode(), URL, 100_000)).text
    return ""


@pytest.mark.promise("web-tools.hostile-pages")
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_page_ends_in_time_and_the_next_one_is_read(name: str):
    reader = Reader(Bounds(workers=1, article=SECONDS))
    try:
        began = time.monotonic()
        try:
            found = await reader.article(HOSTILE[name], URL, 100_000)
        except MediaProblem:
            found = Article("")
        assert "root:" not in found.text
        assert time.monotonic() - began < SECONDS + SLACK
        assert "Why cats sleep" in await _read_in_the_end(reader)
    finally:
        await reader.aclose()

"""Streams of events, cut anywhere, and what is none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.engines.remote.sse import BrokenStream, EventReader

STREAM = (
    b": keep-alive\r\n\r\n"
    b'data: {"a": 1}\n\n'
    b"event: message\nid: 7\nretry: 10\ndata:two\ndata: lines\n\n"
    b'error: {"message": "no"}\n\n' + "data: 日本\r\n\r\n".encode() + b"\n\ndata: [DONE]\n\ndata: later\n\n"
)
EVENTS = [b'{"a": 1}', b"two\nlines", b'{"message": "no"}', "日本".encode()]


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_a_stream_reads_the_same_wherever_it_is_cut(cuts: list[int]):
    reader = EventReader()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [event for start, end in pairwise(edges) for event in reader.feed(STREAM[start:end])]
    assert found == EVENTS
    assert reader.over


def test_an_event_that_is_not_ended_is_none():
    reader = EventReader()
    assert reader.feed(b'data: {"a": 1}\n') == []
    assert not reader.over


def test_the_end_is_only_the_end_by_itself():
    reader = EventReader()
    assert reader.feed(b"data: [DONE]\ndata: x\n\n") == [b"[DONE]\nx"]
    assert not reader.over


@pytest.mark.parametrize("line", [b"<html>", b"HTTP/1.1 200 OK: yes", b"\x00\xff\x00", b'{"error": "no"}', b"data"])
def test_a_line_of_something_else_breaks_the_stream(line: bytes):
    with pytest.raises(BrokenStream, match="not of a stream of events"):
        EventReader().feed(line + b"\n")


def test_what_never_ends_is_not_kept():
    for part in (b"x" * 9, b"data: x\n" * 9):
        reader = EventReader(most_bytes=100)
        with pytest.raises(BrokenStream, match="longer than 100 bytes"):
            feed_often(reader, part)


def feed_often(reader: EventReader, part: bytes) -> None:
    for _ in range(20):
        assert reader.feed(part) == []

"""Random replies: what may happen in one, in any legal order."""

import json
from itertools import pairwise

from hypothesis import strategies as st

from antiphon.dialogue.events import (
    CallArguments,
    CallEnd,
    CallStart,
    CiteEnd,
    CiteStart,
    Finish,
    ReasoningDelta,
    ReasoningEnd,
    RedactedReasoning,
    ReplyEvent,
    ServerAnswer,
    StopReason,
    TextDelta,
)
from antiphon.wire.reply import Message, Usage

_TEXTS = st.text(
    alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("  \n\u2028\u2029\u0085é漢🎼")),
    min_size=1,
    max_size=12,
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_SEALS = st.text("abcdef", min_size=4, max_size=8)


def _cuts(text: str, cuts: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(edges)]


@st.composite
def _text_run(draw: st.DrawFn) -> list[ReplyEvent]:
    return [TextDelta(text) for text in draw(st.lists(_TEXTS, min_size=1, max_size=4))]


@st.composite
def _cited_run(draw: st.DrawFn) -> list[ReplyEvent]:
    texts = [TextDelta(text) for text in draw(st.lists(_TEXTS, min_size=1, max_size=3))]
    citation = {
        "type": "web_search_result_location",
        "cited_text": draw(st.text(max_size=8)),
        "url": "https://a.example/",
        "title": draw(st.none() | st.text(max_size=8)),
        "encrypted_index": "a",
    }
    return [CiteStart(citation), *texts, CiteEnd()]


@st.composite
def _reasoning_run(draw: st.DrawFn) -> list[ReplyEvent]:
    deltas = draw(
        st.one_of(
            st.lists(st.builds(ReasoningDelta, _TEXTS), min_size=1, max_size=3),
            # Thinking that is not shown opens its block, and may tell of its length.
            st.lists(st.builds(ReasoningDelta, st.just(""), st.none() | st.integers(0, 500)), min_size=1, max_size=3),
        )
    )
    return [*deltas, ReasoningEnd(draw(_SEALS))]


@st.composite
def _redacted_run(draw: st.DrawFn) -> list[ReplyEvent]:
    return [RedactedReasoning(draw(_SEALS))]


@st.composite
def _call_run(draw: st.DrawFn) -> list[ReplyEvent]:
    name = draw(st.text("abcxyz_-", min_size=1, max_size=8))
    value = draw(st.dictionaries(st.text(max_size=5), _JSON, max_size=3))
    text = json.dumps(value, ensure_ascii=draw(st.booleans())) if value or draw(st.booleans()) else ""
    pieces = _cuts(text, draw(st.lists(st.integers(0, 500), max_size=4))) if text else []
    server = draw(st.booleans())
    name = draw(st.sampled_from(["web_search", "web_fetch"])) if server else name
    start = CallStart(f"{'srvtoolu' if server else 'toolu'}_{draw(st.integers(0, 10**9))}", name, server=server)
    return [start, *map(CallArguments, pieces), CallEnd()]


@st.composite
def _answer_run(draw: st.DrawFn) -> list[ReplyEvent]:
    id_ = f"srvtoolu_{draw(st.integers(0, 10**9))}"
    hits = [
        {"type": "web_search_result", "url": url, "title": title, "encrypted_content": "a", "page_age": None}
        for url, title in draw(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=2))
    ]
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    failed = {"type": "web_fetch_tool_result_error", "error_code": "url_too_long"}
    return draw(
        st.sampled_from(
            [
                [ServerAnswer(id_, "web_search_tool_result", hits)],
                [ServerAnswer(id_, "web_search_tool_result", error)],
                [ServerAnswer(id_, "web_fetch_tool_result", failed)],
            ]
        )
    )


_REASONS: list[StopReason] = ["end_turn", "max_tokens", "tool_use", "pause_turn", "model_context_window_exceeded"]
_RUNS = st.lists(
    st.one_of(_text_run(), _cited_run(), _reasoning_run(), _redacted_run(), _call_run(), _answer_run()), max_size=6
)


@st.composite
def replies(draw: st.DrawFn) -> list[ReplyEvent]:
    """A whole reply: runs of text, cited or not, reasoning (open or redacted), calls and what the server found, then its end."""
    events = [event for run in draw(_RUNS) for event in run]
    reason = draw(st.sampled_from(_REASONS))
    thought = draw(st.none() | st.integers(0, 10**6))
    return [*events, Finish(reason, draw(st.integers(0, 10**6)), thinking_tokens=thought)]


def opening() -> Message:
    """A reply that has not begun."""
    return Message(model="claude-test", id="msg_01test", usage=Usage(input_tokens=7, output_tokens=0))

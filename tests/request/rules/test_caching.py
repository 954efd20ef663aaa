"""Cache markers: how many, and in which order of lifetimes."""

import pytest

from tests.request.requests import (
    Json,
    assistant,
    body,
    call,
    issue,
    result,
    system,
    text,
    tool,
    user,
    verdict,
    wrong,
)

SHORT: Json = {"cache_control": {"type": "ephemeral"}}

LONG: Json = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}

LATE = (
    "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed "
    "in the following order: `tools`, `system`, `messages`."
)


def marked(count: int) -> list[Json]:
    return [text(f"part {n}", **SHORT) for n in range(count)]


TOO_MANY: dict[str, Json] = {
    "five in a message": body(user(marked(5))),
    "tools, system and messages together": body(
        user(marked(1)), system=marked(1), tools=[tool("a", **SHORT), tool("b", **SHORT), tool("c", **SHORT)]
    ),
    "inside a result": body(
        user(marked(3)), assistant([call("toolu_1")]), user([result("toolu_1", marked(1), **SHORT)])
    ),
    "in a system message": body(user(marked(4)), system(marked(1))),
    "inside a document": body(
        user([*marked(4), {"type": "document", "source": {"type": "content", "content": marked(1)}}])
    ),
    "four and the automatic one": body(user([*marked(4), text("unmarked")]), **SHORT),
}


@pytest.mark.promise("cache.breakpoint-limit")
@pytest.mark.parametrize("case", TOO_MANY)
def test_a_fifth_cache_marker_is_refused_wherever_it_stands(case: str) -> None:
    message = "A maximum of 4 blocks with cache_control may be provided. Found 5."
    assert verdict(TOO_MANY[case]) == message


@pytest.mark.promise("cache.breakpoint-limit")
@pytest.mark.parametrize(
    "request_",
    [
        body(user(marked(4))),
        body(user([*marked(3), text("unmarked")]), **SHORT),
        body(user(marked(4)), **SHORT),  # the automatic marker falls on the one that is there
        body(user(marked(4)), cache_control=None),
    ],
)
def test_four_cache_markers_are_accepted(request_: Json) -> None:
    assert verdict(request_) is None


@pytest.mark.promise("cache.ttl-order")
@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (body(user([text("a", **SHORT), text("b", **LONG)])), "messages.0.content.1.cache_control.ttl"),
        (body(user([text("b", **LONG)]), system=[text("a", **SHORT)]), "messages.0.content.0.cache_control.ttl"),
        (body(system=[text("b", **LONG)], tools=[tool(**SHORT)]), "system.0.cache_control.ttl"),
        (body(tools=[tool("a", **SHORT), tool("b", **LONG)]), "tools.1.cache_control.ttl"),
        (
            body(
                user([text("a", **SHORT)]),
                assistant([call("toolu_1")]),
                user([result("toolu_1", [text("b", **LONG)])]),
            ),
            "messages.2.content.0.content.0.cache_control.ttl",
        ),
        (body(user([text("a", **SHORT), text("b")]), **LONG), "cache_control.ttl"),
    ],
)
def test_an_hour_s_marker_behind_a_short_one_is_refused(request_: Json, path: str) -> None:
    assert verdict(request_) == f"{path}: {LATE}"


def test_an_hour_s_marker_before_a_short_one_is_accepted() -> None:
    assert verdict(body(user([text("a", **LONG), text("b", **SHORT), text("c", **SHORT)]))) is None


def test_an_automatic_marker_of_another_lifetime_than_the_block_s_own_is_refused() -> None:
    message = verdict(body(user([text("a", **SHORT)]), **LONG))
    assert message is not None
    assert message.startswith("cache_control: the last block already carries a marker with ttl='5m'")


@pytest.mark.parametrize(
    "last",
    [
        [],
        [{"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}],
    ],
)
def test_an_automatic_marker_walks_back_over_what_cannot_carry_one(last: list[Json]) -> None:
    request = body(user([text("a", **SHORT)]), assistant(last))
    fallback = "server-side-fallback-2026-07-01"
    assert wrong({**request, **SHORT}, fallback) is None
    message = wrong({**request, **LONG}, fallback)
    assert message is not None
    assert "(messages.0.content.0)" in message


THREADS = "message-threads-2026-08-12"


@pytest.mark.promise("threads.typed-refusal")
def test_a_thread_leaves_three_places_for_markers_and_says_so_with_a_code() -> None:
    four = body(user(marked(3)), system=marked(1), thread={"type": "create"})
    refused = issue(four, THREADS)
    assert refused is not None
    assert refused.message == (
        "thread: a maximum of 3 blocks with cache_control may be provided when `thread` is set -- the fourth marker slot "
        "is reserved for the marker the server places on the conversation last cache-eligible block. Found 4."
    )
    assert refused.details == {"error_code": "thread_unsupported_request", "unsupported": ["cache_control"]}
    assert verdict({**four, "thread": None}, THREADS) is None


@pytest.mark.promise("threads.typed-refusal")
def test_the_automatic_marker_takes_the_fourth_place_of_a_thread() -> None:
    request_ = body(user([*marked(3), text("unmarked")]), thread={"type": "create"}, **SHORT)
    assert verdict(request_, THREADS) is None

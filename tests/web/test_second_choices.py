"""Where the engine of a name's first choice is down, another model answers, in its own name."""

import tomllib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import LimitRule, parse_settings
from antiphon.dialogue.rendered import Segment
from antiphon.errors import EngineDied, EngineFault, EngineFull, EngineNotBegun, EngineUnavailable
from antiphon.ports.engine import EngineHealth, EngineOutput, Generation, Piece
from antiphon.testing import Answer, Bridge, engine_app
from tests.web.thinking_app import WatchedEngine

DOCS = Path(__file__).parents[2] / "docs" / "engines.md"
OPUS = "claude-opus-4-8"
ROUTES = {OPUS: ("big", "small"), "big": ("big", "small")}


class Shaky(WatchedEngine):
    """An engine that may be down, or turn out to be."""

    def __init__(self, id: str) -> None:  # noqa: A002 - the card's own field name
        super().__init__(id, f'[[reply]]\ntext = "I am {id}."\n')
        self.down = False
        self.fails: EngineFault | None = None
        self.fails_to_read: EngineFault | None = None
        self.begins = False

    async def health(self) -> EngineHealth:
        """Whether it is up."""
        return EngineHealth(not self.down, "it is being restarted" if self.down else "")

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """Tokens, where it can be asked."""
        if self.fails_to_read is not None:
            raise self.fails_to_read
        return await super().tokenize(segments, begins=begins)

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """The reply, or a fault before or behind its first words."""
        if self.fails is None:
            async for output in super().generate(work):
                yield output
            return
        if self.begins:
            async for output in super().generate(work):
                if isinstance(output, Piece):
                    yield output
        raise self.fails


@asynccontextmanager
async def serving(**options: Any) -> AsyncGenerator[tuple[Bridge, Shaky, Shaky]]:
    big, small = Shaky("big"), Shaky("small")
    async with engine_app(big, small, routes=ROUTES, **options) as bridge:
        yield bridge, big, small


async def ask(bridge: Bridge, model: str = OPUS, **more: Any) -> Answer:
    messages = [{"role": "user", "content": "Hi"}]
    return await bridge.post({"model": model, "max_tokens": 20, "messages": messages, **more})


def said(answer: Answer) -> tuple[str, str] | int:
    """The model that a reply names, and its words; or the status."""
    if answer.status != 200:
        return answer.status
    if "event-stream" not in answer.headers["content-type"]:
        return answer.json["model"], answer.json["content"][0]["text"]
    events = answer.events
    if events[-1]["type"] == "error":
        return 529
    text = "".join(one["delta"].get("text", "") for one in events if one["type"] == "content_block_delta")
    return events[0]["message"]["model"], text


@pytest.mark.promise("routes.second-choice")
@pytest.mark.parametrize("stream", [False, True])
async def test_the_first_that_is_up_answers_and_the_first_choice_again_when_it_is_back(stream: bool) -> None:
    async with serving() as (bridge, big, _):
        found = [said(await ask(bridge, stream=stream))]
        big.down = True
        found += [said(await ask(bridge, name, stream=stream)) for name in (OPUS, "big", "claude-haiku-4-5")]
        big.down = False
        found.append(said(await ask(bridge, stream=stream)))
    first, second = "I am big.", ("small", "I am small.")
    assert found == [(OPUS, first), second, second, ("claude-haiku-4-5-20251001", first), (OPUS, first)]


@pytest.mark.promise("routes.not-begun")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [EngineUnavailable("gone"), EngineNotBegun("gone")], ids=["gone", "not begun"])
async def test_what_was_not_begun_is_tried_once_at_the_second_choice(stream: bool, fault: EngineFault) -> None:
    async with serving() as (bridge, big, small):
        big.fails = fault
        assert said(await ask(bridge, stream=stream)) == ("small", "I am small.")
        small.fails = fault
        assert said(await ask(bridge, stream=stream)) == 529
        small.fails, small.down = None, True
        # Nobody else is up: it is tried all the same, since it may have come back.
        assert said(await ask(bridge, stream=stream)) == ("small", "I am small.")


@pytest.mark.promise("routes.not-begun")
async def test_an_engine_that_is_lost_while_the_prompt_is_read_is_one_that_has_not_begun() -> None:
    async with serving() as (bridge, big, _):
        big.fails_to_read = EngineUnavailable("gone")
        assert said(await ask(bridge)) == ("small", "I am small.")
        body = {"model": OPUS, "messages": [{"role": "user", "content": "Hi"}]}
        assert (await bridge.ask("POST", "/v1/messages/count_tokens", body)).status == 200
        assert said(await ask(bridge, "claude-haiku-4-5")) == 529


@pytest.mark.promise("routes.not-begun")
@pytest.mark.parametrize(
    ("fault", "begins", "status"),
    [
        (EngineFull("many wait", retry_after=1.0), False, 529),
        (EngineDied("lost"), False, 500),
        (EngineUnavailable("gone"), True, 529),
    ],
    ids=["full", "died", "begun"],
)
async def test_an_engine_that_is_full_or_has_begun_is_not_one_that_is_down(
    fault: EngineFault, begins: bool, status: int
) -> None:
    async with serving() as (bridge, big, small):
        big.fails, big.begins = fault, begins
        assert said(await ask(bridge)) == status
        assert small.asked == []


@pytest.mark.promise("routes.in-its-own-name")
async def test_metrics_and_limits_are_those_of_the_model_that_answers() -> None:
    limits = (
        LimitRule("of the name", models=(OPUS,), requests_per_minute=1),
        LimitRule("of the other", models=("small",), requests_per_minute=2),
    )
    async with serving(limits=limits) as (bridge, big, _):
        statuses = [(await ask(bridge)).status for _ in range(2)]
        big.down = True
        statuses += [(await ask(bridge)).status for _ in range(3)]
        told = (await bridge.ask("GET", "/metrics", headers={"x-api-key": None})).body.decode()
    assert statuses == [200, 429, 200, 200, 429]
    assert 'antiphon_replies_total{model="small",end="end_turn"} 2' in told
    assert f'antiphon_replies_total{{model="{OPUS}",end="end_turn"}} 1' in told


@pytest.mark.promise("routes.in-its-own-name")
async def test_what_was_tried_in_vain_counts_against_no_limit() -> None:
    limits = (LimitRule("all", requests_per_minute=2, input_tokens_per_minute=1000),)
    async with serving(limits=limits) as (bridge, big, _):
        big.fails = EngineNotBegun("gone")
        answers = [await ask(bridge) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert answers[0].headers["anthropic-ratelimit-requests-remaining"] == "1"


@pytest.mark.promise("routes.in-its-own-name")
async def test_the_rules_are_those_of_the_name_that_was_asked_for() -> None:
    prefilled = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I"}]
    async with serving() as (bridge, big, _):
        big.down = True
        assert (await ask(bridge, messages=prefilled)).status == 400
        assert (await ask(bridge, "small", messages=prefilled)).status == 200


@pytest.mark.promise("routes.told")
async def test_health_says_who_answers_for_whom(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (bridge, big, small):
        for big.down, small.down, answers in ((False, False, "big"), (True, False, "small"), (True, True, None)):
            routes = (await bridge.ask("GET", "/health")).json["routes"]
            assert routes[OPUS] == {"models": ["big", "small"], "answers": answers}
        small.down = False
        await ask(bridge)
        big.down = False
        await ask(bridge)
    assert "small answers for big, which is down: it is being restarted" in caplog.text
    assert "big answers itself again, and no other model for it" in caplog.text


@pytest.mark.promise("routes.second-choice")
def test_the_documented_routes_are_read() -> None:
    text = DOCS.read_text("utf-8").partition("## A second choice")[2]
    toml = text.partition("```toml\n")[2].partition("```")[0]
    parsed = parse_settings({}, {}, tomllib.loads(toml))
    assert parsed.routes == {
        "claude-opus-4-8": ("large", "small"),
        "claude-sonnet-*": ("large", "small"),
        "large": ("large", "small"),
    }

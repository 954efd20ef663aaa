"""What is tried before an engine is used: each thing that is amiss is found, with the flag that mends it."""

from typing import Any

import pytest

from antiphon.engines.remote.endpoint import Finding, Findings
from antiphon.engines.remote.tokens.endpoint import TokenEndpoint
from antiphon.errors import EngineFault, EngineRefused, EngineUnavailable
from tests.engines.foreign import free_port
from tests.engines.token_engines.engine import endpoint
from tests.engines.token_engines.serving import PlayedEngine
from tests.engines.token_engines.sglang import PlayedSglang
from tests.engines.token_engines.vllm import PlayedVllm
from tests.engines.tokens.vocabularies import byte_level


async def learn(
    played: PlayedEngine, key: str | None = None, tokenizer: Any = None
) -> tuple[Findings, TokenEndpoint]:
    """What is found at it."""
    async with played:
        made = endpoint(played, key, tokenizer)
        try:
            return await made.learn(), made
        finally:
            await made.aclose()


def row(findings: Findings, subject: str) -> Finding:
    (found,) = [each for each in findings.rows if each.subject == subject]
    return found


async def test_an_engine_that_has_everything_is_found_whole():
    findings, made = await learn(PlayedVllm(window=512))
    assert findings.missing == ()
    assert all(each.holds and not each.remedy for each in findings.rows)
    assert (findings.engine, findings.version, made.dialect.name) == ("vllm", "0.32.0", "/inference/v1/generate")
    card = findings.card
    assert (card.name, card.window, card.eos_token, card.sees) == ("smollm2", 512, "<|im_end|>", False)
    assert card.chat_template
    assert "<|im_start|>" in card.special_tokens


@pytest.mark.parametrize("disjoint", [True, False])
async def test_sglang_is_found_whole_in_both_ways_to_stream(disjoint: bool):
    played = PlayedSglang(window=512)
    played.disjoint = disjoint
    findings, _ = await learn(played)
    assert findings.missing == ()
    assert (findings.engine, findings.version, findings.places) == ("sglang", "0.5.23", 8)
    assert findings.card.window == 512
    assert row(findings, "streams").holds == disjoint
    assert row(findings, "streams").remedy == ("" if disjoint else "--incremental-streaming-output")


@pytest.mark.parametrize(
    ("settings", "window"),
    [
        ({"speculative_algorithm": "EAGLE", "speculative_eagle_topk": 8, "speculative_num_steps": 5}, 512 + 6 - 40),
        ({"speculative_algorithm": "NEXTN", "speculative_num_draft_tokens": 64}, 512 + 6 - 64),
        ({"speculative_algorithm": "EAGLE3", "speculative_num_draft_tokens": 4}, 512),
        ({"speculative_algorithm": "NGRAM", "speculative_num_draft_tokens": 64}, 512),
        ({"max_req_input_len": None}, 512),
    ],
)
async def test_the_window_is_without_what_sglang_keeps_of_it(settings: dict[str, Any], window: int):
    played = PlayedSglang(window=512)
    played.settings = settings
    assert (await learn(played))[0].card.window == window


@pytest.mark.promise("remote-tokens.probes")
@pytest.mark.parametrize(
    ("settings", "subject", "remedy"),
    [
        pytest.param({"guidance": False}, "grammars", "--structured-outputs-config", id="another backend"),
        pytest.param(
            {"reasons": True, "scale_out": False}, "grammars", "--enable-scale-out", id="a reasoning parser"
        ),
        pytest.param({"details": False}, "cached tokens", "--enable-prompt-tokens-details", id="cached tokens"),
    ],
)
async def test_what_would_cost_a_guarantee_keeps_the_model_from_being_served(
    settings: dict[str, Any], subject: str, remedy: str
):
    played = PlayedVllm(window=512)
    for name, value in settings.items():
        setattr(played, name, value)
    findings, _ = await learn(played)
    assert [each.subject for each in findings.missing] == [subject]
    assert remedy in row(findings, subject).remedy


@pytest.mark.promise("remote-tokens.probes")
async def test_a_reasoning_parser_does_no_harm_where_it_can_be_told():
    played = PlayedVllm(window=512)
    played.reasons = True
    assert (await learn(played))[0].missing == ()


@pytest.mark.promise("remote-tokens.probes")
async def test_without_the_better_endpoint_the_other_is_used():
    played = PlayedVllm(window=512)
    played.scale_out = False
    findings, made = await learn(played)
    found = row(findings, "endpoint")
    assert (found.holds, found.needed, made.dialect.name) == (False, False, "/v1/completions")
    assert "Scale-out endpoints are disabled" in found.says
    assert "--enable-scale-out" in found.remedy
    assert "--enable-scale-out" in row(findings, "pictures").remedy
    assert findings.missing == ()


@pytest.mark.promise("remote-tokens.probes")
@pytest.mark.parametrize(
    ("settings", "subject", "remedy"),
    [
        pytest.param({"backend": "xgrammar"}, "grammars", "--grammar-backend llguidance", id="another backend"),
        pytest.param({"cuts": True}, "long prompts", "--allow-auto-truncate", id="cuts prompts"),
    ],
)
async def test_what_sglang_would_break_is_found(settings: dict[str, Any], subject: str, remedy: str):
    played = PlayedSglang(window=512)
    for name, value in settings.items():
        setattr(played, name, value)
    findings, _ = await learn(played)
    assert [each.subject for each in findings.missing] == [subject]
    assert remedy in row(findings, subject).remedy


@pytest.mark.promise("remote-tokens.probes")
@pytest.mark.parametrize("played", [PlayedVllm, PlayedSglang])
async def test_another_models_tokenizer_is_found_out(played: type[PlayedEngine]):
    findings, _ = await learn(played(window=512), tokenizer=byte_level())
    assert "tokenizer" in [each.subject for each in findings.missing]
    assert "--tokenizer" in row(findings, "tokenizer").remedy


@pytest.mark.parametrize("played", [PlayedVllm, PlayedSglang])
async def test_a_key_that_is_wrong_is_said(played: type[PlayedEngine]):
    assert (await learn(played(window=512, key="k"), "k"))[0].missing == ()
    with pytest.raises(EngineRefused, match="401"):
        await learn(played(window=512, key="k"), "other")


async def test_an_engine_that_is_full_or_away_may_be_asked_again():
    played = PlayedVllm(window=512)
    played.full = True
    with pytest.raises(EngineUnavailable, match="currently busy"):
        await learn(played)
    made = endpoint(PlayedVllm(port=free_port()))
    with pytest.raises(EngineUnavailable):
        await made.learn()
    await made.aclose()


async def test_a_model_is_known_by_what_the_engine_calls_it():
    async with PlayedVllm(window=512) as played:
        made = endpoint(played)
        before = await made.trace()
        played.name = "other"
        assert await made.trace() != before
        played.healthy = False
        with pytest.raises(EngineUnavailable):
            await made.trace()
        await made.aclose()


async def test_an_engine_that_says_no_window_cannot_be_used():
    played = PlayedVllm()
    played.window = None  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(EngineFault, match="max_model_len"):
        await learn(played)

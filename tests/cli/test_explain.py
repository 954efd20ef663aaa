"""`antiphon explain`."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from antiphon.cli.main import program
from antiphon.testing import engine_app
from tests.web.thinking_app import WatchedEngine

SCRIPT = '[[reply]]\ntext = "Hello."\n'
TOOL = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
REQUEST: dict[str, Any] = {
    "model": "claude-opus-4-8",
    "max_tokens": 100,
    "stop_sequences": ["END"],
    "system": [{"type": "text", "text": "You are brief.", "cache_control": {"type": "ephemeral"}}],
    "tools": [TOOL],
    "messages": [
        {"role": "user", "content": "Is <|im_end|> a token?"},
        {"role": "assistant", "content": "It is."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And"}, {"type": "text", "text": "<script>x</script>?"}],
        },
    ],
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANTIPHON_THINKING_KEYS", "k" * 43)
    monkeypatch.setenv("ANTIPHON_SERVER_TOOLS_DEFAULTS", "false")
    (tmp_path / "script.toml").write_text(SCRIPT)
    return tmp_path


def explain(request: Any, *arguments: str) -> Result:
    given = request if isinstance(request, str) else json.dumps(request)
    return CliRunner().invoke(program, ["explain", "--model", "script:script.toml", *arguments, "-"], input=given)


def explained(request: Any, *arguments: str) -> dict[str, Any]:
    done = explain(request, "--json", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["explanation"]


@pytest.mark.promise("explain.same-road")
async def test_the_prompt_is_the_one_that_the_model_gets() -> None:
    engine = WatchedEngine("script", SCRIPT)
    async with engine_app(engine) as app:
        await app.post(REQUEST)
    [generation] = engine.asked
    found = await _aside(REQUEST)
    assert "".join(stretch["text"] for stretch in found["stretches"]) == generation.prompt.text
    assert (
        sum(stretch["tokens"] for stretch in found["stretches"]) == found["tokens"] == len(generation.prompt.tokens)
    )
    assert found["grammar"] == generation.grammar is not None


@pytest.mark.promise("explain.header")
async def test_a_running_server_says_the_same() -> None:
    async with engine_app(WatchedEngine("script", SCRIPT)) as app:
        answer = await app.post(REQUEST, headers={"antiphon-debug": "explain"})
    assert answer.json["explanation"] == await _aside(REQUEST)


@pytest.mark.promise("explain.stretches")
def test_what_a_user_writes_is_told_from_control_tokens_and_template() -> None:
    found = explained(REQUEST)
    told = [(stretch["kind"], stretch["path"], stretch["text"]) for stretch in found["stretches"]]
    assert ("block", "messages.0.content.0", "Is <|im_end|> a token?") in told
    assert ("block", "system.0", "You are brief.") in told
    assert ("block", "messages.2.content.1", "<script>x</script>?") in told
    assert [text for kind, _, text in told if kind == "control"][:3] == ["<|im_start|>", "<|im_end|>", "<|im_start|>"]
    assert {stretch["tokens"] for stretch in found["stretches"] if stretch["kind"] == "control"} == {1}
    assert found["by_block"]["messages.1.content.0"] == 3
    assert any(path == "tools.0" and "Tells the weather." in text for _, path, text in told)


@pytest.mark.promise("explain.stretches")
def test_a_picture_is_a_stretch_of_its_own() -> None:
    file = io.BytesIO()
    Image.new("RGB", (56, 28)).save(file, "PNG")
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(file.getvalue()).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    found = explained({**REQUEST, "messages": [{"role": "user", "content": content}]})
    [picture] = [stretch for stretch in found["stretches"] if stretch["kind"] == "picture"]
    assert (picture["path"], picture["text"], picture["tokens"]) == ("messages.0.content.0", "[picture 56x28]", 2)


@pytest.mark.promise("explain.bounds")
def test_what_bounds_the_reply_is_named() -> None:
    thinking = {"type": "enabled", "budget_tokens": 2000}
    asked = {**REQUEST, "model": "claude-haiku-4-5", "max_tokens": 3000, "thinking": thinking}
    done = explain(asked)
    assert "claude-haiku-4-5 is answered by script, of the family universal." in done.stdout
    assert "Thinking: at most 2000 tokens." in done.stdout
    assert "The reply stops at: 'END'." in done.stdout
    assert "Cache mark at system.0, for 300 s: nothing" in done.stdout
    long = {**REQUEST, "system": [{**REQUEST["system"][0], "text": "word " * 5000}]}
    [mark] = explained(long)["marks"]
    assert (mark["path"], mark["seconds"]) == ("system.0", 300)
    assert mark["tokens"] > 5000
    cool = {**REQUEST, "model": "claude-haiku-4-5", "temperature": 0.5}
    assert "Sampling: temperature 0.5." in explain(cool).stdout
    compact = {**REQUEST, "compaction": {"type": "summarize"}}
    del compact["stop_sequences"]
    assert explained(compact, "--beta", "compact-2026-09-04")["summary"] == "alone"


@pytest.mark.promise("explain.refusals")
@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({**REQUEST, "max_tokens": 0.5}, "400 invalid_request_error: max_tokens: "),
        ({**REQUEST, "model": "no-such-model"}, "404 not_found_error: model: no-such-model"),
        ("{", "400 invalid_request_error: "),
    ],
    ids=["a value", "a model", "no JSON"],
)
def test_a_refusal_is_the_clients(request_: Any, said: str) -> None:
    done = explain(request_)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"Not answered: {said}")
    told = json.loads(explain(request_, "--json").stdout)
    assert (told["answered"], told["explanation"]) == (False, None)
    assert said.startswith(f"{told['error']['status']} {told['error']['type']}: ")


@pytest.mark.promise("explain.refusals")
def test_what_only_the_api_itself_refuses_is_answered_and_said() -> None:
    done = explain(REQUEST, "--beta", "no-such-beta-2030-01-01")
    assert done.exit_code == 0
    assert (
        "the API itself would refuse it: 400 invalid_request_error: Unexpected value(s) `no-such-beta" in done.stdout
    )
    assert json.loads(explain(REQUEST, "--json").stdout)["error_at_the_api"] is None


@pytest.mark.promise("explain.page")
def test_the_page_has_no_markup_of_the_requests(folder: Path) -> None:
    done = explain(REQUEST, "--html", "page.html")
    assert (done.exit_code, done.stdout) == (0, "")
    text = (folder / "page.html").read_text()
    assert "&lt;script&gt;x&lt;/script&gt;?" in text
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert 'title="messages.1.content.0: 3 tokens"' in text
    assert explain(REQUEST, "--html", "gone/page.html").exit_code == 2


async def _aside(request: Any) -> dict[str, Any]:
    """`explained` beside the loop of a test."""
    import asyncio

    return await asyncio.to_thread(explained, request)

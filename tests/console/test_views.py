"""All views but the playground, by clicking, in a real browser."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FilePayload, Page, expect

from antiphon.config import StoreSettings
from antiphon.testing import Bridge
from tests.console.browser import MODEL, Chromium, console_of, explain_with

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRETCHES = [
    {"kind": "control", "text": "<|im_start|>", "tokens": 1, "path": ""},
    {"kind": "template", "text": "user\n", "tokens": 2, "path": ""},
    {"kind": "block", "text": "Is <b> a token?\u202e", "tokens": 6, "path": "messages.0.content.0"},
    {"kind": "picture", "text": "[picture 64x64]", "tokens": 9, "path": "messages.0.content.1"},
]
EXPLAINED = {
    "answered": True,
    "error": None,
    "error_at_the_api": {"status": 400, "type": "invalid_request_error", "message": "Not there."},
    "warnings": ["something"],
    "explanation": {
        "model": MODEL,
        "name": "mine",
        "family": "hermes",
        "window": 8192,
        "tokens": 18,
        "max_tokens": 50,
        "stop_sequences": ["END"],
        "budget": 1024,
        "sampling": {"temperature": 0.5, "top_p": None, "top_k": None},
        "stretches": STRETCHES,
        "placed": True,
        "marks": [{"path": "system", "seconds": 300, "tokens": None}],
        "grammar": "start: TEXT",
        "summary": None,
        "context_management": None,
        "by_block": {"": 3, "messages.0.content.0": 6, "messages.0.content.1": 9},
    },
}


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def make_batch(bridge: Bridge, *texts: str) -> str:
    params: dict[str, Any] = {"model": MODEL, "max_tokens": 50}
    requests = [
        {"custom_id": f"no-{at}", "params": {**params, "messages": [{"role": "user", "content": text}]}}
        for at, text in enumerate(texts)
    ]
    answer = await bridge.ask("POST", "/v1/messages/batches", {"requests": requests})
    assert answer.status == 200, answer.body
    return answer.json["id"]


async def rows(page: Page, name: str) -> list[list[str]]:
    """The texts of a table, its head first."""
    found = page.get_by_role("region", name=name, exact=True).get_by_role("row")
    await expect(found.first).to_be_visible()
    return [await row.locator("th, td").all_inner_texts() for row in await found.all()]


@pytest.mark.promise("console.explain")
async def test_the_prompt_of_the_playgrounds_request_is_shown_stretch_by_stretch(browser: Chromium) -> None:
    async with console_of(browser) as console:
        asked = await explain_with(console.page, EXPLAINED)
        await console.go("Explain")
        await console.press("Explain the request")
        await expect(console["explain-failed"]).to_contain_text("write a message in the playground")
        await console.go("Playground")
        await console["model"].select_option(MODEL)
        await console["message"].fill("Is <b> a token?")
        await console.go("Explain")
        await console.press("Explain the request")
        await expect(console["explained"].locator(".prompt span")).to_have_text(
            ["<|im_start|>", "user⏎\n", r"Is <b> a token?\u202e", "[picture 64x64]"]
        )
        assert [each["messages"] for each in asked] == [[{"role": "user", "content": "Is <b> a token?"}]]
        for told in (
            f"{MODEL} is answered by mine, of the family hermes.",
            "The prompt has 18 of 8,192 tokens; the reply may have 50.",
            "Answered here; the API itself would refuse it: 400 invalid_request_error: Not there.",
            "Cache mark at system, for 300 s: nothing",
            "start: TEXT",
        ):
            await expect(console["explained"]).to_contain_text(told)
        assert (await rows(console.page, "Tokens of each block"))[1:] == [
            ["template and control tokens", "3"],
            ["messages.0.content.0", "6"],
            ["messages.0.content.1", "9"],
        ]


@pytest.mark.promise("console.explain")
async def test_the_servers_own_explanation_is_shown_and_no_model_is_asked(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console["model"].select_option(MODEL)
        await console["system"].fill("Be brief.")
        await console["message"].fill("Is <|im_end|> a token?")
        await console.go("Explain")
        await console.press("Explain the request")
        spans = console["explained"].locator(".prompt span")
        await expect(spans).not_to_have_count(0)
        assert "".join(await spans.all_text_contents()).replace("⏎\n", "\n") == (
            "<|im_start|>system\nBe brief.<|im_end|>\n"
            "<|im_start|>user\nIs <|im_end|> a token?<|im_end|>\n<|im_start|>assistant\n"
        )
        await expect(spans.filter(has_text="Is <|im_end|> a token?")).to_have_class("block1")
        await expect(console["explained"]).to_contain_text(
            f"{MODEL} is answered by scripted, of the family universal."
        )
        metrics = (await console.bridge.ask("GET", "/metrics")).body.decode()
        assert "antiphon_replies_total{" not in metrics
        await console.go("Playground")
        await console["further"].fill('{"temperature": 7}')
        await console.go("Explain")
        await console.press("Explain the request")
        await expect(console["explain-failed"]).to_contain_text("400 invalid_request_error: temperature")


@pytest.mark.promise("console.views")
async def test_models_and_engines_are_listed_as_the_server_tells_of_them(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console.go("Models")
        await expect(console["model-list"]).to_contain_text(MODEL)
        assert (await rows(console.page, "Engines"))[1][:2] == ["scripted", "ready"]
        [told] = [row for row in await rows(console.page, "Names that requests may use") if row[0] == MODEL]
        assert told[2:] == ["deprecated", "200,000", "64,000", "enabled, disabled", "yes"]


@pytest.mark.promise("console.views")
async def test_the_cache_tells_what_prompts_with_marks_found(browser: Chromium) -> None:
    marked: dict[str, Any] = {"type": "text", "text": "word " * 5000, "cache_control": {"type": "ephemeral"}}
    body = {"model": MODEL, "max_tokens": 50, "system": [marked], "messages": [{"role": "user", "content": "Hi"}]}
    async with console_of(browser) as console:
        for _ in range(3):
            assert (await console.bridge.post(body)).status == 200
        await console.page.reload()
        await console.go("Cache")
        await expect(console["cached"].get_by_role("table").first).to_be_visible()
        _, told = await rows(console.page, "Prompts with marks")
        assert told[:3] == [MODEL, "2", "1"]
        read, written = (int(text.replace(",", "")) for text in told[3:5])
        assert read == 2 * written > 5000


@pytest.mark.promise("console.views")
async def test_batches_are_followed_shown_saved_canceled_and_deleted(browser: Chromium, tmp_path: Path) -> None:
    async with console_of(browser, stores=StoreSettings(data=str(tmp_path)), drain_timeout=0.0) as console:
        done, open_ = await make_batch(console.bridge, "Hi", "Hi"), await make_batch(console.bridge, "Hi", "late")
        await console.go("Batches")
        card = console["batch-list"].get_by_role("listitem").filter(has_text=done)
        other = console["batch-list"].get_by_role("listitem").filter(has_text=open_)
        await expect(card).to_contain_text("2 of 2: 2 succeeded")
        await expect(other).to_contain_text("1 of 2: 1 succeeded")
        await expect(other.get_by_role("progressbar")).to_have_attribute("value", "1")
        await card.get_by_role("button", name="Show results").click()
        await expect(console["batch-results"].get_by_role("heading")).to_be_focused()
        assert sorted((await rows(console.page, "Results"))[1:]) == [
            ["no-0", "succeeded", "Hello there."],
            ["no-1", "succeeded", "Hello there."],
        ]
        async with console.page.expect_download() as download:
            await card.get_by_role("button", name="Save results").click()
        assert (await download.value).suggested_filename == f"{done}.jsonl"
        lines = lines_of(await (await download.value).path())
        assert {line["custom_id"] for line in lines} == {"no-0", "no-1"}
        await card.get_by_role("button", name="Delete").click()
        await expect(console["question"]).to_contain_text(f"{done} and its results are gone then.")
        await expect(console["question-no"]).to_be_focused()
        await console.page.keyboard.press("Escape")
        await expect(card).to_have_count(1)
        await card.get_by_role("button", name="Delete").click()
        await console.press("Delete the batch")
        await expect(card).to_have_count(0)
        await other.get_by_role("button", name="Cancel").click()
        await console.press("Cancel the batch")
        await expect(other).to_contain_text("canceling")


@pytest.mark.promise("console.views")
async def test_files_are_uploaded_with_their_progress_listed_and_deleted(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console.go("Files")
        await expect(console["file-list"]).to_have_text("There are no files of this key.")
        shares = await console.page.evaluate_handle("""() => {
            const seen = [];
            const bar = document.getElementById("upload-progress");
            new MutationObserver(() => seen.push([bar.hidden, bar.value])).observe(bar, { attributes: true });
            return seen;
        }""")
        given: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"word " * 40_000}
        await console["upload-file"].set_input_files(given)
        await console.press("Upload")
        await expect(console["files-said"]).to_have_text("notes.txt is uploaded.")
        seen = await shares.json_value()
        assert [seen[0], seen[-1]] == [[False, 0], [True, 1]]
        _, told = await rows(console.page, "Files that are kept")
        assert [told[0], *told[2:4]] == ["notes.txt", "text/plain", "200\u00a0kB"]
        await console.press("Delete notes.txt")
        await console.press("Delete the file")
        await expect(console["file-list"]).to_have_text("There are no files of this key.")
        assert (await console.bridge.ask("GET", "/v1/files")).json["data"] == []


@pytest.mark.promise("console.traffic")
async def test_traffic_is_drawn_told_in_words_and_paused(browser: Chromium) -> None:
    async with console_of(browser, clock=True) as console:
        await console.go("Traffic")
        await expect(console["totals"].get_by_role("table")).to_be_visible()
        await console.say_by_api("Hello", "break")
        await console.page.clock.run_for(2500)
        chart = console.page.get_by_role("figure").filter(has_text="Tokens a second")
        image = chart.get_by_role("img")
        await expect(image).to_have_attribute(
            "aria-label", re.compile(r"now in (?!0,)[\d.]+, out (?!0,)[\d.]+, at most")
        )
        await expect(chart.locator("circle").first).to_be_visible()
        await console.page.clock.run_for(2500)
        await expect(image).to_have_attribute("aria-label", re.compile(r"now in 0, out 0, at most [1-9]"))
        await expect(chart.locator("path.line0")).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+L[\d.]+ [\d.]+"))
        await chart.get_by_text("As a table").click()
        head, now, before = (await rows(console.page, "Tokens a second"))[:3]
        assert (head, now) == (["When", "in", "out"], ["0 s ago", "0", "0"])
        assert float(before[2]) > 0
        errors = console.page.get_by_role("figure").filter(has_text="Errors a second").get_by_role("img")
        await expect(errors).to_have_attribute("aria-label", re.compile(r"broken off 0, at most 0\.\d+"))
        [*_, told] = await rows(console.page, "Since the server's start")
        assert told[:2] == ["scripted", "0"]
        await console.press("Pause")
        await expect(console["watch-says"]).to_have_text("Paused.")
        looks = len(console.sent("/metrics", "GET"))
        await console.page.clock.run_for(10_000)
        assert len(console.sent("/metrics", "GET")) == looks > 2


@pytest.mark.promise("console.traffic")
async def test_who_may_not_read_the_metrics_is_told_what_it_takes_and_is_not_asked_again(browser: Chromium) -> None:
    async with console_of(browser, clock=True, metrics_keys=("metrics",)) as console:
        await console.go("Traffic")
        await expect(console["traffic-failed"]).to_contain_text(
            "401 authentication_error: x-api-key header is required"
        )
        await expect(console["traffic-failed"]).to_contain_text("a key of metrics_keys, or an admin key")
        await console.page.clock.run_for(10_000)
        assert len(console.sent("/metrics", "GET")) == 1

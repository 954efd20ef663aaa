"""The playground, by clicking, in a real browser."""

import base64
import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.browser import KEY, MODEL, TOOLS, Chromium, console_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.mark.promise("console.playground", "console.events")
async def test_a_conversation_is_streamed_with_its_events_beside_it(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console["system"].fill("Be brief.")
        await console["max-tokens"].fill("50")
        await console["message"].fill("Hello")
        await console["message"].press("Control+Enter")
        turns = console["turns"].get_by_role("listitem")
        await expect(turns).to_have_count(2)
        await expect(turns.nth(1)).to_contain_text("Hello there.")
        await expect(turns.nth(1)).to_contain_text(re.compile(r"end_turn · \d+ tokens in · \d+ tokens out"))
        names = await console["events"].locator("b").all_inner_texts()
        assert names[0] == "message_start"
        assert names[-2:] == ["message_delta", "message_stop"]
        offsets = [float(each[1:-2]) for each in await console["events"].locator(".offset").all_inner_texts()]
        assert len(offsets) == len(names)
        assert offsets == sorted(offsets)
        await expect(console["stream-says"]).to_have_text(re.compile(rf"{len(names)} events in .* s, ended"))
        await expect(console["spoken"]).to_have_text(re.compile(r"Hello there\. The reply has ended: end_turn"))
        await console.say("And again")
        first, second = console.sent("/v1/messages")
        assert (first["system"], first["max_tokens"], first["stream"]) == ("Be brief.", 50, True)
        assert second["messages"] == [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello there."}]},
            {"role": "user", "content": "And again"},
        ]
        await console.press("Take back")
        await expect(console["message"]).to_have_value("And again")
        await console.press("Clear")
        await expect(turns).to_have_count(0)


@pytest.mark.promise("console.playground")
async def test_thinking_is_folded_and_what_a_model_writes_is_text(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console["model"].select_option(MODEL)
        assert await console["thinking"].locator("option").all_inner_texts() == ["Default", "Budget", "Off"]
        await console["thinking"].select_option("enabled")
        await console["budget"].fill("2000")
        await console.say("code")
        thought = console["turns"].get_by_text("They want <b>code</b>.")
        await expect(thought).to_be_hidden()
        await console["turns"].get_by_text("Thinking, 3 words").click()
        await expect(thought).to_be_visible()
        await expect(console["turns"].locator("code")).to_have_text('print("<b>bold</b>")')
        await expect(console["turns"]).to_contain_text("<img src=x onerror=alert(1)> is text.")
        assert await console["turns"].locator("b, img").count() == 0
        await console.say("More")
        [first, second] = console.sent("/v1/messages")
        assert first["thinking"] == {"type": "enabled", "budget_tokens": 2000, "display": "summarized"}
        kept = second["messages"][1]["content"]
        assert [block["type"] for block in kept] == ["thinking", "text"]
        assert kept[0]["signature"]
        await expect(console["failed"]).to_be_empty()


@pytest.mark.promise("console.playground")
async def test_tools_are_called_and_answered_by_hand(browser: Chromium) -> None:
    async with console_of(browser) as console:
        for wrong, told in (("[{", "This is no JSON"), ("{}", "a list of tools"), ("[{}]", "Tool 1 has neither")):
            await console["tools"].fill(wrong)
            await console.say("What is the weather?")
            await expect(console["tools-wrong"]).to_contain_text(told)
            await expect(console["tools"]).to_be_focused()
        await console["tools"].fill(json.dumps(TOOLS))
        await console["further"].fill('{"stop_sequences": ["END"]}')
        await console.press("Send")
        await expect(console["turns"].locator(".call")).to_contain_text('"location": "Paris"')
        result = console.page.get_by_label("What get_weather answers")
        await expect(result).to_be_focused()
        await result.fill("Sunny")
        await console.page.get_by_label("It is an error").check()
        await console.press("Send results")
        await expect(console["turns"]).to_contain_text("Take a hat.")
        [first, second] = console.sent("/v1/messages")
        assert (first["tools"], first["stop_sequences"]) == (TOOLS, ["END"])
        [call] = [block for block in second["messages"][1]["content"] if block["type"] == "tool_use"]
        answer = {"type": "tool_result", "tool_use_id": call["id"], "content": "Sunny", "is_error": True}
        assert second["messages"][2] == {"role": "user", "content": [answer]}
        await expect(result).to_have_count(0)


@pytest.mark.promise("console.playground")
async def test_pictures_are_chosen_pasted_and_dropped(browser: Chromium, tmp_path: Path) -> None:
    async with console_of(browser) as console:
        await console["picture"].set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": PIXEL})
        paste = """([data, kind, name]) => {
            const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], "other.png", { type: "image/png" }));
            const given = name === "paste" ? { clipboardData: files } : { dataTransfer: files };
            const made = name === "paste" ? ClipboardEvent : DragEvent;
            document.getElementById("message").dispatchEvent(new made(name, { ...given, bubbles: true, cancelable: true }));
        }"""
        for number, name in enumerate(("paste", "drop"), 2):
            await console.page.evaluate(paste, [base64.b64encode(PIXEL).decode(), "image/png", name])
            await expect(console["pictures"].get_by_role("img")).to_have_count(number)
        await console.page.get_by_role("button", name="Remove dot.png").click()
        await console["picture"].set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"text"})
        await expect(console["failed"]).to_have_text("a.txt is no JPEG, PNG, GIF or WebP.")
        await console.say("What is this image?")
        await expect(console["turns"]).to_contain_text("A picture.")
        await expect(console["turns"].get_by_role("img")).to_have_count(2)
        [sent] = console.sent("/v1/messages")
        data = base64.b64encode(PIXEL).decode()
        picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
        text = {"type": "text", "text": "What is this image?"}
        assert sent["messages"] == [{"role": "user", "content": [picture, picture, text]}]


@pytest.mark.promise("console.playground")
async def test_a_reply_is_stopped_and_what_had_come_stays(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console.say("slowly", waits=False)
        await expect(console["turns"]).to_contain_text("One.")
        await expect(console["send"]).to_be_disabled()
        await console.page.keyboard.press("Escape")
        await expect(console["turns"]).to_contain_text("stopped; only the text stays")
        await expect(console["failed"]).to_be_empty()
        await console.say("Hello")
        assert console.sent("/v1/messages")[1]["messages"][1] == {
            "role": "assistant",
            "content": [{"type": "text", "text": "One."}],
        }
        await console.say("late", waits=False)
        await console.press("Stop")
        await expect(console["message"]).to_have_value("late")
        await expect(console["turns"].get_by_role("listitem")).to_have_count(4)


@pytest.mark.promise("console.playground")
async def test_errors_are_told_in_the_apis_words_with_the_requests_id(browser: Chromium) -> None:
    async with console_of(browser) as console:
        await console["further"].fill('{"temperature": 7}')
        await console.say("Hello")
        words = r"400 invalid_request_error: temperature: .* \(req_\w+\)"
        await expect(console["failed"]).to_have_text(re.compile(words))
        await expect(console["message"]).to_have_value("Hello")
        await expect(console["turns"].get_by_role("listitem")).to_have_count(0)
        await console["further"].fill("")
        await console.say("break")
        await expect(console["turns"]).to_contain_text("broken off")
        await expect(console["failed"]).to_have_text(re.compile(r"\w+_error: .* \(req_\w+\)"))
        assert (await console["events"].locator("b").all_inner_texts())[-1] == "error"


@pytest.mark.promise("console.keys")
async def test_the_key_is_typed_in_kept_for_the_tab_and_sent_to_the_server(browser: Chromium) -> None:
    async with console_of(browser, api_keys=(KEY,), metrics_keys=("metrics",), start=False) as console:
        await expect(console["keys"]).to_be_visible()
        await expect(console["key-api"]).to_be_focused()
        await console["key-api"].fill("wrong")
        await console.press("Use these")
        await expect(console["failed"]).to_contain_text("401 authentication_error: invalid x-api-key")
        await console["open-keys"].click()
        await console["key-api"].fill(KEY)
        await console["key-metrics"].fill("metrics")
        await console["key-metrics"].press("Enter")
        await expect(console["model"].locator("option")).not_to_have_count(0)
        await expect(console["failed"]).to_be_empty()
        await console.go("Traffic")
        await expect(console["totals"].get_by_role("table")).to_be_visible()
        await console.page.reload()
        await console.go("Models")
        await expect(console["model-list"]).to_contain_text(MODEL)
        shown = {await each.header_value("x-api-key") for each in console.asked if each.url.endswith("/metrics")}
        assert shown == {None, "wrong", "metrics"}
        kept = await console.page.evaluate("[Object.values(sessionStorage), localStorage.length, document.cookie]")
        assert [sorted(kept[0]), *kept[1:]] == [sorted([KEY, "metrics"]), 0, ""]

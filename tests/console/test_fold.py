"""What the console's modules read out of streams on record, beside what the official SDK does."""

from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

from tests.console.browser import Chromium, console_of
from tests.stream import golden_cases

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOLDEN = Path(golden_cases.__file__).parent / "golden"
STREAMS = (
    *("text", "thinking", "thinking_redacted", "thinking_and_tool_call", "parallel_tool_calls", "server_tool"),
    *("citations", "pause_turn", "stop_sequence", "max_tokens", "nothing"),
)
READ = """async ([text, size]) => {
    const { eventsOf } = await import("/console/sse.js");
    const { Fold } = await import("/console/fold.js");
    const bytes = new TextEncoder().encode(text);
    const body = new ReadableStream({
        start(into) {
            for (let at = 0; at < bytes.length; at += size) into.enqueue(bytes.slice(at, at + size));
            into.close();
        },
    });
    const events = [];
    const fold = new Fold();
    for await (const { event, data } of eventsOf(body)) {
        events.push([event, data]);
        if (data.startsWith("{")) fold.feed(JSON.parse(data));
    }
    return { events, message: fold.message, cut: [...fold.cut].map(({ name }) => name) };
}"""


def on_record(name: str) -> str:
    return (GOLDEN / f"{name}.sse").read_text(encoding="utf-8")


def by_the_sdk(text: str) -> dict[str, Any]:
    """The message that the SDK makes of a stream."""
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, text=text))
    with (
        httpx2.Client(transport=transport) as http,
        anthropic.Anthropic(api_key="none", base_url="http://test", http_client=http) as client,
        client.messages.stream(
            model="claude-opus-4-8", max_tokens=50, messages=[{"role": "user", "content": "Hi"}]
        ) as stream,
    ):
        return stream.get_final_message().to_dict(mode="json", exclude_unset=True)


@pytest.mark.promise("console.playground")
async def test_the_console_folds_streams_as_the_sdk_does_wherever_they_are_cut(browser: Chromium) -> None:
    async with console_of(browser) as console:
        for number, name in enumerate(STREAMS):
            text = on_record(name)
            read = await console.page.evaluate(READ, [text, 1 + number * 3])
            told, message = by_the_sdk(text), read["message"]
            assert message["content"] == told["content"], name
            assert (message["stop_reason"], message["stop_sequence"]) == (told["stop_reason"], told["stop_sequence"])
            assert message["usage"]["output_tokens"] == told["usage"]["output_tokens"]
            assert len(read["events"]) == text.count("\n\n")


@pytest.mark.promise("console.playground")
async def test_a_call_that_broke_off_is_known_as_one(browser: Chromium) -> None:
    async with console_of(browser) as console:
        read = await console.page.evaluate(READ, [on_record("max_tokens_in_a_call"), 64])
        assert (read["message"]["stop_reason"], len(read["cut"])) == ("max_tokens", 1)


@pytest.mark.promise("console.events")
async def test_events_are_read_with_any_ends_of_lines_and_cut_within_a_letter(browser: Chromium) -> None:
    stream = "event: one\ndata: ü€𝄞\n\n: a comment\n\ndata:a\ndata: b\n\nevent: last\ndata: x\n\ndata: lost"
    wanted = [["one", "ü€𝄞"], ["message", "a\nb"], ["last", "x"]]
    async with console_of(browser) as console:
        for ends in ("\n", "\r\n", "\r"):
            for size in (1, 2, 3, 1000):
                read = await console.page.evaluate(READ, [stream.replace("\n", ends), size])
                assert read["events"] == wanted, (ends, size)

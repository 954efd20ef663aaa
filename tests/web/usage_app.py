"""An app whose use is counted, and a tally of what its clients are told."""

from dataclasses import dataclass, field
from typing import Any

from antiphon.ports.usage import Tokens
from antiphon.testing.bridge import Answer
from tests.web.searching_app import says, search
from tests.web.test_keys import App

Json = dict[str, Any]

USAGE, COST = "/v1/organizations/usage_report/messages", "/v1/organizations/cost_report"
OPUS, HAIKU = "claude-opus-4-8", "claude-haiku-4-5-20251001"
DAY = "starting_at=2026-02-02T00:00:00Z"
"""The day of the tests' clock."""

SCRIPT = (
    says("They talked.", "write a summary of this whole conversation")
    + "[[reply]]\nmatch = '^slow$'\nchunks = ['a', ' b', ' c', ' d', ' e']\nhang = true\nafter_chunks = 4\n"
    + "[[reply]]\nmatch = '^dies$'\nchunks = ['a', ' b', ' c']\nfail = 'died'\nafter_chunks = 2\n"
    + says(search("cats"), "^find$", times=1)
    + says("One two three four.")
)


def body(content: Any = "Hi", model: str = OPUS, **more: Any) -> Json:
    """A request."""
    return {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": content}], **more}


def counted(usage: Json) -> Tokens:
    """What a reply says that it came to, summaries included."""
    parts = [usage, *(one for one in usage.get("iterations", ()) if one["type"] == "compaction")]
    total = Tokens(searches=usage.get("server_tool_use", {}).get("web_search_requests", 0))
    for part in parts:
        kept = part["cache_creation"]
        brief, lasting = kept["ephemeral_5m_input_tokens"], kept["ephemeral_1h_input_tokens"]
        read, output = part["cache_read_input_tokens"], part["output_tokens"]
        total += Tokens(part["input_tokens"], read, brief, lasting, output)
    return total


def usage_of(answer: Answer) -> Json:
    """The usage that a reply of either kind has told of in the end."""
    assert answer.status == 200, answer.body
    if "event-stream" not in answer.headers["content-type"]:
        return answer.json["usage"]
    events = {event["type"]: event for event in answer.events}
    return {**events["message_start"]["message"]["usage"], **events["message_delta"]["usage"]}


def reported(result: Json) -> Tokens:
    """The counts of a report's result."""
    kept = result["cache_creation"]
    return Tokens(
        result["uncached_input_tokens"],
        result["cache_read_input_tokens"],
        kept["ephemeral_5m_input_tokens"],
        kept["ephemeral_1h_input_tokens"],
        result["output_tokens"],
        result["server_tool_use"]["web_search_requests"],
    )


@dataclass
class Tally:
    """Asks an app, and sums up what its replies say they came to."""

    server: App
    key: str | None = None
    told: Tokens = field(default_factory=Tokens)

    async def post(self, asked: Json, *betas: str) -> Answer:
        """A request that is answered."""
        headers = {"x-api-key": self.key, "anthropic-beta": ",".join(betas) or None}
        answer = await self.server.bridge.post(asked, headers=headers)
        self.told += counted(usage_of(answer))
        return answer


async def report(server: App, admin: str | None, query: str = DAY, path: str = USAGE, **headers: str) -> Json:
    """A report that nothing is wrong with."""
    answer = await asked(server, admin, query, path, **headers)
    assert answer.status == 200, answer.body
    return answer.json


async def asked(server: App, admin: str | None, query: str, path: str = USAGE, **headers: str) -> Answer:
    """What a report comes to."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await server.bridge.ask("GET", path, headers={"x-api-key": admin, **named}, query=query)


def results(found: Json) -> list[Json]:
    """All results of a report."""
    return [result for bucket in found["data"] for result in bucket["results"]]

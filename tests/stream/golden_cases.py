"""The replies whose bytes are on record in `golden/`: what the model writes, and the request that it is asked by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.config import TurnLimits
from antiphon.ports.server_tools import ServerCall, ServerResult, ServerTool
from antiphon.request.told.thinking import REDACTED_TEST_TEXT
from antiphon.seals import Sealed, Seals, Thought
from tests.service.server_tools import ScriptedTool, hit
from tests.web.searching_app import LOOK, SEARCH, invoke, says, search, section
from tests.web.thinking_app import OPENED, ThinkingApp

Json = dict[str, Any]

SILENCE = 3600.0
"""Seconds before a ping: how fast the machine is must not be on record."""
THINKS: Json = {"type": "enabled", "budget_tokens": 2000}
COMPACT = "compact-2026-01-12"
WEATHER: Json = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
}


class PlainSeals(Seals):
    """Seals that work, under names: the files are to show what travels, not how a thought is enciphered."""

    def __init__(self) -> None:
        super().__init__([bytes(range(32))])
        self._real: dict[str, str] = {}

    def _close(self, thought: Thought, nonce: bytes, domain: Any) -> str:
        name = f"sealed-{domain.decode()}-{len(self._real) + 1}"
        self._real[name] = super()._close(thought, nonce, domain)
        return name

    def _open(self, text: str, domain: Any) -> Sealed | None:
        return super()._open(self._real.get(text, text), domain)


@dataclass(frozen=True)
class Case:
    """A kind of reply. `chunks`: how the model's text arrives, where it is one rule's. `asks`: what the request says
    beyond the least; `options`: the server's settings."""

    name: str
    script: str
    asks: Json = field(default_factory=dict[str, Any])
    content: str = "Tell me."
    history: Sequence[Json] = ()
    betas: Sequence[str] = ()
    runs: Sequence[ServerTool] = ()
    options: Json = field(default_factory=dict[str, Any])

    async def record(self) -> bytes:
        """The body of the reply, as it is sent."""
        request: Json = {
            "model": "claude-opus-4-5-20251101",
            "max_tokens": 4000,
            "stream": True,
            "messages": [*self.history, {"role": "user", "content": self.content}],
            **self.asks,
        }
        options: Json = {"ping_after": SILENCE, **self.options}
        async with ThinkingApp(self.script, seals=PlainSeals(), runs=self.runs, **options) as app:
            answer = await app.post(request, *self.betas)
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        return answer.body


def arrives(*chunks: str, more: str = "") -> str:
    """The rule of a reply that comes in these pieces."""
    return f"[[reply]]\nchunks = {json.dumps(chunks)}\n{more}\n"


def thinks(*chunks: str) -> str:
    """The rule of a thought that comes in these pieces."""
    return arrives(*chunks, "\n</thinking>", more=f"prompt = {OPENED}")


async def finds_two(call: ServerCall) -> ServerResult:
    """Two pages, the same whatever is asked."""
    pages = [
        hit(text="Dogs bark a lot. Cats purr when they are content. Fish say nothing."),
        hit("https://b.example/", "Fish are silent. Birds sing.", "Fish"),
    ]
    return ServerResult(pages, {"web_search_requests": 1})


THOUGHT = thinks("Let me see.", "\nTwo and two", " are four.")
FOUR = arrives("It is ", "four.")
LOOKS = invoke("look")
ASKS_WEATHER = (
    'I will look.\n<function_calls>\n<invoke name="get_weather">\n<parameter name="city">San "F"',
    'rancisco — 旧金山</parameter>\n<parameter name="days">3',
    "</parameter>\n</invoke>\n</function_calls>",
)
SEARCHES = says(f"Let me look.\n\n{search('cats')}", "Tell me")
CITES = says(
    'So: <cite search_result="1">content cats purr</cite> <cite search_result="2">and fish are silent</cite>.',
    "Cats purr",
)
LONG = "word " * 30_000
LONG_HISTORY = ({"role": "user", "content": LONG}, {"role": "assistant", "content": LONG})
EDIT: Json = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": 50_000}}

CASES = (
    Case("text", arrives("Hello", " there,", " 世界 \u2028 and goodbye.")),
    Case("thinking", THOUGHT + FOUR, {"thinking": THINKS}),
    Case("thinking_omitted", THOUGHT + FOUR, {"thinking": {**THINKS, "display": "omitted"}}),
    Case("thinking_redacted", THOUGHT + FOUR, {"thinking": THINKS}, content=REDACTED_TEST_TEXT),
    Case("tool_call", arrives(*ASKS_WEATHER), {"tools": [WEATHER]}),
    Case(
        "parallel_tool_calls",
        says(section(invoke("get_weather", city="Rome"), invoke("get_weather", city="Oslo"))),
        {"tools": [WEATHER]},
    ),
    Case("thinking_and_tool_call", THOUGHT + arrives(*ASKS_WEATHER), {"thinking": THINKS, "tools": [WEATHER]}),
    Case("server_tool", says("Both purr.", "All about cats") + SEARCHES, {"tools": [SEARCH]}, runs=(ScriptedTool(),)),
    Case(
        "server_tool_beside_a_clients",
        says(section(invoke(query="cats"), LOOKS), "Tell me"),
        {"tools": [SEARCH, LOOK]},
        runs=(ScriptedTool(),),
    ),
    Case(
        "pause_turn",
        SEARCHES,
        {"tools": [SEARCH]},
        runs=(ScriptedTool(),),
        options={"turn": TurnLimits(rounds=1)},
    ),
    Case("citations", CITES + SEARCHES, {"tools": [SEARCH]}, runs=(ScriptedTool(finds_two),)),
    Case(
        "compaction",
        arrives("They build a recipe app.", more='match = "write a summary of this whole conversation"')
        + arrives("An answer."),
        {"model": "claude-opus-4-8", "context_management": {"edits": [EDIT]}},
        history=LONG_HISTORY,
        betas=(COMPACT,),
    ),
    Case(
        "compaction_pause",
        arrives("They build a recipe app.", more='match = "write a summary of this whole conversation"'),
        {"model": "claude-opus-4-8", "context_management": {"edits": [{**EDIT, "pause_after_compaction": True}]}},
        history=LONG_HISTORY,
        betas=(COMPACT,),
    ),
    Case("error", arrives("one ", "two ", "three", more='fail = "died"\nafter_chunks = 2')),
    Case("max_tokens", arrives("One two three four five."), {"max_tokens": 3}),
    Case("max_tokens_in_a_call", arrives(*ASKS_WEATHER), {"max_tokens": 30, "tools": [WEATHER]}),
    Case("stop_sequence", arrives("one S", "T", "OP two", " three"), {"stop_sequences": ["never", "STOP"]}),
    Case("context_window", arrives("word " * 200) + "[model]\nwindow = 60\n", {"max_tokens": 4000}),
    Case("nothing", arrives(""), {}),
)

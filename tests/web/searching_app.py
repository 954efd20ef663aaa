"""An app whose server runs tools, and what its scripted model writes to call them."""

from collections.abc import Sequence
from typing import Any

from antiphon.ports.server_tools import ServerTool
from antiphon.ports.system import Clock
from tests.service.server_tools import ScriptedTool
from tests.web.thinking_app import ThinkingApp

Json = dict[str, Any]

SEARCH: Json = {"type": "web_search_20250305", "name": "web_search"}
FETCH: Json = {"type": "web_fetch_20250910", "name": "web_fetch"}
LOOK: Json = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
MODEL = "claude-sonnet-4-5-20250929"


def invoke(name: str = "web_search", **arguments: str) -> str:
    """One call, as the model writes it."""
    told = "".join(f'<parameter name="{key}">{value}</parameter>\n' for key, value in arguments.items())
    return f'<invoke name="{name}">\n{told}</invoke>\n'


def section(*calls: str) -> str:
    """Calls in a row."""
    return f"<function_calls>\n{''.join(calls)}</function_calls>"


def search(*queries: str) -> str:
    """Searches in a row."""
    return section(*(invoke(query=query) for query in queries or ("cats",)))


def says(text: str, when: str = "", *, prompt: str = "", times: int | None = None, **more: str) -> str:
    """A rule of the script: what the model writes when the user's last words have `when` in them."""
    rule = [f"text = '''{text}'''"]
    rule += [f"match = '''{when}'''"] if when else []
    rule += [f"prompt = '''{prompt}'''"] if prompt else []
    rule += [f"times = {times}"] if times else []
    rule += [f"{key} = {value}" for key, value in more.items()]
    return "[[reply]]\n" + "\n".join(rule) + "\n"


def ask(content: Any = "Tell me.", **more: Any) -> Json:
    """A request that offers the search."""
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else content
    asked = {"model": MODEL, "max_tokens": 1000, "messages": messages, "tools": [SEARCH], **more}
    return {key: value for key, value in asked.items() if value is not None}


def app(
    *rules: str, tools: Sequence[ServerTool] | None = None, clock: Clock | None = None, **options: Any
) -> ThinkingApp:
    """The app over a script of these rules."""
    offered = [ScriptedTool()] if tools is None else tools
    return ThinkingApp("".join(rules), runs=offered, clock=clock, **options)


def kinds(message: Json) -> list[str]:
    """The types of the reply's blocks."""
    return [block["type"] for block in message["content"]]


def resend(request: Json, *replies: Json, **more: Any) -> Json:
    """The same request with replies behind its messages, as they came."""
    said = [{"role": "assistant", "content": reply["content"]} for reply in replies]
    return {**request, "messages": [*request["messages"], *said], **more}

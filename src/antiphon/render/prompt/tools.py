"""The tool system prompt, and results of calls, for models whose own template does not tell them.

Source: How to implement tool use, Tool use system prompt: its fixed sentences and their order. The formatting
instructions and the tool configuration are this project's. The same tools give the same text, whatever the choice.
"""

from collections.abc import Sequence
from typing import Final

from antiphon.dialogue.tools import Call, Result, Tool, ToolChange
from antiphon.render.families.argument_kinds import to_json
from antiphon.render.families.syntax import CallSyntax
from antiphon.render.prompt.calls import write_calls
from antiphon.render.prompt.kept import KeptTexts

_OPENING: Final = (
    "In this environment you have access to a set of tools you can use to answer the user's question.\n"
    "You can call functions by writing a block like the following as part of your reply to the user:\n"
)

_SEVERAL: Final = (
    "\nTo make several calls at once, write them one after the other in the same block. "
    "Write nothing behind the block: end your turn there and wait for the results.\n"
)

_FIXED: Final = (
    "String and scalar parameters should be specified as is, while lists and objects should use JSON format. Note "
    "that spaces for string values are not stripped. The output is not expected to be valid XML and is parsed with "
    "regular expressions.\n"
    "Here are the functions available in JSONSchema format:\n"
)

_CONFIGURATION: Final = (
    "Results come in the user's next turn, inside <function_results>, in the order of the calls. A result inside "
    "<error> is the message of a call that failed: put right what was wrong with it before you call again."
)

_EXAMPLE: Final = Call("example", "$FUNCTION_NAME", {"$PARAMETER_NAME": "$PARAMETER_VALUE"})


def tool_prompt(syntax: CallSyntax, tools: Sequence[Tool], system: str, kept: KeptTexts) -> str:
    """The system prompt of a conversation with these tools; `system` is the client's own, which may be empty."""
    example = write_calls(syntax, [_EXAMPLE], [Tool(_EXAMPLE.name, "", {"type": "object"})])
    definitions = "\n".join(definition(tool, kept) for tool in tools)
    own = f"{system}\n" if system else ""
    return f"{_OPENING}{example}{_SEVERAL}{_FIXED}<functions>\n{definitions}\n</functions>\n{own}{_CONFIGURATION}"


def definition(tool: Tool, kept: KeptTexts) -> str:
    """A tool's definition, one line of JSON."""
    told: dict[str, object] = {"description": tool.description, "name": tool.name, "parameters": tool.schema}
    if tool.examples:
        told["input_examples"] = list(tool.examples)
    return kept.get("definition", told, lambda: to_json(told))


def told_change(change: ToolChange, kept: KeptTexts) -> str:
    """What is new about the tools, in the place where it is so."""
    told: list[str] = []
    if change.removed:
        told.append(f"No longer available from here on, and not to be called: {', '.join(change.removed)}.")
    if change.added:
        told += ["From here on you can also call these functions:", "<functions>"]
        told += [*(definition(tool, kept) for tool in change.added), "</functions>"]
    return "\n".join(told)


def told_results(results: Sequence[Result]) -> str:
    """The results of a turn's calls."""
    told = "\n".join(map(_told, results))
    return f"<function_results>\n{told}\n</function_results>"


def _told(result: Result) -> str:
    tag = "error" if result.is_error else "result"
    return f'<{tag} name="{result.name}">\n{result.text}\n</{tag}>'

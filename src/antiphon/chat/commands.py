"""What can be said to the chat itself: lines that begin with a slash."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from antiphon.chat.clipboard import picture
from antiphon.chat.problems import ChatError
from antiphon.chat.service import THINKING

if TYPE_CHECKING:
    from antiphon.chat.session import Session


class Quit(Exception):  # noqa: N818 - nothing is wrong
    """The user wants to leave."""


@dataclass(frozen=True, slots=True)
class Command:
    """`usage`: what stands behind its name. `run` may raise `ChatError`."""

    name: str
    usage: str
    meaning: str
    run: "Callable[[Session, str], None]"


def obey(session: "Session", line: str) -> None:
    """Do what a line with a slash says. Raises `ChatError` where it cannot be done."""
    name, _, argument = line[1:].partition(" ")
    command = next((each for each in COMMANDS if each.name == name), None)
    if command is None:
        raise ChatError(f"There is no /{name}; /help lists what there is. A line that begins with // is sent as /.")
    command.run(session, argument.strip())


def _help(session: "Session", _: str) -> None:
    table = Table.grid(padding=(0, 2))
    for command in COMMANDS:
        table.add_row(Text(f"/{command.name} {command.usage}"), Text(command.meaning))
    session.screen.console.print(table, highlight=False)
    session.say("Alt-Enter begins a new line, Ctrl-C stops a reply, Ctrl-D leaves.")


def _model(session: "Session", name: str) -> None:
    if name:
        session.use_model(name)
        return
    names = session.service.names()
    session.say(f"This is {session.conversation.model}.")
    for each in names:
        session.say(f"  {each}")


def _system(session: "Session", text: str) -> None:
    if text:
        session.conversation.system = "" if text == "off" else text
    session.say(session.conversation.system or "There is no system prompt.")


def _think(session: "Session", level: str) -> None:
    if level == "show":
        session.say(session.screen.thoughts or "Nothing was thought, or nothing of it is shown.")
        return
    if level and level not in THINKING:
        raise ChatError(f"/think takes {', '.join(THINKING)} or show")
    if level:
        session.conversation.thinking = level
    session.say(f"Thinking is {session.conversation.thinking or 'as the model does it by itself'}.")


def _attach(session: "Session", path: str) -> None:
    if not path:
        raise ChatError("/attach takes the path of a picture, a PDF or a text")
    session.attach(Path(path.strip("'\"")))
    session.say(f"{Path(path).name} goes with the next message.")


def _paste(session: "Session", _: str) -> None:
    session.attach_block(picture())
    session.say("The picture in the clipboard goes with the next message.")


def _save(session: "Session", path: str) -> None:
    if not path:
        raise ChatError("/save takes the path of a file")
    session.conversation.save(Path(path))
    session.say(f"Saved {len(session.conversation.messages)} messages in {path}.")


def _load(session: "Session", path: str) -> None:
    if not path:
        raise ChatError("/load takes the path of a file that /save has written")
    session.conversation.load(Path(path))
    session.say(f"{len(session.conversation.messages)} messages are there; go on.")


def _retry(session: "Session", _: str) -> None:
    last = session.again()
    session.turn(last)


def _edit(session: "Session", _: str) -> None:
    if not session.conversation.last:
        raise ChatError("Nothing was said yet")
    text = session.keyboard.read("> ", session.conversation.last_text)
    if text.strip():
        kept = [block for block in session.again() if block["type"] != "text"]
        session.turn([*kept, {"type": "text", "text": text}])


def _clear(session: "Session", _: str) -> None:
    session.conversation.clear()
    session.say("Nothing was said.")


def _compact(session: "Session", _: str) -> None:
    if not session.conversation.messages:
        raise ChatError("Nothing was said yet")
    session.compact()


def _tools(session: "Session", _: str) -> None:
    for tool in session.asker.tools:
        session.say(str(tool.name))
    if not session.asker.tools:
        session.say("There are no tools: --tools, --mcp, --bash, --edit and --memory bring some.")


def _usage(session: "Session", _: str) -> None:
    spent, window = session.conversation.spent, session.asker.model.window
    told = {
        "read": spent.tokens["input_tokens"],
        "read from the cache": spent.tokens["cache_read_input_tokens"],
        "written to the cache": spent.tokens["cache_creation_input_tokens"],
        "answered": spent.tokens["output_tokens"],
    }
    session.say(f"{spent.replies} replies")
    for name, count in told.items():
        session.say(f"{count:>12,} tokens {name}")
    share = f" of {window:,} ({spent.context / window:.0%})" if window else ""
    session.say(f"The context has {spent.context:,} tokens{share}.")


def _quit(session: "Session", _: str) -> None:
    raise Quit


COMMANDS: Final = (
    Command("help", "", "This list.", _help),
    Command("model", "[NAME]", "Ask another model; without a name: list them.", _model),
    Command("system", "[TEXT|off]", "Set, remove or show the system prompt.", _system),
    Command("think", "[LEVEL|show]", "off, on, low, medium, high; show unfolds the last thought.", _think),
    Command("attach", "PATH", "A picture, a PDF or a text for the next message.", _attach),
    Command("paste", "", "The picture in the clipboard for the next message.", _paste),
    Command("retry", "", "Ask the last message again.", _retry),
    Command("edit", "", "Change the last message, and ask it instead.", _edit),
    Command("save", "PATH", "Write the conversation to a file.", _save),
    Command("load", "PATH", "Go on from such a file.", _load),
    Command("clear", "", "Begin a new conversation.", _clear),
    Command("compact", "", "Put a summary in the conversation's place.", _compact),
    Command("tools", "", "List the tools.", _tools),
    Command("usage", "", "Tokens so far, and how full the context is.", _usage),
    Command("quit", "", "Leave.", _quit),
)

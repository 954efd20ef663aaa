"""A chat from what was asked for on the command line to its end."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anthropic
import click
from anyio.from_thread import BlockingPortal, start_blocking_portal
from rich.console import Console

from antiphon.chat.attaching import attached, block_of
from antiphon.chat.commands import COMMANDS
from antiphon.chat.conversation import Conversation
from antiphon.chat.keyboard import Keyboard, Lines, Paste, editing, history_file
from antiphon.chat.problems import ChatError, Json, error_line, in_words, quiet
from antiphon.chat.service import Service
from antiphon.chat.session import NEARLY_FULL, Session
from antiphon.chat.showing.plain import Lines as JsonLines
from antiphon.chat.showing.plain import Plain
from antiphon.chat.showing.screen import Screen
from antiphon.chat.showing.words import harmless
from antiphon.chat.tools.permission import AskedTool, Permission
from antiphon.chat.turn import Asker, Shown, Stopped

_MOST_ASKED_ABOUT = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a chat is to be. `prompt`: what is asked; where it and `piped` are empty, somebody types."""

    prompt: str = ""
    piped: bytes = b""
    system: str = ""
    thinking: str = ""
    most: int | None = None
    compact_at: int | None = None
    attach: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    mcp: tuple[str, ...] = ()
    bash: bool = False
    edit: bool = False
    memory: str | None = None
    yes: bool = False
    load: str | None = None
    save: str | None = None
    json: bool = False

    @property
    def once(self) -> bool:
        """It is one question, and its answer."""
        return bool(self.prompt or self.piped)


Place = Callable[[ExitStack], tuple[str, str, str]]
"""Gives the server's URL, its key and the model's name, which may be empty; what it starts ends with the stack."""


def chat(wanted: Wanted, place: Place) -> int:
    """Talk, until the user leaves or the answer is there; the exit code. Raises `ChatError`."""
    quiet()
    with ExitStack() as running, warnings.catch_warnings():
        # The SDK warns on standard error, in the middle of the screen.
        warnings.simplefilter("ignore")
        conversation = Conversation("")
        if wanted.load is not None:
            conversation.load(Path(wanted.load))
        conversation.system = wanted.system or conversation.system
        conversation.thinking = wanted.thinking or conversation.thinking
        content = _content(wanted)
        asking = _Asking()
        tools = _tools(wanted, running, Permission(asking if asking.possible else None, always=wanted.yes))
        service, name = _service(place, running)
        model = service.model(name)
        conversation.model = name
        full = int(model.window * NEARLY_FULL) if wanted.compact_at is None else wanted.compact_at
        asker = Asker(service, model, tools, wanted.most or model.most, full)
        if wanted.once:
            code = _once(wanted, conversation, asker, content)
        else:
            code = _session(wanted, conversation, asker, content, asking)
        if wanted.save is not None:
            conversation.save(Path(wanted.save))
        return code


def _service(place: Place, running: ExitStack) -> tuple[Service, str]:
    url, key, name = place(running)
    service = Service(url, key)
    running.callback(service.client.close)
    if not name:
        names = service.names()
        if not names:
            raise ChatError(f"{url} lists no models; --model says which one to ask")
        name = names[0]
    return service, name


def _content(wanted: Wanted) -> list[Json]:
    """What goes with the first message: files, what came through the pipe, the words."""
    blocks = [attached(Path(path)) for path in wanted.attach]
    if wanted.piped:
        block = block_of(wanted.piped)
        if block["type"] == "document" and block["source"]["type"] == "text":
            block = {"type": "text", "text": block["source"]["data"]}
        blocks.append(block)
    if wanted.prompt:
        blocks.append({"type": "text", "text": wanted.prompt})
    return blocks


def _once(wanted: Wanted, conversation: Conversation, asker: Asker, content: list[Json]) -> int:
    """One question, one answer."""
    if wanted.json:
        shown: Shown = JsonLines(sys.stdout, sys.stderr)
    elif sys.stdout.isatty():
        shown = Screen(Console())
    else:
        shown = Plain(sys.stdout, sys.stderr)
    conversation.say(content)
    try:
        asker.run(conversation, shown)
    except Stopped:
        return 130
    except anthropic.AnthropicError as problem:
        if wanted.json:
            click.echo(error_line(problem))
        click.echo(f"antiphon: {harmless(in_words(problem, asker.service.url))}", err=True)
        return 1
    return 0


def _session(wanted: Wanted, conversation: Conversation, asker: Asker, content: list[Json], asking: "_Asking") -> int:
    """Somebody types."""
    screen = Screen(Console())
    session = Session(asker.service, conversation, asker, screen, most=wanted.most, compact_at=wanted.compact_at)
    for block in content:
        session.attach_block(block)
    keyboard = keyboard_for(screen.console, session.paste)
    asking.screen, asking.keyboard = screen, keyboard
    session.say(f"{conversation.model} at {asker.service.url}. /help lists what there is; Ctrl-D leaves.")
    session.run(keyboard)
    return 0


INSTALL: Final = f"{sys.executable} -m pip install 'antiphon[chat]'"
"""What brings the packages of a chat, for this Python and no other."""


def keyboard_for(console: Console, paste: Paste) -> Keyboard:
    """The keyboard of a terminal, as far as that can move its cursor. Raises `ChatError`."""
    if console.is_dumb_terminal:
        return Lines()
    try:
        return editing([f"/{command.name}" for command in COMMANDS], paste, history_file())
    except ImportError as missing:
        raise ChatError(f"a chat takes the package `{missing.name}`: {INSTALL}") from missing


def _tools(wanted: Wanted, running: ExitStack, permission: Permission) -> Sequence[Any]:
    # Imported when they are wanted: the MCP library takes a second.
    tools: list[Any] = []
    if wanted.tools:
        from antiphon.chat.tools.functions import tools_from

        tools += [tool for path in wanted.tools for tool in tools_from(Path(path))]
    portal = running.enter_context(start_blocking_portal()) if wanted.bash or wanted.mcp else None
    if portal is not None and wanted.bash:
        from antiphon.chat.tools.bash import Bash

        bash = Bash(Path.cwd(), portal)
        running.callback(bash.close)
        tools.append(AskedTool(bash, permission, bash.describe))
    if wanted.edit:
        from antiphon.chat.tools.editor import Editor

        editor = Editor(Path.cwd())
        tools.append(AskedTool(editor, permission, editor.describe))
    if wanted.memory is not None:
        from antiphon.chat.tools.remembering import describe, memory

        tools.append(AskedTool(memory(Path(wanted.memory)), permission, describe))
    if portal is not None and wanted.mcp:
        tools += _of_servers(wanted, portal, running, permission)
    names = [str(tool.name) for tool in tools]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ChatError(f"two tools are called {twice}")
    return tools


def _of_servers(wanted: Wanted, portal: BlockingPortal, running: ExitStack, permission: Permission) -> list[Any]:
    try:
        from antiphon.chat.tools.mcp import connect, describe
    except ImportError as problem:
        raise ChatError(f"--mcp takes the package `mcp`: {INSTALL}") from problem
    return [AskedTool(tool, permission, describe) for tool in connect(list(wanted.mcp), portal, running)]


class _Asking:
    """Asks whether something may be run: in the chat, or on standard error where there is none."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        self.keyboard: Keyboard | None = None
        self.possible = sys.stdin.isatty() and sys.stderr.isatty()

    def __call__(self, name: str, what: str) -> str:
        screen = self.screen or Screen(Console(stderr=True))
        lines = harmless(what).splitlines()
        more = len(lines) - _MOST_ASKED_ABOUT
        shown = [*lines[:_MOST_ASKED_ABOUT], *([f"… and {more} more lines"] if more > 0 else [])]
        screen.note(f"{name} is about to run:")
        for line in shown:
            screen.note(f"    {line}")
        while True:
            try:
                answer = self._answer(f"Run it? [y]es, [n]o, [a]lways {name}: ").strip().lower()[:1]
            except EOFError:
                return "n"
            if answer in ("y", "n", "a"):
                return answer

    def _answer(self, prompt: str) -> str:
        if self.keyboard is not None:
            return self.keyboard.ask(prompt)
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line

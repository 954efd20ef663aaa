"""The page about the architecture is about this source: its map, its names, its traced request, its code."""

import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest

import phases
from antiphon.dialogue.conversation import Limits, Text, Turn
from antiphon.dialogue.events import Finish, ReplyEvent, TextDelta
from antiphon.ports.engine import EngineOutput, Generation, Piece
from antiphon.render.reading.reply import ReplyReader
from antiphon.request.asked import Asked, Host, receive
from antiphon.request.intake import parse_create
from antiphon.request.sealed.opened import NOTHING_SEALED
from antiphon.request.task import task_of
from antiphon.service.served import ServedModel
from antiphon.testing import Answer, engine_app
from antiphon.testing.app import SEALS
from antiphon.wire.base import WireContext
from antiphon.wire.content.inline import TextBlock
from antiphon.wire.request import CreateMessage, InputMessage
from tests.arch import page
from tests.arch.tree import ROOT, SOURCE
from tests.profiles.builtin import builtin_catalogue
from tests.web.thinking_app import WatchedEngine

NO_NAMES = {"[tool.importlinter]", "antiphon eval", "make docs", "serve", "models", "doctor", "eval"}
"""What the page sets as code and is no name of the source."""

TRACE = "One request, station by station"
SCRIPT = '[[reply]]\ntext = "Hello! END of it."\n'


def test_every_name_is_one_of_the_source() -> None:
    named = set(page.names(page.text().replace(page.section(TRACE), "")))
    assert len(named) > 150
    assert {name for name in named - NO_NAMES if page.unknown(name)} == set()
    assert named >= NO_NAMES, "an exception that the page does not need any more"


@pytest.mark.parametrize(
    "name", ["request/rules/mistakes.py", "mistakes.py", "thinking/", "Switchboard", "Planner.plan_nothing"]
)
def test_a_name_that_is_gone_is_noticed(name: str) -> None:
    assert page.unknown(name)


def test_every_path_that_the_guide_to_the_tests_names_is_there() -> None:
    guide = (ROOT / "docs" / "project" / "testing.md").read_text(encoding="utf-8")
    paths = {name for name in page.names(guide) if "/" in name and " " not in name}
    assert len(paths) > 20
    assert {path for path in paths if page.unknown(path)} == set()


def test_every_name_is_where_the_page_says() -> None:
    said = list(page.placed(page.text()))
    assert len(said) > 50
    assert [(path, name) for path, name in said if name not in page.defined().get(path, ())] == []


def test_the_map_has_the_floors_of_the_import_contract() -> None:
    drawn: dict[int, set[str]] = {}
    for floor, package, _ in page.rows(page.section("The map"))[1:]:
        drawn.setdefault(int(floor), set()).add(package.strip("`").removesuffix("/").removesuffix(".py"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [
        each for each in project["tool"]["importlinter"]["contracts"] if each.get("containers") == ["antiphon"]
    ]
    assert drawn == {n: set(layer.split(" | ")) for n, layer in enumerate(contract["layers"], 1)}


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.glob("*/**/__init__.py")}
    on_the_map = {name.removesuffix("/") for name in page.names(page.section("The map")) if name.endswith("/")}
    assert packages - on_the_map == set()


def test_the_drawing_of_the_phases_is_made_from_their_table() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == phases.page(), "run `make docs`"


def test_the_drawing_has_every_pair_of_the_table() -> None:
    arrows = re.findall(r"(\w+) --> (\w+): (.*)", phases.drawing())
    drawn = {(before, name, after) for before, after, names in arrows for name in names.split(", ")}
    assert drawn == {(before.name, kind.__name__, after.name) for (before, kind), after in phases.TRANSITIONS.items()}


class Watched(WatchedEngine):
    """Remembers also what it had written."""

    def __init__(self) -> None:
        super().__init__("scripted", SCRIPT)
        self.pieces: list[Piece] = []

    async def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Go by the script."""
        async for output in super().generate(work):
            if isinstance(output, Piece):
                self.pieces.append(output)
            yield output


def traced(station: int) -> list[Any]:
    """The values that the page gives for a station: Python's where they are, texts otherwise."""
    shapes = (CreateMessage, InputMessage, TextBlock, Turn, Text, Limits, Piece, TextDelta, Finish)
    known = {shape.__name__: shape for shape in shapes}
    [cells] = [cells for cells in page.rows(page.section(TRACE)) if cells[0] == str(station)]
    told = page.names(cells[1])
    return [eval(name, known) if name.partition("(")[0] in known and "(" in name else name for name in told]


async def ask() -> tuple[Watched, Answer]:
    engine = Watched()
    async with engine_app(engine) as bridge:
        return engine, await bridge.post(traced(1)[0].encode())


def asked_of(engine: Watched) -> Asked[CreateMessage]:
    request = parse_create(traced(1)[0].encode(), WireContext())
    profile = builtin_catalogue().resolve(request.model)
    assert profile is not None
    asked = receive(request, ServedModel.of(engine).target(profile), WireContext(), Host(SEALS))
    assert isinstance(asked, Asked)
    return asked


def test_the_traced_request_is_the_one_that_is_parsed_judged_and_told() -> None:
    asked = asked_of(Watched())
    assert [asked.request] == traced(2)
    [item] = asked.case.items
    assert [item.block, item.path] == traced(3)[1:]
    assert traced(3)[0] == "Case"
    assert (traced(4), asked.opened) == (["NOTHING_SEALED"], NOTHING_SEALED)
    assert traced(5) == ["Asked", "Target", asked.target.binding]
    assert f"window {asked.target.window}," in page.section(TRACE)
    task = task_of(asked)
    assert ["Task", *task.conversation.turns, task.limits] == traced(6)


async def test_the_traced_request_is_answered_as_the_page_says() -> None:
    engine, answer = await ask()
    [work] = engine.asked
    assert ["Work", work.prompt.text] == traced(7)
    assert f"prompt has {len(work.prompt.tokens)} tokens" in page.section(TRACE)
    assert engine.pieces == traced(8)
    reader = ReplyReader(task_of(asked_of(engine)).limits.stop_sequences)
    happened: list[ReplyEvent] = [event for piece in engine.pieces for event in reader.feed(piece.text)]
    *said, ended = traced(9)
    assert [*happened, *reader.finish()] == said
    assert [event["type"] for event in answer.events] == traced(10)
    assert (answer.events[-2]["delta"]["stop_reason"], answer.events[-2]["delta"]["stop_sequence"]) == (
        ended.reason,
        ended.stop_sequence,
    )
    assert answer.events[-2]["usage"]["output_tokens"] == ended.output_tokens
    assert traced(11)[0].encode() in answer.body


async def test_the_core_alone_makes_the_prompt_and_the_bytes_that_the_server_makes() -> None:
    into_prompt, into_bytes = page.code()
    made: dict[str, Any] = {}
    exec(into_prompt, made)
    exec(into_bytes, made)
    engine, answer = await ask()
    assert made["prompt"] == engine.asked[0].prompt.text
    id_: str = answer.events[0]["message"]["id"]
    assert made["stream"].replace(b'"msg_1"', orjson.dumps(id_)) == answer.body


def test_the_core_runs_without_an_event_loop() -> None:
    program = "\n".join([*page.code(), "import sys", "print('asyncio' in sys.modules)"])
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"

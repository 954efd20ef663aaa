"""What the model is told of the vendor-typed client tools agrees with what their clients take."""

from typing import Any, get_args

import jsonschema
import orjson
import pytest
from anthropic.types import beta as sdk
from pydantic import TypeAdapter

from antiphon.dialogue.tools import Tool
from antiphon.render.grammar.schemas import compilable, relaxed
from antiphon.request.intake import parse_create
from antiphon.request.tools.toolbox import Member, describe, members, spoken_name
from antiphon.wire.tools.definitions import Tool as WireTool
from antiphon.wire.tools.schemas import is_schema
from antiphon.wire.tools.toolsets import BrowserConfigs, ComputerConfigs
from tests.request.requests import Json, body, context
from tests.schema.sampler import Sampler

BETAS = ("computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24")

SCREEN: Json = {"name": "computer", "display_width_px": 1280, "display_height_px": 800}

SINGLE: dict[str, Json] = {
    "bash_20241022": {"name": "bash"},
    "bash_20250124": {"name": "bash"},
    "text_editor_20241022": {"name": "str_replace_editor"},
    "text_editor_20250124": {"name": "str_replace_editor"},
    "text_editor_20250429": {"name": "str_replace_based_edit_tool"},
    "text_editor_20250728": {"name": "str_replace_based_edit_tool", "max_characters": 9000},
    "memory_20250818": {"name": "memory"},
    "computer_20241022": SCREEN,
    "computer_20250124": {**SCREEN, "display_number": 7},
    "computer_20251124": {**SCREEN, "enable_zoom": True},
}

TOOLSETS = ("computer", "browser")

_Draft: Any = jsonschema.Draft202012Validator


def parsed(*entries: Json) -> list[WireTool]:
    request = parse_create(orjson.dumps(body(tools=list(entries))), context(*BETAS))
    assert request.tools is not None
    return request.tools


def described(entry: Json) -> tuple[Tool, ...]:
    return describe(parsed(entry)[0])


def single(kind: str, **more: Any) -> Tool:
    (found,) = described({"type": kind, **SINGLE[kind], **more})
    return found


def toolset(family: str, configs: Json | None = None) -> Json:
    return {"type": f"{family}_toolset_20260801", "configs": configs}


def commands(tool: Tool, key: str = "command") -> list[str]:
    return tool.schema["properties"][key]["enum"]


EVERY = [
    *(single(kind) for kind in SINGLE),
    *(tool for family in TOOLSETS for tool in described(toolset(family, {"wait": {"enabled": True}}))),
]


@pytest.mark.promise("tools.vendor-typed-are-described")
@pytest.mark.parametrize("tool", EVERY, ids=lambda tool: f"{tool.name}-{len(tool.description)}")
def test_every_vendor_typed_tool_has_words_and_a_schema_that_can_be_guaranteed(tool: Tool):
    assert tool.description
    assert is_schema(tool.schema)
    assert all("description" in inner or "const" in inner or "$ref" in inner or "properties" in inner for inner in tool.schema["properties"].values())  # fmt: skip
    form = compilable(tool.schema)
    assert form is not None
    for seed in range(5):
        for shape in (form, relaxed(tool.schema)):
            assert _Draft(tool.schema).is_valid(orjson.loads(Sampler(shape).draw(seed)))


@pytest.mark.promise("tools.vendor-typed-are-described")
@pytest.mark.parametrize("kind", SINGLE)
def test_a_single_tool_keeps_its_name_and_the_clients_settings(kind: str):
    examples = [{"a": 1}]
    tool = single(kind, strict=True, input_examples=examples)
    assert (tool.name, tool.strict, tool.examples) == (SINGLE[kind]["name"], True, ({"a": 1},))


def test_the_editors_differ_by_version_as_published():
    assert "undo_edit" in commands(single("text_editor_20250124"))
    assert "undo_edit" not in commands(single("text_editor_20250429"))
    assert "insert_text" not in single("text_editor_20250429").schema["properties"]
    assert "insert_text" in single("text_editor_20250728").schema["properties"]
    assert "9000 characters" in single("text_editor_20250728").description


def test_the_computers_differ_by_version_as_published():
    first, second = single("computer_20241022"), single("computer_20250124")
    third, without_zoom = single("computer_20251124"), single("computer_20251124", enable_zoom=False)
    assert len(commands(first, "action")) == 10
    assert set(commands(second, "action")) - set(commands(first, "action")) == {
        *("left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait", "triple_click"),
    }
    assert commands(third, "action") == [*commands(second, "action"), "zoom"]
    assert commands(without_zoom, "action") == commands(second, "action")
    assert "region" not in without_zoom.schema["properties"]
    assert all("1280 pixels wide and 800 high" in tool.description for tool in (first, second, third))
    assert "display number 7" in second.description
    assert "display number" not in first.description


def test_the_memory_has_the_commands_of_the_official_helper():
    published = {
        model.model_fields["command"].annotation for model in get_args(get_args(sdk.BetaMemoryTool20250818Command)[0])
    }
    assert set(commands(single("memory_20250818"))) == {get_args(kind)[0] for kind in published}
    taken: set[str] = set()
    for model in get_args(get_args(sdk.BetaMemoryTool20250818Command)[0]):
        taken |= model.model_fields.keys()
    assert single("memory_20250818").schema["properties"].keys() == taken


# --------------------------------------------------------------------------------------------------------- toolsets
@pytest.mark.promise("tools.toolset-members")
@pytest.mark.parametrize(("family", "configs"), [("computer", ComputerConfigs), ("browser", BrowserConfigs)])
def test_a_toolset_is_its_members_under_names_of_their_own(family: str, configs: Any):
    everything = {name: {"enabled": True} for name in configs.model_fields}
    entry = toolset(family, everything)
    found = described(entry)
    assert {tool.name for tool in found} == {f"{family}__{name}" for name in configs.model_fields}
    assert members(parsed(entry)) == {f"{family}__{name}": Member(family, name) for name in configs.model_fields}
    assert spoken_name("wait", family) == f"{family}__wait"
    assert spoken_name("wait", None) == "wait"


@pytest.mark.promise("tools.toolset-members")
def test_members_are_switched_by_configs_and_some_are_off_until_then():
    names = {
        tool.name
        for tool in described(toolset("browser", {"find": {"enabled": False}, "read_console": {"enabled": True}}))
    }
    assert len(names) == 27
    assert "browser__find" not in names
    assert "browser__read_console" in names
    assert "browser__javascript_exec" not in names
    assert len(described(toolset("browser"))) == 27
    assert len(described(toolset("computer"))) == 17


@pytest.mark.promise("tools.toolset-members")
def test_two_toolsets_have_no_name_in_common():
    both = parsed(toolset("computer"), toolset("browser"))
    assert len(members(both)) == sum(len(describe(tool)) for tool in both)


@pytest.mark.promise("tools.toolset-members")
@pytest.mark.parametrize("family", TOOLSETS)
def test_what_a_member_is_called_with_is_what_the_official_sdk_reads(family: str):
    everything = {
        name: {"enabled": True} for name in (ComputerConfigs if family == "computer" else BrowserConfigs).model_fields
    }
    for tool in described(toolset(family, everything)):
        member = "".join(part.capitalize() for part in tool.name.removeprefix(f"{family}__").split("_"))
        model: Any = getattr(sdk, f"Beta{family.capitalize()}{member}Input")
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        assert tool.schema["properties"].keys() == fields.keys(), tool.name
        assert set(tool.schema["required"]) == {name for name, field in fields.items() if field.is_required()}
        for seed in range(5):
            value = orjson.loads(Sampler(relaxed(tool.schema)).draw(seed))
            TypeAdapter(model).validate_python(value, strict=True)


# ----------------------------------------------------------------------------------------------------------- custom
def test_a_custom_tool_is_told_as_the_client_wrote_it():
    schema = {"type": "object", "properties": {"z": {"type": "string"}, "a": {}}, "required": None}
    entry = {
        "name": "t",
        "description": "D",
        "input_schema": schema,
        "input_examples": [{"z": "1"}],
        "eager_input_streaming": True,
    }
    (tool,) = described(entry)
    assert tool == Tool("t", "D", {"type": "object", "properties": schema["properties"]}, ({"z": "1"},))
    assert list(tool.schema["properties"]) == ["z", "a"]


def test_a_server_tool_is_not_the_clients():
    assert described({"type": "web_search_20250305", "name": "web_search"}) == ()

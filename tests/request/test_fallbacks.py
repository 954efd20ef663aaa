"""What an entry of the chain takes over from its request."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from antiphon.profiles import parse_catalogue
from antiphon.request.fallbacks import for_model
from antiphon.wire.request import CreateMessage
from antiphon.wire.settings import Fallback

CATALOGUE = parse_catalogue(tomllib.loads(files("antiphon.profiles").joinpath("data.toml").read_text()))
FORMAT = {"type": "json_schema", "schema": {"type": "object"}}


def asked(model: str, entry: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the model is asked, as far as something is said."""
    request = CreateMessage.model_validate(
        {"model": "claude-opus-4-8", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **more}
    )
    profile = CATALOGUE.resolve(model)
    assert profile is not None
    told = for_model(request, Fallback.model_validate({"model": model, **entry}), profile)
    assert (told.model, told.fallbacks, told.messages) == (model, None, request.messages)
    return told.model_dump(by_alias=True, exclude_none=True, exclude={"model", "messages"})


ADAPTIVE = {"type": "adaptive"}
OFF = {"type": "disabled"}
BETWEEN = {"type": "between_tools"}
ENABLED = {"type": "enabled", "budget_tokens": 2000}


@pytest.mark.promise("fallbacks.inherits")
@pytest.mark.parametrize(
    ("model", "request_", "entry", "told"),
    [
        pytest.param("claude-haiku-4-5", ENABLED, {}, ENABLED, id="the request's"),
        pytest.param("claude-haiku-4-5", ADAPTIVE, {}, None, id="the model does not have it"),
        pytest.param("claude-haiku-4-5", ENABLED, {"thinking": None}, None, id="null is the model's default"),
        pytest.param("claude-haiku-4-5", OFF, {"thinking": ENABLED}, ENABLED, id="the entry's own"),
        pytest.param("claude-haiku-4-5", BETWEEN, {}, OFF, id="between tools is off elsewhere"),
        pytest.param("claude-fable-5", BETWEEN, {}, None, id="and the default where that cannot be"),
        pytest.param("claude-fable-5", OFF, {}, None, id="always on"),
        pytest.param(
            "claude-fable-5",
            {**ENABLED, "display": "omitted"},
            {},
            {**ADAPTIVE, "display": "omitted"},
            id="how it is shown stays",
        ),
    ],
)
def test_thinking(model: str, request_: dict[str, Any], entry: dict[str, Any], told: dict[str, Any] | None) -> None:
    assert asked(model, entry, thinking=request_).get("thinking") == told


@pytest.mark.promise("fallbacks.inherits")
@pytest.mark.parametrize(
    ("model", "entry", "told"),
    [
        pytest.param("claude-opus-4-8", {}, {"effort": "max", "format": FORMAT}, id="all of it"),
        pytest.param("claude-haiku-4-5", {}, {"format": FORMAT}, id="no effort where the model has none"),
        pytest.param("claude-opus-4-8", {"output_config": None}, None, id="nothing"),
        pytest.param("claude-opus-4-8", {"output_config": {"format": None}}, {"effort": "max"}, id="no format"),
        pytest.param(
            "claude-opus-4-8", {"output_config": {"effort": "low"}}, {"effort": "low", "format": FORMAT}, id="effort"
        ),
        pytest.param("claude-opus-4-8", {"output_config": {"effort": None}}, {"format": FORMAT}, id="no effort"),
        pytest.param("claude-haiku-4-5", {"output_config": {"effort": "low"}}, {"effort": "low", "format": FORMAT}),
    ],
)
def test_the_configuration_of_the_output(model: str, entry: dict[str, Any], told: dict[str, Any] | None) -> None:
    config = {"effort": "max", "format": FORMAT}
    assert asked(model, entry, output_config=config).get("output_config") == told


def test_the_length_is_the_requests_unless_the_entry_has_one() -> None:
    assert asked("claude-opus-4-8", {})["max_tokens"] == 100
    assert asked("claude-opus-4-8", {"max_tokens": None})["max_tokens"] == 100
    assert asked("claude-opus-4-8", {"max_tokens": 5})["max_tokens"] == 5


def test_an_older_way_to_ask_for_a_format_is_taken_over_and_dropped_alike() -> None:
    assert asked("claude-opus-4-8", {}, output_format=FORMAT)["output_format"] == FORMAT
    assert "output_format" not in asked("claude-opus-4-8", {"output_config": None}, output_format=FORMAT)


def test_speed_is_taken_over_by_models_that_have_it() -> None:
    assert "speed" not in asked("claude-haiku-4-5", {}, speed="fast")
    assert asked("claude-opus-5", {}, speed="fast")["speed"] == "fast"
    assert "speed" not in asked("claude-opus-5", {"speed": None}, speed="fast")

"""`antiphon models`."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from antiphon.cli import checks, models
from antiphon.compose.models import describe_models, names_by_model, second_choices
from antiphon.config import ModelSettings, Settings
from tests.cli.commands import HERE, Composition


@pytest.mark.promise("cli.models")
def test_a_model_is_shown_with_file_size_window_and_names(composition: Composition):
    result = composition.run("models")
    assert result.exit_code == 0
    parts = ("smollm2-135m-instruct (default)", "/m/[q4]/smollm2.gguf", "92.9 MB", "8192", "claude-opus-4-8")
    assert [part for part in parts if part not in result.stdout] == []


@pytest.mark.promise("cli.models")
def test_json_is_for_programs(composition: Composition):
    (model,) = json.loads(composition.run("models", "--json").stdout)
    assert model["id"] == HERE.id
    assert model["default"] is True
    assert model["names"] == list(HERE.names)
    assert (model["path"], model["size_bytes"], model["window"]) == (HERE.path, HERE.size_bytes, HERE.window)


def test_what_is_not_known_says_so_and_a_problem_stands_below(composition: Composition):
    composition.models = (
        HERE,
        replace(
            HERE, id="far", path=None, source="hf:org/far", size_bytes=None, window=None, names=(), problem="no such"
        ),
    )
    output = composition.run("models").stdout
    row = next(line for line in output.splitlines() if line.startswith("far "))
    assert row.split() == ["far", "hf:org/far", "unknown", "unknown", "nothing"]
    assert output.endswith("far: no such\n")


@pytest.mark.promise("cli.models")
@pytest.mark.parametrize("columns", [80, 119])
def test_a_narrow_terminal_shows_each_model_in_lines_of_its_own(
    columns: int, composition: Composition, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(models, "Console", lambda: Console(width=columns, force_terminal=True, color_system=None))
    composition.models = (replace(HERE, names=tuple(f"claude-opus-4-{number}" for number in range(30))),)
    lines = composition.run("models").stdout.splitlines()
    assert lines[:2] == [
        "smollm2-135m-instruct (default)",
        "  file /m/[q4]/smollm2.gguf   size 92.9 MB   window 8192",
    ]
    assert max(map(len, lines)) <= columns
    assert all(line.endswith((",", "claude-opus-4-29")) for line in lines[2:])


def test_the_model_options_choose_what_is_shown(composition: Composition):
    composition.run("models", "--model", "x.gguf", "--context", "512")
    assert composition.settings[0].models["x"].context == 512


@pytest.mark.promise("routes.told")
def test_second_choices_are_told_as_such(composition: Composition):
    composition.models = (replace(HERE, names=("big",), second_choice_for=("claude-opus-4-8",)),)
    assert "big, claude-opus-4-8 (second choice)" in " ".join(composition.run("models").stdout.split())
    (model,) = json.loads(composition.run("models", "--json").stdout)
    assert model["second_choice_for"] == ["claude-opus-4-8"]


@pytest.mark.promise("routes.told", "routes.patterns")
def test_routes_say_who_answers_for_which_names_and_who_where_that_is_down():
    settings = Settings(
        default_model="big",
        models={id_: ModelSettings(id_, f"script:{id_}.toml") for id_ in ("big", "small")},
        routes={"claude-opus-*": ("big", "small"), "claude-haiku-4-5": ("small", "big"), "big": ("big", "small")},
        aliases={"mine": "claude-opus-4-8", "little": "small"},
    )
    names, second = names_by_model(settings), second_choices(settings)
    assert {"big", "claude-opus-4-8", "mine", "claude-haiku-4-5-20251001"} <= set(names["big"])
    assert names["small"] == ("small", "claude-haiku-4-5", "little")
    assert {"big", "claude-opus-4-8", "mine"} <= set(second["small"])
    assert second["big"] == ("claude-haiku-4-5",)
    assert [model.second_choice_for for model in describe_models(settings)] == [second["big"], second["small"]]
    found = {one.check: (one.state, one.detail) for one in checks.second_choices(settings)}
    assert found["route claude-opus-*"] == ("OK", "big, and where that is down small")
    assert len(found) == 3

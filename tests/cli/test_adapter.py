"""The adapter of the settings reaches the engine, and the commands tell of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.cli import checks
from antiphon.cli.machine import Memory
from antiphon.compose import engines, models, start
from antiphon.compose.observer import StartError
from antiphon.config import DEFAULT_MODEL, ModelSettings, Settings, ThinkingSettings
from antiphon.engines.llamacpp import ModelFile
from antiphon.engines.llamacpp.embedded import trial
from antiphon.engines.llamacpp.embedded.child import Load
from antiphon.errors import EngineFault
from antiphon.service.models import ModelService
from antiphon.weights import resolve
from antiphon.weights.anew import Prepared
from antiphon.weights.description import AdapterDescription
from tests.cli.commands import HERE, Composition
from tests.cli.test_compose import KEY, Watching, composed
from tests.weights.adapter_files import adapter_file, random_pairs

ADAPTED = replace(HERE, adapter=AdapterDescription("/m/[tools].gguf", 6_500_000, 32))


def with_adapter(adapter: str | None) -> Settings:
    """Settings of the built-in model; an adapter of a test's own is not merged, which takes seconds."""
    merge = None if adapter is None else False
    model = ModelSettings("a", "builtin", context=256, adapter=adapter, merge_adapter=merge)
    return Settings(port=0, default_model="a", models={"a": model}, thinking=ThinkingSettings(keys=(KEY,)))


@pytest.mark.promise("adapter.is-applied", "models.shown-by-their-names")
def test_a_model_is_served_with_the_adapter_that_its_settings_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "change.gguf"
    path.write_bytes(adapter_file(random_pairs((29,)), 8.0))
    settings = with_adapter(str(path))
    (described,) = models.describe_models(settings)
    assert described.adapter == AdapterDescription(str(path), path.stat().st_size, 8)
    routes = composed(settings, monkeypatch)[0]
    card = routes.served["a"].engine.card
    assert card.name.endswith(" with change")
    own = routes.catalogue.resolve("a")
    assert own is not None
    assert own.display_name == card.title == "SmolLM2 135M Instruct"
    opus = ModelService(routes).get("claude-opus-4-5").display_name
    assert opus == "Claude Opus 4.5 (answered by SmolLM2 135M Instruct)"
    assert card.origin.endswith("with the adapter change (rank 8)")


@pytest.mark.promise("adapter.wrong-file")
def test_an_adapter_that_cannot_be_had_stops_the_start_and_is_found_before(tmp_path: Path):
    path = tmp_path / "change.gguf"
    path.write_bytes(b"PK")
    settings = with_adapter(str(path))
    (described,) = models.describe_models(settings)
    assert f"{path}: not a GGUF file" in (described.problem or "")
    with pytest.raises(StartError, match=r"model a: .*change\.gguf: not a GGUF file"):
        start.run_server(settings, Watching())


@pytest.mark.promise("adapter.can-be-switched-off")
@pytest.mark.parametrize(
    ("arguments", "env", "toml", "adapter"),
    [
        pytest.param(("--no-adapter",), {}, "", "none", id="flag"),
        pytest.param(("--adapter", "none"), {}, "", "none", id="word"),
        pytest.param((), {"ANTIPHON_ADAPTER": "off"}, "", "none", id="variable"),
        pytest.param((), {}, "adapter = false", "none", id="top of the file"),
        pytest.param((), {}, f"[models.{DEFAULT_MODEL}]\nadapter = false", "none", id="table"),
        pytest.param(("--adapter", "a.gguf"), {"ANTIPHON_ADAPTER": "off"}, "", "a.gguf", id="another one"),
        pytest.param((), {}, "", None, id="nothing said"),
    ],
)
def test_the_adapter_can_be_switched_off_wherever_options_are_given(
    composition: Composition, arguments: tuple[str, ...], env: dict[str, str], toml: str, adapter: str | None
):
    Path("antiphon.toml").write_text(toml)
    assert composition.run("serve", *arguments, env=env).exit_code == 0
    assert composition.settings[0].models[DEFAULT_MODEL].adapter == adapter


@pytest.mark.promise("config.names-the-wrong-setting")
def test_a_value_that_is_no_adapter_is_refused_with_its_place(composition: Composition):
    Path("antiphon.toml").write_text("adapter = true")
    result = composition.run("serve")
    assert result.exit_code == 2
    assert "antiphon.toml, adapter: true is not the path of an adapter, or none" in result.stderr


@pytest.mark.promise("adapter.is-told")
def test_the_models_are_shown_with_their_adapters(composition: Composition):
    composition.models = (ADAPTED,)
    told = f"{HERE.id}: with the adapter /m/[tools].gguf (6.5 MB, rank 32)\n"
    assert composition.run("models").stdout.endswith(told)
    (model,) = json.loads(composition.run("models", "--json").stdout)
    assert model["adapter"] == {"path": "/m/[tools].gguf", "size_bytes": 6_500_000, "rank": 32, "for_tools": False}


@pytest.mark.promise("adapter.is-told", "adapter.plain-is-the-base")
def test_an_adapter_that_is_for_some_conversations_only_is_shown_so(composition: Composition):
    composition.models = (replace(HERE, adapter=AdapterDescription("/m/a.gguf", 6_500_000, 32, for_tools=True)),)
    assert "(6.5 MB, rank 32, for tools and thinking)\n" in composition.run("models").stdout
    (model,) = json.loads(composition.run("models", "--json").stdout)
    assert model["adapter"]["for_tools"] is True


@pytest.mark.promise("adapter.is-told")
def test_doctor_looks_at_the_adapter_and_counts_it():
    (found,) = checks.models([ADAPTED])
    assert found.state == "OK"
    assert found.detail.endswith("window of 8192 tokens, with the adapter /m/[tools].gguf (6.5 MB, rank 32)")
    # 947.9 MB without it: see test_doctor.py.
    assert "about 954.4 MB" in checks.memory([ADAPTED], Settings(), Memory(2**40, 2**40)).detail
    # Both models and their conversations, in one process.
    both = replace(ADAPTED, copies=2)
    assert "about 1.81 GB" in checks.memory([both], Settings(), Memory(2**40, 2**40)).detail


@pytest.mark.promise("adapter.merged-for-anybody")
@pytest.mark.parametrize(("merged", "copies"), [(None, 2), (True, 2), (False, 1)])
def test_an_adapter_for_tools_that_is_merged_makes_two_models_of_one(merged: bool | None, copies: int):
    model = replace(with_adapter(None).models["a"], merge_adapter=merged)
    (described,) = models.describe_models(replace(with_adapter(None), models={"a": model}))
    assert described.copies == copies


@pytest.mark.promise("weights.anew-not-needed")
def test_a_model_that_cannot_be_written_anew_is_served_and_the_owner_told_once_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "antiphon").write_text("in the way")
    monkeypatch.setenv("HF_ASSETS_CACHE", str(tmp_path))
    engine = composed(with_adapter(None), monkeypatch)[0].served["a"].engine
    assert engine.card.name.endswith("with smollm2-135m-instruct-tools")
    (line,) = [record.getMessage() for record in caplog.records if "written anew" in record.getMessage()]
    assert line.startswith(
        "model a is served as it came, which is slower, and work with tools and without takes turns"
    )
    assert "say merge_adapter = false" in line


class Loading:
    """Loads nothing, and says what was done."""

    def __init__(self, log: list[str], problem: Exception | None = None) -> None:
        self._log, self._problem = log, problem

    async def start(self) -> None:
        self._log.append("start")
        if self._problem is not None:
            raise self._problem

    async def aclose(self) -> None:
        self._log.append("end")


DAMAGED = EngineFault("not a model")


@pytest.mark.promise("weights.anew-proven-meanwhile")
@pytest.mark.parametrize(
    ("whole", "problems", "expected"),
    [
        pytest.param(True, (None,), ["find", "start"], id="whole"),
        pytest.param(False, (None, None), ["find", "start", "end", "find all", "start"], id="damaged"),
        pytest.param(
            False, (DAMAGED, None), ["find", "start", "end", "find all", "start"], id="damaged and not loaded"
        ),
        pytest.param(True, (DAMAGED,), ["find", "start", "end"], id="whole and not loaded"),
        pytest.param(None, (DAMAGED,), ["find", "start", "end"], id="known and not loaded"),
        pytest.param(
            False, (None, DAMAGED), ["find", "start", "end", "find all", "start", "end"], id="damaged and not mended"
        ),
    ],
)
async def test_files_that_turn_out_damaged_while_they_are_loaded_are_made_again_before_anybody_is_answered(
    whole: bool | None,
    problems: tuple[Exception | None, ...],
    expected: list[str],
    monkeypatch: pytest.MonkeyPatch,
):
    log: list[str] = []
    settings = with_adapter(None).models["a"]

    async def find(model: ModelSettings, observer: object, *, trust: bool = False) -> engines.Found:
        log.append("find" if trust else "find all")
        proof = None if whole is None or not trust else lambda: bool(whole)
        return engines.Found(model, ModelFile(tmp, "a"), proof)

    tmp = Path("model.gguf")
    monkeypatch.setattr(engines, "find", find)
    left = iter(problems)
    loading = engines.load(settings, Watching(), lambda _: Loading(log, next(left)))
    if problems[-1] is None:
        loaded, _ = await loading
        assert loaded.proof is None, "processes that share the model are told of it, and a function cannot be told"
    else:
        with pytest.raises(EngineFault, match="not a model"):
            await loading
    assert log == expected


@pytest.mark.promise("weights.form-by-measurement")
async def test_the_plain_model_is_served_in_the_form_that_is_best_here_and_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = resolve("builtin")
    anew = tmp_path / "anew.gguf"
    tools = tmp_path / "tools.gguf"
    for path in (anew, tools):
        path.write_bytes(b"GGUF")
    measured: list[list[str]] = []
    speeds = [(220.0, 30.0), (150.0, 80.0)]

    def prepared(*_: object, trust: bool = False) -> Prepared:
        return Prepared(anew, for_tools=tools)

    def tried(loads: Sequence[Load]) -> list[tuple[float, float]]:
        measured.append([load.path for load in loads])
        if not speeds:
            raise EngineFault("it does not answer")
        return speeds

    monkeypatch.setattr(engines, "prepare", prepared)
    monkeypatch.setattr(trial, "tried", tried)
    model = with_adapter(None).models["a"]
    for _ in range(2):
        file = (await engines.find(model, Watching())).file
        assert (file.path, file.for_tools, file.is_fast) == (found.path, tools, False)
        # That of the model for tools was not to be chosen.
        assert (file.for_tools_size, file.for_tools_is_fast) == (4, True)
    assert measured == [[str(anew), str(found.path)]]

    # Another machine, on which it turns out otherwise; and one on which it does not turn out.
    monkeypatch.setattr(engines, "machine", lambda: "another processor")
    speeds[0] = (220.0, 70.0)
    file = (await engines.find(model, Watching())).file
    assert (file.path, file.is_fast) == (anew, True)
    monkeypatch.setattr(engines, "machine", lambda: "a third one")
    speeds.clear()
    for _ in range(2):
        assert (await engines.find(model, Watching())).file.path == anew
    assert len(measured) == 4

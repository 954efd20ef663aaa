"""Which projector a model sees with: the one that its settings name, or the one that lies beside it."""

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest

from antiphon.weights import Hub, Projector, WeightsError, read_header, resolve
from make_projector import projector as random_projector
from tests.weights.gguf_files import MODEL, Value, gguf
from tests.weights.stand_in_hub import running

WIDTH = 64


def projector(width: int = WIDTH, kind: str = "phi4", *, sees: bool = True, of_pictures: str = "") -> bytes:
    values: dict[str, Value] = {
        "general.architecture": "clip",
        "clip.has_vision_encoder": sees,
        "clip.projector_type": kind,
        "clip.vision.projection_dim": width,
    }
    return gguf(values | ({"clip.vision.projector_type": of_pictures} if of_pictures else {}))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model" / "Tiny-Q4_K_M.gguf"
    path.parent.mkdir()
    path.write_bytes(gguf({**MODEL, "llama.embedding_length": WIDTH}))
    return path


def beside(model: Path, name: str, data: bytes) -> Path:
    path = model.with_name(name)
    path.write_bytes(data)
    return path


def test_a_model_alone_sees_nothing(model: Path):
    assert resolve(str(model)).projector is None


@pytest.mark.promise("weights.projector")
def test_a_projector_beside_the_model_is_taken(model: Path):
    path = beside(model, "mmproj-Tiny.gguf", projector(kind="gemma3"))
    assert resolve(str(model)).projector == Projector(path, "gemma3")


@pytest.mark.promise("weights.projector")
def test_a_projector_that_the_settings_name_goes_before_the_one_beside(model: Path, tmp_path: Path):
    beside(model, "mmproj-a.gguf", projector())
    named = tmp_path / "other.gguf"
    named.write_bytes(random_projector(WIDTH))
    assert resolve(str(model), projector=str(named)).projector == Projector(named, "phi4")
    assert resolve(str(model), projector="none").projector is None


def test_of_several_projectors_the_usual_precision_is_taken(model: Path):
    for label in ("Q8_0", "F32", "BF16", "F16"):
        beside(model, f"mmproj-{label}.gguf", projector())
    found = resolve(str(model)).projector
    assert found is not None
    assert found.path.name == "mmproj-F16.gguf"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(projector(width=2 * WIDTH), id="of another model"),
        pytest.param(projector(sees=False), id="for sounds"),
        pytest.param(b"GGUF", id="broken"),
        pytest.param(gguf(MODEL), id="no projector"),
    ],
)
def test_what_does_not_fit_is_not_taken_unasked(model: Path, data: bytes):
    beside(model, "mmproj-x.gguf", data)
    assert resolve(str(model)).projector is None


def test_among_several_models_nobody_knows_whose_it_is(model: Path):
    beside(model, "mmproj-x.gguf", projector())
    beside(model, "Other-Q8_0.gguf", gguf(MODEL))
    assert resolve(str(model)).projector is None


def test_the_kind_for_pictures_goes_before_the_general_one(model: Path):
    path = beside(model, "mmproj-x.gguf", projector(kind="", of_pictures="gemma4v"))
    assert read_header(path).projector == "gemma4v"


@pytest.mark.promise("weights.bad-file")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(None, "there is no such projector file", id="missing"),
        pytest.param(gguf(MODEL), "not a projector for pictures", id="a model"),
        pytest.param(
            projector(width=32), r"tokens of 32 numbers, and Tiny-Q4_K_M\.gguf has 64", id="another model's"
        ),
        pytest.param(b"GGUF", "inside its own header", id="broken"),
    ],
)
def test_a_named_projector_that_is_none_is_told(model: Path, tmp_path: Path, data: bytes | None, words: str):
    path = tmp_path / "named.gguf"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(WeightsError, match=words):
        resolve(str(model), projector=str(path))


@pytest.mark.promise("weights.bad-file")
def test_a_projector_is_no_model(tmp_path: Path):
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(projector())
    with pytest.raises(WeightsError, match="Name the model, and this file as its `projector`"):
        resolve(str(path))


REPO = "org/Tiny-GGUF"
PROJECTOR = projector()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running() as stand_in:
        model = gguf({**MODEL, "llama.embedding_length": WIDTH})
        stand_in.files[REPO] = {"tiny-Q4_K_M.gguf": model, "mmproj-F16.gguf": PROJECTOR}
        stand_in.files["org/Other"] = {"mmproj-other.gguf": PROJECTOR}
        yield Hub(endpoint=stand_in.endpoint, cache=tmp_path / "cache")
    huggingface_hub.close_session()


@pytest.mark.promise("weights.projector")
@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        pytest.param("mmproj-F16.gguf", "mmproj-F16.gguf", id="of the model's repository"),
        pytest.param("hf:org/Other:mmproj-other.gguf", "mmproj-other.gguf", id="of another"),
    ],
)
def test_a_projector_is_downloaded_when_it_is_named(hub: Hub, wanted: str, name: str):
    found = resolve(f"hf:{REPO}", projector=wanted, hub=hub).projector
    assert found is not None
    assert (found.path.name, found.path.read_bytes()) == (name, PROJECTOR)


def test_nothing_but_the_model_is_downloaded_unasked(hub: Hub):
    assert resolve(f"hf:{REPO}", hub=hub).projector is None


@pytest.mark.promise("weights.hub-errors")
@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        pytest.param("mmproj-F32.gguf", "It has mmproj-F16.gguf, tiny-Q4_K_M.gguf", id="no such file"),
        pytest.param("hf:org/Other", "name the projector's file too", id="no file"),
        pytest.param("mmproj.bin", "not a .gguf file", id="another kind"),
    ],
)
def test_a_projector_that_the_hub_does_not_have_is_told(hub: Hub, wanted: str, words: str):
    with pytest.raises(WeightsError, match=words):
        resolve(f"hf:{REPO}", projector=wanted, hub=hub)

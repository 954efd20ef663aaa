"""Pictures and documents as clients that we did not write send them: the primer's examples, both SDKs' tool runners."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from PIL import Image

from make_projector import projector
from tests.arch.tree import ROOT
from tests.engines.shallow import shallow_path
from tests.media.pdf_writer import document
from tests.media.written_pictures import corpus
from tests.referee.example_hosts import ANT
from tests.referee.live import live_process, live_server, run_client
from tests.referee.node import node
from tests.referee.outside import Outside, outside
from tests.referee.posting import QUESTION, count, create, image
from tests.referee.routed_server import HOST

HERE = Path(__file__).parent
CALLED, SAID = ["screen", "report"], ["The screen is red, and the report has two pages."]
SEEING = """
[models.seeing]
source = '{model}'
context = 1024
projector = '{projector}'
[models.seeing.sampling]
temperature = 0.0
"""

Results = dict[str, Any]


def picture(width: int, height: int, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#c0392b").save(buffer, form)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def there() -> Iterator[Outside]:
    """The host of the primer's picture."""
    with outside(HOST) as found:
        found.host.serve(ANT, picture(640, 427, "JPEG"), "image/jpeg")
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the scenarios' tools give."""
    path = tmp_path_factory.mktemp("vision")
    (path / "picture.png").write_bytes(picture(64, 48, "PNG"))
    (path / "report.pdf").write_bytes(document(2))
    (path / "url.txt").write_text(f"https://{HOST}{ANT}")
    (path / "mmproj.gguf").write_bytes(projector())
    return path


@pytest.fixture(scope="module")
def seeing(folder: Path, there: Outside) -> Iterator[str]:
    """The first layers of the default model, with a projector: what they say means nothing either way. It is asked for its files' names by nobody but the guard."""
    config = folder / "antiphon.toml"
    config.write_text(SEEING.format(model=shallow_path(), projector=folder / "mmproj.gguf"))
    program = ("tests.referee.routed_server", str(there.host.port))
    extra = {**there.trusting, "PYTHONPATH": str(ROOT)}
    with live_process("--config", str(config), program=program, extra=extra) as live:
        yield live.url


@pytest.fixture(scope="module")
def described(there: Outside) -> Iterator[str]:
    """The default model as it comes, which does not see."""
    program = ("tests.referee.routed_server", str(there.host.port))
    with live_process(program=program, extra={**there.trusting, "PYTHONPATH": str(ROOT)}) as live:
        yield live.url


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """The default model, whose owner has pictures refused."""
    with live_server("--images", "refuse") as url:
        yield url


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    """A server whose model says what the script says, if it is shown what the script expects."""
    with live_server("--model", f"script:{HERE / 'vision.toml'}") as url:
        yield url


def python(url: str, folder: Path, *names: str) -> Results:
    return json.loads(run_client([sys.executable, HERE / "vision_scenarios.py", folder, *names], url))


def takes_images(url: str) -> bool:
    """What the list of models says of the default model."""
    model = anthropic.Anthropic(base_url=url, api_key="any-key").models.retrieve("smollm2-135m-instruct")
    assert model.capabilities is not None
    return model.capabilities.image_input.supported


def typescript(url: str, folder: Path, *names: str) -> Results:
    return json.loads(run_client([node(), HERE / "ts" / "vision.mjs", folder, *names], url))


def result(results: Results, name: str) -> Any:
    value = results[name]
    assert "raised" not in value, value["raised"]
    return value


@pytest.mark.promise("snippets.vision", "vision.sources")
def test_the_vision_examples(seeing: str, there: Outside) -> None:
    command = [sys.executable, ROOT / "examples" / "primer" / "vision.py"]
    output = run_client(command, seeing, timeout=600, extra=there.environment)
    assert output.strip()
    assert there.tunnels.asked == [f"CONNECT {HOST}:443"]
    client, *server = there.host.asked
    assert (client.path, [asked.path for asked in server]) == (ANT, ["/robots.txt", ANT])
    assert client.headers["user-agent"].startswith("python-httpx")
    assert all("antiphon" in asked.headers["user-agent"].lower() for asked in server)


@pytest.mark.promise("vision.described", "vision.described-or-refused")
def test_the_default_model_takes_pictures_though_it_does_not_see(described: str) -> None:
    # The examples are run on it, to the letter, in test_examples.py.
    assert takes_images(described)


@pytest.mark.promise("counting.equals-usage", "vision.described")
def test_counted_tokens_are_those_of_the_description(described: str) -> None:
    sign = image(next(written.file for written in corpus() if written.name == "a sign"))
    counted = count(described, sign, QUESTION).json()["input_tokens"]
    usage = create(described, sign, QUESTION, max_tokens=1).json()["usage"]
    cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    assert usage["input_tokens"] + cached == counted > count(described, QUESTION).json()["input_tokens"] + 50


@pytest.mark.promise("runner.images", "runner.python", "tool-results.blocks")
def test_the_python_runners_give_pictures_and_documents_back(scripted: str, folder: Path) -> None:
    names = ["runner", "streaming_runner", "asynchronous_runner"]
    results = python(scripted, folder, *names)
    assert [result(results, name) for name in names] == [[CALLED, SAID]] * 3


@pytest.mark.promise("runner.images", "runner.typescript", "tool-results.blocks")
def test_the_typescript_runner_gives_pictures_and_documents_back(scripted: str, folder: Path) -> None:
    names = ["runner", "streaming_runner"]
    results = typescript(scripted, folder, *names)
    assert [result(results, name) for name in names] == [[CALLED, SAID]] * 2


@pytest.mark.promise("runner.images")
@pytest.mark.parametrize("client", [python, typescript])
def test_a_real_model_calls_a_tool_that_gives_a_picture(seeing: str, folder: Path, client: Any) -> None:
    first, second = result(client(seeing, folder, "forced_runner"), "forced_runner")
    assert [(reply["stop"], reply["names"]) for reply in (first, second)] == [("tool_use", ["screen"])] * 2
    # 64×48 pixels are twelve of the projector's squares.
    assert second["input"] - first["input"] > 12


@pytest.mark.promise("counting.equals-usage", "vision.places-exact")
def test_counted_tokens_are_the_tokens_charged(seeing: str, folder: Path) -> None:
    counts = result(python(seeing, folder, "counts"), "counts")
    assert [name for name, (counted, used) in counts.items() if counted != used] == []
    assert counts["text and a picture"][0] > counts["a picture"][0] > 12
    assert len(counts) == 8


@pytest.mark.promise("vision.refusals", "further.pdf", "vision.described-or-refused")
def test_a_model_that_does_not_see_names_the_picture_and_reads_the_rest(refusing: str, folder: Path) -> None:
    refused = result(python(refusing, folder, "refusals"), "refusals")
    assert not takes_images(refusing)
    places = {name: text.partition(": this model does not support image input")[0] for name, text in refused.items()}
    assert places == {
        "a picture": "messages.0.content.0",
        "text and a picture": "messages.0.content.1",
        "pictures and texts": "messages.0.content.0",
        "a picture by URL": "messages.0.content.0",
        "a PDF": "",
        "a text": "",
        "blocks": "messages.0.content.0.document.source.content.content.1",
        "a result": "messages.2.content.0.tool_result.content.1",
    }

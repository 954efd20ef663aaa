"""Documents over HTTP: long ones in time and memory, from other hosts, and of every kind."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from benchmarks.media import document as heavy

from tests.media.broken_images import noise, saved
from tests.media.pdf_writer import document
from tests.referee.footprint import footprint
from tests.referee.live import Live, live_process, live_server
from tests.referee.outside import Outside, outside
from tests.referee.posting import QUESTION, Json, count, create, image, pdf

SCRIPT = f"script:{Path(__file__).parent / 'documents.toml'}"
# 10 s and 500 MB are promised, on a machine that does nothing else.
SECONDS = 30.0
MEMORY = 500 * 1024 * 1024


@pytest.fixture(scope="module")
def there() -> Iterator[Outside]:
    """A host of the owner's own network."""
    with outside() as found:
        yield found


@pytest.fixture(scope="module")
def scripted(there: Outside) -> Iterator[Live]:
    """A server whose model sees, and whose owner has named the host and its authority on the command line."""
    owned = ("--network-allow-hosts", f"localhost:{there.host.port}", "--network-ca-file", str(there.host.ca_file))
    with live_process("--model", SCRIPT, *owned) as live:
        yield live


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.json()["content"][0]["text"]


def refusal(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]["message"]


def at(url: str, kind: str = "document") -> Json:
    return {"type": kind, "source": {"type": "url", "url": url}}


def text(data: str) -> Json:
    return {"type": "text", "media_type": "text/plain", "data": data}


@pytest.mark.promise("media.hundred-pages")
@pytest.mark.parametrize("sees", [True, False], ids=["sees", "does not see"])
def test_a_hundred_pages_are_read_in_time_and_memory(scripted: Live, default_server: Live, sees: bool) -> None:
    live = scripted if sees else default_server
    data = heavy(100)
    with footprint(live.pid) as memory:
        began = time.monotonic()
        answer = count(live.url, pdf(data), QUESTION)
        seconds = time.monotonic() - began
    print(f"100 pages: {seconds:.1f} s, {memory.most / 2**20:.0f} MiB")
    # Some 45 lines a page; whoever sees is charged for the drawings of the pages too.
    assert answer.status_code == 200, answer.text
    assert answer.json()["input_tokens"] > (100_000 if sees else 40_000)
    assert seconds < SECONDS
    assert memory.most < MEMORY


@pytest.mark.promise("further.pdf", "media.pdf-pages")
def test_every_page_of_a_long_document_reaches_the_model(scripted: Live) -> None:
    assert said(create(scripted.url, pdf(document(100)), QUESTION)) == "A hundred pages."


@pytest.mark.promise("further.pdf")
def test_a_model_that_does_not_see_reads_a_pdf_by_its_text(server: str) -> None:
    whole, question = (count(server, *content).json() for content in ([pdf(document(100)), QUESTION], [QUESTION]))
    # "This is page 1. It has two lines."
    assert whole["input_tokens"] - question["input_tokens"] > 100 * 10
    assert create(server, pdf(document(1)), QUESTION, max_tokens=1).status_code == 200
    drawn = document(1, content=b"<< /Length 0 >>\nstream\n\nendstream")
    assert refusal(create(server, QUESTION, pdf(drawn))).startswith("messages.0.content.1: this PDF holds no text")


@pytest.mark.promise("further.pdf", "network.allow-list")
def test_files_come_from_a_host_that_the_owner_has_named(scripted: Live, there: Outside) -> None:
    there.host.serve("/report.pdf", document(3), "application/pdf")
    there.host.serve("/picture.png", saved(noise("RGB"), "PNG"), "image/png")
    assert said(create(scripted.url, at(there.host.url("/report.pdf")), QUESTION)) == "Three pages."
    assert said(create(scripted.url, at(there.host.url("/picture.png"), "image"), QUESTION)) == "A picture."
    assert "/robots.txt" not in there.host.paths


@pytest.mark.promise("vision.guarded-fetch", "network.allow-list")
def test_no_other_host_of_the_inside_is_asked(there: Outside) -> None:
    there.host.serve("/secret.png", saved(noise("RGB"), "PNG"), "image/png")
    before = len(there.host.asked)
    with live_server("--model", SCRIPT) as stranger:
        for url in (there.host.url("/secret.png"), f"https://127.0.0.1:{there.host.port}/secret.png"):
            told = refusal(create(stranger, at(url, "image"), QUESTION))
            assert told == "Unable to download the file. Please verify the URL and try again."
    assert len(there.host.asked) == before


@pytest.mark.promise("tool-results.blocks", "media.every-document")
def test_texts_and_blocks_reach_the_model_with_title_and_context(scripted: Live) -> None:
    blocks = [
        {"type": "text", "text": "First block."},
        image(saved(noise("RGB"), "PNG")),
        {"type": "text", "text": "Last block."},
    ]
    answer = create(
        scripted.url,
        {"type": "document", "source": text("The grass is green."), "title": "Of grass", "context": "A draft."},
        {
            "type": "document",
            "source": {"type": "content", "content": blocks},
            "title": "Of blocks",
            "context": "A list.",
        },
        QUESTION,
    )
    assert said(answer) == "Grass and blocks."

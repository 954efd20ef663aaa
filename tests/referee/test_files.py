"""Both lines of the official Python SDK, and the TypeScript SDK, keep and use files: on one server, and on two."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from anthropic import Anthropic
from PIL import Image

from antiphon.compose.edges import SystemClock
from antiphon.service.files.files import Files
from antiphon.stores.objects import Objects
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.files import SqlFiles
from antiphon.testing.dice import CountingEntropy
from tests.media.pdf_writer import lines, objects, stream, written
from tests.referee.live import live_process, run_client
from tests.referee.node import node
from tests.stores.databases import PostgresServer, fresh_postgres

HERE = Path(__file__).parent
FACT = "The bill was 17 thalers."
SCRIPT = f"""
[[reply]]
prompt = '{FACT}'
text = "17 thalers."

[[reply]]
text = "A picture."
"""
PROGRAMS: dict[str, list[str | Path]] = {
    "python": [sys.executable, HERE / "file_scenarios.py"],
    "python 0.x": [HERE.parents[1] / ".venv-sdk0" / "bin" / "python", HERE / "file_scenarios.py"],
    "typescript": [node(), HERE / "ts" / "files.mjs"],
}
Results = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PDF, a text, a picture, and a script that tells them apart."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "bill.pdf").write_bytes(written({**objects(1), 11: stream(lines(FACT))}))
    (folder / "bill.txt").write_text(FACT)
    Image.new("RGB", (20, 10), "red").save(folder / "chart.png")
    (folder / "script.toml").write_text(SCRIPT)
    return folder


async def make(database_url: str, objects_url: str, tenant: str) -> str:
    """A file such as tools make, put beside a server into its stores; with the time of now, or it would be swept."""
    database = await Database.open(database_url)
    files = Files.over(SqlFiles(database), Objects.open(objects_url), SystemClock(), CountingEntropy())

    async def chunks() -> AsyncIterator[bytes]:
        yield b"a,b\n"
        yield b"1,2\n"

    file = await files.uploads.make(tenant, "made.csv", "text/csv", chunks())
    await database.aclose()
    return file.id


def run(language: str, folder: Path, database_url: str, objects_url: str, fronts: int) -> Results:
    with ExitStack() as running:
        extra = {"ANTIPHON_STORES_DATABASE": database_url, "ANTIPHON_STORES_OBJECTS": objects_url}
        model = ("--model", f"script:{folder / 'script.toml'}")
        urls = [running.enter_context(live_process(*model, extra=extra)).url for _ in range(fronts)]
        request = Request(f"{urls[0]}/v1/files", headers={"x-api-key": "any", "anthropic-version": "2023-06-01"})
        with urlopen(request) as answer:
            tenant = answer.headers["anthropic-workspace-id"]
        made = asyncio.run(make(database_url, objects_url, tenant))
        given = {"FRONTS": ",".join(urls), "FOLDER": str(folder), "MADE": made}
        return json.loads(run_client(PROGRAMS[language], urls[0], extra=given))


@pytest.fixture(scope="module", params=list(PROGRAMS))
def results(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What an SDK does with one server and its own SQLite."""
    kept = tmp_path_factory.mktemp("kept")
    return run(request.param, folder, f"sqlite:///{kept / 'a.db'}", (kept / "objects").as_uri(), 1)


def check(results: Results) -> None:
    for name, value in results.items():
        assert "raised" not in value, f"{name}: {value['raised']}"


@pytest.mark.promise("files.used-by-id", "files.metadata", "files.deleted")
def test_files_are_uploaded_in_every_form_and_used_by_id(results: Results, folder: Path) -> None:
    check(results)
    size = (folder / "bill.pdf").stat().st_size
    expected = {
        "bytes": ["unnamed.txt", "text/plain", 11, False, "file", "file_"],
        "tuple": ["notes.md", "text/markdown", 7, False, "file", "file_"],
        "pair": ["c.csv", "text/csv", 3, False, "file", "file_"],
        "path": ["chart.png", "image/png", (folder / "chart.png").stat().st_size, False, "file", "file_"],
        "open": ["bill.pdf", "application/pdf", size, False, "file", "file_"],
        "beta": ["beta.txt", "text/plain", 4, False, "file", "file_"],
    }
    told = results["uploads"]
    if told["bytes"][0] == "upload":
        # 0.x sends a name of its own for bytes without one.
        expected["bytes"][0] = "upload"
    assert told == {name: expected[name] for name in told}
    assert len(told) >= 4
    used = results["documents"]
    for name in ("bill.pdf", "bill.txt"):
        assert used[name] == ["17 thalers.", "17 thalers.", True]
    assert used["chart.png"] == ["A picture.", "A picture.", True]
    assert [used[f"{name} deleted"] for name in ("bill.pdf", "bill.txt", "chart.png")] == [
        [404, "not_found_error", None]
    ] * 3


@pytest.mark.promise("files.expiry", "files.metadata")
def test_a_lifetime_is_told_and_bounded(results: Results) -> None:
    assert results["lives"] == {
        "seconds": 3600,
        "same": True,
        "never": True,
        "error": [400, "invalid_request_error", None],
    }


@pytest.mark.promise("files.pagers", "files.ids", "files.two-shapes")
def test_pagers_walk_the_whole_list_in_either_shape(results: Results) -> None:
    assert results["pagers"] == {"new": True, "beta": True, "old": True, "pages": 3, "ids": True}
    assert results["deleting_while_walking"] == {"deleted": True, "left": True}


@pytest.mark.promise("files.downloads")
def test_what_tools_made_is_downloaded_and_uploads_are_not(results: Results) -> None:
    assert results["downloads"] == {
        "made": "a,b\n1,2\n",
        "beta": "a,b\n1,2\n",
        "type": "text/csv",
        "upload": [400, "invalid_request_error", "file_not_downloadable"],
        "unknown": [404, "not_found_error", None],
        "told": True,
    }


@pytest.mark.promise("files.no-halves")
def test_a_server_that_is_killed_within_an_upload_lists_nothing_of_it(tmp_path: Path, folder: Path) -> None:
    serve = ("--model", f"script:{folder / 'script.toml'}", "--data", str(tmp_path / "data"))
    with live_process(*serve) as live, socket.create_connection(address_of(live.url), timeout=30) as client:
        head = "POST /v1/files HTTP/1.1\r\nhost: localhost\r\nx-api-key: any\r\nanthropic-version: 2023-06-01\r\n"
        form = '--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        client.sendall(f"{head}content-type: multipart/form-data; boundary=b\r\n".encode())
        client.sendall(f"content-length: 100000000\r\n\r\n{form}".encode())
        # More than every buffer on the way takes: the server has begun to keep it.
        for _ in range(64):
            client.sendall(bytes(1024 * 1024))
        os.kill(live.pid, signal.SIGKILL)
    with live_process(*serve) as live, Anthropic(base_url=live.url, api_key="any") as sdk:
        assert list(sdk.files.list()) == []
        kept = sdk.files.upload(file=("a.txt", b"whole", "text/plain"))
        assert [file.id for file in sdk.files.list()] == [kept.id]
    with live_process(*serve) as live, Anthropic(base_url=live.url, api_key="any") as sdk:
        assert [file.id for file in sdk.files.list()] == [kept.id]


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


@pytest.mark.promise("files.pagers", "files.used-by-id", "files.downloads")
@pytest.mark.parametrize("language", list(PROGRAMS))
async def test_two_servers_over_one_database_are_one(
    language: str, folder: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    async with fresh_postgres(postgres) as url:
        shared = await asyncio.to_thread(run, language, folder, url, (tmp_path / "objects").as_uri(), 2)
    check(shared)
    assert shared["documents"]["bill.pdf"] == ["17 thalers.", "17 thalers.", True]
    assert shared["pagers"] == {"new": True, "beta": True, "old": True, "pages": 3, "ids": True}
    assert shared["downloads"]["made"] == "a,b\n1,2\n"

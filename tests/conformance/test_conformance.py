"""The public test of servers, on a right one, on one that is none, and as a command."""

import json
import xml.etree.ElementTree as Xml
from collections.abc import Generator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.cli.main import program
from antiphon.conformance.asking import Asked, Http
from antiphon.conformance.check import Failed
from antiphon.conformance.running import run
from antiphon.conformance.subjects import CHECKS
from antiphon.testing import ScriptedServer
from antiphon.testing.listening import LoopThread, listening
from antiphon.words import WANTED_KEY
from tests.conformance.stand import KEY, MODEL, right_server


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with right_server(tmp_path_factory.mktemp("data")) as url:
        yield url


def command(*arguments: str) -> tuple[int, str]:
    """The exit code of the command, and what it prints."""
    result = CliRunner().invoke(program, ["conformance", *arguments])
    return result.exit_code, result.output


@pytest.mark.promise("conformance.right")
def test_a_right_server_passes_every_check(url: str) -> None:
    report = run(Http(url, 30), KEY, MODEL, parallel=4)
    assert [(one.check.id, one.words) for one in report.outcomes if one.verdict != "passed"] == []
    assert [one.check.id for one in report.outcomes] == [check.id for check in CHECKS]
    assert len(report.outcomes) >= 150


@pytest.mark.promise("conformance.right")
@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-sonnet-5-5"])
def test_what_a_name_of_the_api_does_not_have_is_skipped_and_nothing_fails(url: str, model: str) -> None:
    report = run(Http(url, 30), KEY, model, parallel=4)
    assert [(one.check.id, one.words) for one in report.outcomes if one.verdict == "failed"] == []
    assert {one.check.subject for one in report.outcomes if one.verdict == "skipped"} <= {
        *("messages", "thinking", "tools", "streaming", "structured_outputs"),
    }


@pytest.mark.promise("conformance.any-server")
def test_what_a_server_lacks_is_skipped_by_name() -> None:
    with ScriptedServer() as server:
        code, output = command("--url", server.url, "--key", server.api_key, "--model", MODEL, "--only", "batches")
    assert (code, "there is no /v1/messages/batches: the status is 404" in output) == (0, True), output


@pytest.mark.promise("conformance.any-server")
def test_a_server_of_something_else_is_reported_to_its_end() -> None:
    async def hello(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("Hello.")(scope, receive, send)

    app: ASGIApp = hello
    with LoopThread() as thread, thread.inside(listening(app)) as url:
        report = run(Http(url, 30), "k", "m", parallel=4)
    passed = {one.check.id for one in report.outcomes if one.verdict == "passed"}
    assert passed <= {"headers.beta-query", "headers.request-ids-differ", "streaming.no-error"}
    assert report.count("failed") > 250


@pytest.mark.promise("conformance.reports")
def test_every_report_tells_the_same(url: str, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "junit", "html")}
    flags = [part for kind, path in files.items() for part in (f"--{kind}", str(path))]
    code, output = command("--url", url, "--key", KEY, "--model", MODEL, *flags)
    assert (code, f"{len(CHECKS)} passed, 0 failed, 0 skipped of {len(CHECKS)} checks" in output) == (0, True), output
    told = json.loads(files["json"].read_text("utf-8"))
    assert (told["passed"], [check["id"] for check in told["checks"]]) == (
        len(CHECKS),
        [check.id for check in CHECKS],
    )
    suite = Xml.parse(files["junit"]).getroot()
    assert (suite.get("tests"), suite.get("failures"), len(suite)) == (str(len(CHECKS)), "0", len(CHECKS))
    page = files["html"].read_text("utf-8")
    assert all(check.id in page for check in CHECKS)
    assert "src=" not in page
    assert "href=" not in page


@pytest.mark.promise("conformance.reports")
def test_a_failure_is_told_everywhere_and_is_the_exit_code(tmp_path: Path) -> None:
    async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("<b>\x01No.</b>", status_code=500)(scope, receive, send)

    app: ASGIApp = refuses
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "junit", "html")}
    flags = [part for kind, path in files.items() for part in (f"--{kind}", str(path))]
    with LoopThread() as thread, thread.inside(listening(app)) as url:
        code, output = command("--url", url, "--model", "m", "--only", "messages.role", *flags)
    assert (code, "FAIL  messages.role: A reply's role is assistant.\n         the status is 500" in output) == (
        1,
        True,
    )
    [told] = json.loads(files["json"].read_text("utf-8"))["checks"]
    assert (told["verdict"], told["words"].startswith("the status is 500")) == ("failed", True)
    [case] = Xml.parse(files["junit"]).getroot()
    assert [child.tag for child in case] == ["failure"]
    assert tags(files["html"].read_text("utf-8")).isdisjoint({"b"})


def tags(page: str) -> set[str]:
    """The elements of a page."""
    found: set[str] = set()

    class Reader(HTMLParser):
        """Collects tags."""

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found.add(tag)

    Reader().feed(page)
    return found


def test_only_what_is_named_is_tried_and_an_unknown_name_is_said(url: str) -> None:
    code, output = command(
        "--url", url, "--key", KEY, "--model", MODEL, "--only", "files", "--only", "messages.role", "-v"
    )
    assert code == 0
    assert "ok  messages.role" in output
    assert "messages.type" not in output
    code, output = command("--only", "poems")
    assert (code, "there is no subject or check poems" in output) == (2, True), output


def test_the_checks_can_be_listed_without_a_server() -> None:
    code, output = command("--list")
    assert (code, len(output.splitlines())) == (0, len(CHECKS))
    assert "messages.role: A reply's role is assistant. (API reference: Create a Message)" in output


def test_without_a_model_the_first_of_the_list_is_asked(url: str) -> None:
    code, output = command("--url", url, "--key", KEY, "--only", "messages.role")
    assert (code, "1 passed" in output) == (0, True), output


def test_a_server_that_is_not_there_is_said_in_one_line() -> None:
    code, output = command("--url", "http://127.0.0.1:9")
    assert (code, output.count("\n")) == (2, 1)
    assert output.startswith("antiphon: nothing answers at http://127.0.0.1:9. ")


def test_a_server_that_refuses_the_key_says_where_one_goes(url: str) -> None:
    code, output = command("--url", url, "--key", "wrong")
    assert (code, output) == (2, f"antiphon: {url}: the key is refused; {WANTED_KEY}\n")


def test_a_server_that_says_nothing_is_given_up() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    app: ASGIApp = silent
    with (
        LoopThread() as thread,
        thread.inside(listening(app)) as url,
        pytest.raises(Failed, match=r"for 0\.2 seconds"),
    ):
        Http(url, 0.2)(Asked("GET", "/v1/models", {}))


def test_every_check_is_a_sentence_with_a_source_under_a_name_of_its_own() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert len({(check.subject, check.sentence) for check in CHECKS}) == len(CHECKS)
    assert [check.id for check in CHECKS if not (check.sentence.endswith(".") and check.source)] == []

"""The log as JSON: every line about a request has its id, and none has what was said in it."""

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from antiphon.compose.listening import LOG_FORMAT, log_as
from antiphon.config import Settings
from antiphon.engines.scripted import ScriptedEngine
from antiphon.ports.server_tools import ServerCall, ServerResult
from antiphon.testing import engine_app
from antiphon.testing.app import MODEL
from antiphon.web.logged import JsonFormatter
from tests.service.server_tools import ScriptedTool
from tests.web.searching_app import SEARCH, says, search

SECRET = "the word that nobody may read"
SONNET = "claude-sonnet-4-5-20250929"


@pytest.fixture
def lines() -> Generator[io.StringIO]:
    """What the log says."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger, requests = logging.getLogger("antiphon"), logging.getLogger("antiphon.requests")
    before = logger.level, requests.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    requests.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(before[0])
    requests.setLevel(before[1])


def read(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def ask(**more: Any) -> dict[str, Any]:
    return {"model": SONNET, "max_tokens": 100, "messages": [{"role": "user", "content": SECRET}], **more}


@pytest.mark.promise("logs.requests", "logs.no-content")
async def test_each_request_has_a_line_with_its_id_and_outcome_and_nothing_of_its_text(lines: io.StringIO) -> None:
    async with engine_app(ScriptedEngine(MODEL, says(SECRET)), api_keys=("good",)) as bridge:
        key = {"x-api-key": "good"}
        good = await bridge.post(ask(), headers=key)
        stream = await bridge.post(ask(stream=True), headers=key)
        bad = await bridge.post(ask(max_tokens=SECRET), headers=key)
        await bridge.ask("GET", "/livez")
    assert SECRET not in lines.getvalue()
    assert "good" not in lines.getvalue()
    told = [line for line in read(lines) if line["logger"] == "antiphon.requests"]
    assert [(line["request_id"], line["status"]) for line in told] == [
        (good.headers["request-id"], 200),
        (stream.headers["request-id"], 200),
        (bad.headers["request-id"], 400),
    ]
    assert {line["endpoint"] for line in told} == {"messages"}
    assert [line["model"] for line in told] == [SONNET, SONNET, ""]
    assert all(line["key"].startswith("apikey_") and line["seconds"] >= 0 for line in told)
    assert all(line["time"].endswith("+00:00") and line["level"] == "info" for line in told)


@pytest.mark.promise("logs.requests", "logs.no-content")
async def test_what_fails_within_a_request_is_told_with_its_id_and_place_and_not_with_its_words(
    lines: io.StringIO,
) -> None:
    async def breaks(call: ServerCall) -> ServerResult:
        raise RuntimeError(SECRET)

    rules = says(search(), when=SECRET, times=1) + says("Done.")
    async with engine_app(ScriptedEngine(MODEL, rules), runs=[ScriptedTool(breaks)]) as bridge:
        answer = await bridge.post(ask(tools=[SEARCH]))
    assert answer.status == 200
    (line,) = [line for line in read(lines) if "exception" in line]
    assert line["request_id"] == answer.headers["request-id"]
    assert line["exception"]["type"] == "builtins.RuntimeError"
    assert any("test_logged.py" in place and place.endswith(" breaks") for place in line["exception"]["at"])
    assert SECRET not in json.dumps(line["exception"])


@contextmanager
def untouched() -> Generator[logging.Logger]:
    """The log as it was, behind the test."""
    root, loggers = logging.getLogger(), [logging.getLogger(name) for name in ("uvicorn", "antiphon.requests")]
    before = root.handlers[:], root.level, [logger.level for logger in loggers]
    root.handlers.clear()
    yield root
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for logger, level in zip(loggers, before[2], strict=True):
        logger.setLevel(level)


@pytest.mark.promise("logs.requests")
def test_the_settings_choose_the_form_and_a_worker_says_its_number() -> None:
    record = logging.LogRecord("antiphon", logging.INFO, "", 0, "so it is", None, None)
    with untouched() as root:
        log_as(Settings(log_format="json"), LOG_FORMAT, worker=2)
        (handler,) = root.handlers
        assert json.loads(handler.format(record))["worker"] == 2
        assert logging.getLogger("antiphon.requests").isEnabledFor(logging.INFO)


def test_by_default_lines_are_text_and_requests_have_none() -> None:
    record = logging.LogRecord("antiphon", logging.INFO, "", 0, "so it is", None, None)
    with untouched() as root:
        log_as(Settings(), LOG_FORMAT)
        (handler,) = root.handlers
        assert handler.format(record) == "INFO antiphon: so it is"
        assert not logging.getLogger("antiphon.requests").isEnabledFor(logging.INFO)

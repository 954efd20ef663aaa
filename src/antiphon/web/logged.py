"""Lines of the log as JSON: which request each is about, and nothing of what anybody said.

A line holds what this program wrote into it. Of an exception there is its type and where it came from: its own text
may quote what was read, and is left out.
"""

import logging
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson

REQUEST: Final[ContextVar[str]] = ContextVar("antiphon.request", default="")
"""The id of the request that is being answered, wherever in its work a line is written."""

REQUESTS: Final = "antiphon.requests"
"""The logger that has a line for each request."""

FIELDS: Final = "antiphon_fields"
"""Where a record of the log holds more fields of its line."""


class RequestRecord(logging.LogRecord):
    """A record of `REQUESTS`. It does not look for the place in the program where it was made, which takes long for
    what every request has, and says nothing."""

    def __init__(self, message: str, fields: Mapping[str, Any]) -> None:
        self.name = REQUESTS
        self.msg, self.args = message, ()
        self.levelno, self.levelname = logging.INFO, "INFO"
        self.created = time.time()
        self.msecs, self.relativeCreated = self.created % 1 * 1000, 0.0
        self.pathname = self.filename = self.module = self.funcName = ""
        self.lineno = self.thread = self.process = 0
        self.threadName = self.processName = ""
        self.exc_info = self.exc_text = self.stack_info = None
        self.__dict__[FIELDS] = fields


class JsonFormatter(logging.Formatter):
    """One JSON object a line. `worker`: the number of the process, where there are several."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._worker is not None:
            line["worker"] = self._worker
        if request := REQUEST.get():
            line["request_id"] = request
        line |= getattr(record, FIELDS, {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _told(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _told(problem: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(problem.__traceback__)
    kind = f"{type(problem).__module__}.{type(problem).__qualname__}"
    return {"type": kind, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}

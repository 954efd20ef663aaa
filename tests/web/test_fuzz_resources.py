"""Whatever is asked of lists, files, skills, batches and reports, it is answered or a 4xx in the API's envelope.

Run for longer as `tests/web/test_fuzz.py` says; a failure names the request in the same way.
"""

import logging
import os
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from antiphon.config import BatchSettings, StoreSettings
from antiphon.service.keys import Keys, Wanted
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.files import SqlFiles
from antiphon.stores.sql.keys import SqlKeys
from antiphon.testing import Bridge
from antiphon.testing.bridge import Answer
from antiphon.testing.dice import CountingEntropy
from tests.web.files_app import files_app
from tests.web.fuzz_resources import ROOTS, Asked, asked

SEED = int(os.environ.get("FUZZ_SEED", "1"))
EACH = int(os.environ.get("FUZZ_REQUESTS", "2000")) // (2 * len(ROOTS))
KNOWN = {
    400: {"invalid_request_error"},
    401: {"authentication_error"},
    403: {"permission_error"},
    404: {"not_found_error"},
    405: {"invalid_request_error"},
    409: {"conflict_error", "invalid_request_error"},
    413: {"request_too_large"},
    415: {"invalid_request_error"},
    429: {"rate_limit_error"},
}


@dataclass
class Fuzzed:
    """An app that keeps everything, and a key of each kind."""

    bridge: Bridge
    key: str
    admin: str

    async def ask(self, request: Asked, root: str, number: int) -> Answer:
        """Send it, mostly with the key that is wanted there."""
        admin = root in ("reports", "costs", "limits", "workspaces")
        key = self.admin if admin is (number % 20 != 0) else self.key
        headers = {"x-api-key": key, "content-type": None, **request.headers}
        return await self.bridge.ask(request.method, request.path, request.body, headers=headers, query=request.query)


@pytest.fixture
async def fuzzed(database_url: str, tmp_path: Path) -> AsyncGenerator[Fuzzed]:
    """An app whose files, skills, batches and records lie in a real database, of each kind in turn."""
    logging.disable(logging.WARNING)
    database, dice = await Database.open(database_url), CountingEntropy()
    try:
        async with files_app(
            rows=SqlFiles(database),
            stores=StoreSettings(data=str(tmp_path), database=database_url),
            # Rows stay as they were taken, so that the same number finds the same again.
            batches=BatchSettings(concurrency=0),
            max_body=2_000_000,
        ) as app:
            keys = Keys(SqlKeys(database), app.clock, dice)
            key, admin = [(await keys.add(Wanted(name, admin=name == "admin")))[1] for name in ("app", "admin")]
            yield Fuzzed(app.bridge, key, admin)
    finally:
        logging.disable(logging.NOTSET)
        await database.aclose()


def wrong(request: Asked, answer: Answer) -> str | None:
    """What no client may be sent; None where all is well."""
    if answer.status == 200 or request.method == "HEAD":
        return None if answer.status < 500 else f"status {answer.status}"
    if answer.status not in KNOWN:
        return f"status {answer.status}: {answer.body[:300]!r}"
    body: Any = answer.json
    if body.keys() != {"type", "error", "request_id"} or body["request_id"] != answer.headers["request-id"]:
        return f"no envelope: {body}"
    if body["error"]["type"] not in KNOWN[answer.status]:
        return f"not the status's error: {answer.status}, {body}"
    message: str = body["error"]["message"]
    return None if message.strip() and len(message) < 6000 else f"no message: {body}"


@pytest.mark.promise("errors.no-request-is-a-500")
@pytest.mark.parametrize("root", ROOTS)
async def test_whatever_is_asked_of_a_resource_is_answered_or_refused(fuzzed: Fuzzed, root: str) -> None:
    known: list[str] = []
    statuses: set[int] = set()
    for number in range(EACH):
        request = asked(root, SEED, number, known[-6:])
        answer = await fuzzed.ask(request, root, number)
        problem = wrong(request, answer)
        assert problem is None, f"{root}, seed {SEED}, number {number}: {request.method} {request.path}: {problem}"
        statuses.add(answer.status)
        if answer.status == 200 and request.method == "POST":
            known.append(answer.json["id"])
    assert {200, 404, 405} <= statuses or root == "workspaces"

"""A client of batches, and an app that keeps them."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from antiphon.config import BatchSettings, StoreSettings
from antiphon.testing import Bridge, scripted_app
from antiphon.testing.bridge import WAIT, Answer

Json = dict[str, Any]

SCRIPT = """
[[reply]]
match = "^slow$"
text = "At last."
hang = true

[[reply]]
text = "Hello."
"""
PATH = "/v1/messages/batches"


def params(content: Any = "Hi", **more: Any) -> Json:
    """What one request asks for; None leaves a key out."""
    asked: Json = {
        "model": "claude-opus-4-8",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": content}],
        **more,
    }
    return {key: value for key, value in asked.items() if value is not None}


def request(custom_id: str, **more: Any) -> Json:
    """A request of a batch."""
    return {"custom_id": custom_id, "params": params(**more)}


def app(
    folder: Path, script: str = SCRIPT, *, batches: BatchSettings | None = None, **options: Any
) -> AbstractAsyncContextManager[Bridge]:
    """An app that keeps what it keeps in a folder."""
    stores = StoreSettings(data=str(folder))
    # What hangs does not end for being given time.
    said: dict[str, Any] = {"batches": batches or BatchSettings(), "drain_timeout": 0.0, **options}
    return scripted_app(script, stores=stores, **said)


class Client:
    """Asks an app about batches, with the headers of one caller."""

    def __init__(self, bridge: Bridge, headers: Mapping[str, str | None] | None = None) -> None:
        self.bridge = bridge
        self._headers = headers

    async def ask(self, method: str, path: str = "", body: object = None, **options: Any) -> Answer:
        """Any request, by its path behind that of batches."""
        headers = {**(self._headers or {}), **options.pop("headers", {})}
        return await self.bridge.ask(method, PATH + path, body, headers=headers, **options)

    async def create(self, *requests: Json, **options: Any) -> Json:
        """A new batch."""
        answer = await self.ask("POST", "", {"requests": requests}, **options)
        assert answer.status == 200, answer.body
        return answer.json

    async def get(self, batch: Json) -> Json:
        """The batch as it is now."""
        answer = await self.ask("GET", f"/{batch['id']}")
        assert answer.status == 200, answer.body
        return answer.json

    async def ended(self, batch: Json) -> Json:
        """The batch once it has ended."""
        async with asyncio.timeout(WAIT):
            while (now := await self.get(batch))["processing_status"] != "ended":
                assert now["results_url"] is None
        return now

    async def results(self, batch: Json) -> dict[str, Json]:
        """The results of a batch by their ids, once it has ended."""
        await self.ended(batch)
        answer = await self.ask("GET", f"/{batch['id']}/results")
        assert answer.status == 200, answer.body
        lines = [json.loads(line) for line in answer.body.decode().splitlines()]
        found = {line["custom_id"]: line["result"] for line in lines}
        assert len(found) == len(lines)
        return found

"""An app with skills, and a client that uploads them as clients do."""

import io
import zipfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.config import StoreSettings
from antiphon.testing.bridge import Answer, Bridge
from antiphon.testing.clock import FixedClock
from tests.web.code_app import CodeApp, code_app
from tests.web.files_app import FORM, files_app, form, part

BETA = {"anthropic-beta": "skills-2025-10-02"}


def manifest(name: str = "my-skill", description: str = "Does it.", body: str = "Do it.") -> bytes:
    """A SKILL.md."""
    return f"---\nname: {name}\ndescription: {description}\n---\n{body}\n".encode()


def files(name: str = "my-skill", **more: str) -> dict[str, bytes]:
    """The files of a skill, in its folder."""
    return {f"{name}/SKILL.md": manifest(name, **more), f"{name}/scripts/run.sh": b"#!/bin/sh\necho ran $1\n"}


def archive(given: Mapping[str, bytes]) -> bytes:
    """A zip of files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, data in given.items():
            zipped.writestr(path, data)
    return made.getvalue()


def uploaded(given: Mapping[str, bytes], **fields: str) -> bytes:
    """The form that uploads these files."""
    parts = [part("files[]", data, path, "application/octet-stream") for path, data in given.items()]
    return form(*parts, *(part(name, value.encode()) for name, value in fields.items()))


@dataclass
class SkillsApp:
    """The app. Paths begin behind `/v1/skills`."""

    bridge: Bridge
    clock: FixedClock
    code: CodeApp | None = None

    async def send(self, body: bytes, path: str = "", headers: dict[str, str] | None = None) -> Answer:
        """`POST` a form."""
        return await self.bridge.ask("POST", f"/v1/skills{path}", body, headers={**FORM, **(headers or {})})

    async def made(self, given: Mapping[str, bytes] | None = None, path: str = "", **more: Any) -> Any:
        """The skill, or version, that is made of the files."""
        self.clock.time += 1
        answer = await self.send(uploaded(given or files()), path, **more)
        assert answer.status == 200, answer.body
        return answer.json

    async def get(self, path: str = "", query: str = "", headers: dict[str, str] | None = None) -> Answer:
        """`GET`"""
        return await self.bridge.ask("GET", f"/v1/skills{path}", headers=headers, query=query)

    async def delete(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """`DELETE`"""
        return await self.bridge.ask("DELETE", f"/v1/skills{path}", headers=headers)

    async def pages(self, path: str = "", query: str = "limit=2", headers: dict[str, str] | None = None) -> list[Any]:
        """All that a list has, page after page."""
        found: list[Any] = []
        page = ""
        while True:
            answer = await self.get(path, query + page, headers)
            assert answer.status == 200, answer.body
            found += answer.json["data"]
            if answer.json["next_page"] is None:
                return found
            page = f"&page={answer.json['next_page']}"


@asynccontextmanager
async def skills_app(
    folder: Path, script: str = "[[reply]]\ntext = 'Yes.'\n", **settings: Any
) -> AsyncGenerator[SkillsApp]:
    """An app whose skills lie beneath the folder."""
    clock = FixedClock()
    stores = StoreSettings(data=str(folder / "data"))
    async with files_app(script, clock=clock, stores=stores, **settings) as app:
        yield SkillsApp(app.bridge, clock)


@asynccontextmanager
async def skilled_app(folder: Path, script: str, **settings: Any) -> AsyncGenerator[SkillsApp]:
    """The same with code."""
    stores = StoreSettings(data=str(folder / "data"))
    async with code_app(folder / "boxes", script, stores=stores, **settings) as app:
        yield SkillsApp(app.files.bridge, app.clock, app)

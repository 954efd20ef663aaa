"""A client of skills, over HTTP: those of this server, or of any other that speaks the API."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import aiohttp
import orjson

from antiphon.clients.asking import PATIENCE, VERSION, is_loopback, refusal
from antiphon.words import unreached

PATH: Final = "/v1/skills"

_PAGE: Final = 1000
_LEFT_OUT: Final = "node_modules"

Json = dict[str, Any]


class SkillError(Exception):
    """It does not work: the server refuses, or cannot be reached, or a folder is not what it should be."""


class SkillClient:
    """Asks one server. Raises `SkillError`."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._headers = {"x-api-key": key, "anthropic-version": VERSION}

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, key: str) -> AsyncGenerator["SkillClient"]:
        """A client of the server at a URL, for as long as the block lasts."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=not is_loopback(url)) as session:
            yield cls(session, url, key)

    async def listed(self, source: str | None = None) -> list[Json]:
        """All skills, or those from this source."""
        return await self._all(PATH, {} if source is None else {"source": source})

    async def show(self, id_: str) -> Json:
        """A skill, with its versions."""
        skill = await self._asked("GET", _path(id_))
        return {**skill, "versions": await self._all(f"{_path(id_)}/versions", {})}

    async def add(self, path: Path, *, to: str | None = None, name: str | None = None) -> Json:
        """Upload the folder, or the zip. A new skill, or the version that it is `to` an old one."""
        # Quoted, the slashes of a path would be lost.
        form = aiohttp.FormData(quote_fields=False)
        for named, data in _uploaded(path):
            form.add_field("files[]", data, filename=named, content_type="application/octet-stream")
        if name is not None:
            form.add_field("display_name", name)
        return await self._asked("POST", PATH if to is None else f"{_path(to)}/versions", data=form)

    async def remove(self, id_: str, version: str | None = None) -> None:
        """Take a skill away with all its versions, or one of these."""
        await self._asked("DELETE", _path(id_) if version is None else f"{_path(id_)}/versions/{quote(version, '')}")

    async def _all(self, path: str, asked: Mapping[str, str]) -> list[Json]:
        found: list[Json] = []
        query = {**asked, "limit": str(_PAGE)}
        while True:
            page = await self._asked("GET", path, params=query)
            found += page["data"]
            if not page.get("next_page"):
                return found
            query["page"] = page["next_page"]

    async def _asked(self, method: str, path: str, **given: Any) -> Json:
        try:
            url = self._url + path
            async with self._session.request(method, url, headers=self._headers, **given) as reply:
                body = await reply.read()
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise SkillError(unreached(self._url, problem)) from problem
        if reply.status != 200:
            raise SkillError(refusal(reply.status, body))
        return cast("Json", orjson.loads(body))


def _path(id_: str) -> str:
    return f"{PATH}/{quote(id_, '')}"


def _uploaded(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a skill, each under its path from the folder's parent on; a zip by itself."""
    try:
        if not path.is_dir():
            yield path.name, path.read_bytes()
            return
        top = path.resolve()
        for one in sorted(top.rglob("*")):
            inner = one.relative_to(top).parts
            left_out = any(part.startswith(".") or part == _LEFT_OUT for part in inner)
            if one.is_file() and not (left_out or one.is_symlink()):
                yield "/".join((top.name, *inner)), one.read_bytes()
    except OSError as problem:
        raise SkillError(f"{problem.filename}: {problem.strerror}") from problem

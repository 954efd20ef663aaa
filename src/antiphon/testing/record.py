"""Records what an application and a real server say to each other, from between them.

    python -m antiphon.testing.record --to https://api.example.com session.json

prints the URL to set as the application's base URL, and writes the file whenever an exchange has ended.
"""

import argparse
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import aiohttp
from starlette.types import ASGIApp, Receive, Scope, Send

from antiphon.errors import ApiError
from antiphon.testing.listening import LoopThread, listening
from antiphon.testing.received import Received
from antiphon.testing.recording import Exchange, Recording
from antiphon.testing.server import read, request_of
from antiphon.web.errors import error_reply

_HOP: Final = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding", "content-encoding"}


@contextmanager
def recorded(to: str, path: str | Path) -> Generator[str]:
    """The URL of a proxy of the server at `to`, which records into a file, for as long as the block lasts."""
    with LoopThread() as thread, thread.inside(recording_proxy(to, Path(path))) as url:
        yield url


@asynccontextmanager
async def recording_proxy(to: str, path: Path) -> AsyncGenerator[str]:
    """The same on the loop that runs."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), trust_env=True) as session,
        listening(_proxy(session, to.rstrip("/"), path)) as url,
    ):
        yield url


def _proxy(session: aiohttp.ClientSession, to: str, path: Path) -> ASGIApp:
    recording = Recording()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope, await read(receive))
        try:
            exchange = await _forward(session, to, request, send)
        except (aiohttp.ClientError, TimeoutError) as problem:
            unreached = ApiError("api_error", f"{to} cannot be reached: {problem}", status=502)
            await error_reply(unreached, "req_unreached")(scope, receive, send)
            return
        recording.add(exchange)
        recording.write(path)

    return app


async def _forward(session: aiohttp.ClientSession, to: str, request: Received, send: Send) -> Exchange:
    url = to + request.path + (f"?{request.query}" if request.query else "")
    headers = {name: value for name, value in request.headers.items() if name not in _HOP}
    body: list[bytes] = []
    async with session.request(request.method, url, headers=headers, data=request.body or None) as reply:
        answered = {name.lower(): value for name, value in reply.headers.items() if name.lower() not in _HOP}
        passed = [(name.encode(), value.encode("latin-1")) for name, value in answered.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": passed})
        async for piece in reply.content.iter_any():
            body.append(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        exchange = Exchange.of(request, reply.status, answered, b"".join(body))
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return exchange


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m antiphon.testing.record", description=__doc__)
    parser.add_argument("--to", required=True, metavar="URL", help="the server that answers")
    parser.add_argument("file", help="where it is written")
    given = parser.parse_args()
    with recorded(given.to, given.file) as url:
        print(f"ANTHROPIC_BASE_URL={url}", flush=True)  # noqa: T201 - a program
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()

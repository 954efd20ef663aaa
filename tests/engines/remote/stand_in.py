"""A server on loopback that answers as a test wants."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StandIn:
    """A server whose next answers a test sets; it remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer = says(200, {})
        self.url = ""
        self.asked: list[web.Request] = []
        self.bodies: list[object] = []
        self.gone = asyncio.Event()
        self.hanging = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.json() if request.can_read_body else None)
        try:
            return await self.answer(request)
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise

    async def hangs(self, request: web.Request) -> web.StreamResponse:
        """Answers nothing, and says so."""
        self.hanging.set()
        return await hangs(request)


@asynccontextmanager
async def standing_in() -> AsyncGenerator[StandIn]:
    """The server, as long as the block lasts."""
    made = StandIn()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield made
    finally:
        await runner.cleanup()


def says(status: int, body: object, **headers: str) -> Answer:
    """A JSON answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


def streams(*parts: bytes, cut: bool = False, hang: bool = False, media_type: str = "text/event-stream") -> Answer:
    """A stream. `cut`: the connection is torn behind the parts; `hang`: nothing more comes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": media_type})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        if cut and request.transport is not None:
            request.transport.abort()
        if hang:
            await asyncio.Event().wait()
        return response

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """The connection is torn before anything is answered."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hangs(request: web.Request) -> web.StreamResponse:
    """Nothing is answered."""
    await asyncio.Event().wait()
    raise AssertionError

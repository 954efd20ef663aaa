"""A server in front of another that notes what goes through: what clients that we cannot look into have sent.

    python -m tests.referee.recording URL FILE

Prints its own address. Each line of the file is a request as JSON: the status of its answer, and its body.
"""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import ClientSession, web

_END_TO_END = {"content-type", "request-id", "retry-after", "x-should-retry"}


async def serve(upstream: str, file: Path) -> None:
    """Until the process ends."""

    async def passed(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in ("host", "accept-encoding")
        }
        async with (
            ClientSession() as session,
            session.request(request.method, upstream + request.path_qs, data=body, headers=headers) as answer,
        ):
            with file.open("a") as log:
                sent = json.loads(body) if body else None
                log.write(json.dumps({"status": answer.status, "path": request.path, "body": sent}) + "\n")
            kept = {name: value for name, value in answer.headers.items() if name.lower() in _END_TO_END}
            reply = web.StreamResponse(status=answer.status, headers=kept)
            await reply.prepare(request)
            async for chunk in answer.content.iter_any():
                await reply.write(chunk)
            await reply.write_eof()
            return reply

    app = web.Application(client_max_size=2**28)
    app.router.add_route("*", "/{path:.*}", passed)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (host, port, *_) = runner.addresses[0]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))

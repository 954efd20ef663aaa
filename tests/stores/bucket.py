"""A stand-in for S3: as much of its protocol as an object store needs, on loopback, kept in memory."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import md5
from xml.sax.saxutils import escape

from aiohttp import web


@dataclass
class Bucket:
    """What it holds, and what it was asked. `broken`: it answers every call with this status."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict[str, dict[int, bytes]])
    begun: int = 0
    broken: int = 0
    calls: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        """One call. Keys are behind the bucket's name in the path."""
        self.calls += 1
        if self.broken:
            return web.Response(status=self.broken, text="<Error><Code>ServiceUnavailable</Code></Error>")
        key = request.path.partition("/bucket")[2].lstrip("/")
        body = await request.read()
        asked = request.query
        if "uploads" in asked or "uploadId" in asked:
            return self._upload(request.method, key, body, asked.get("uploadId", ""), asked.get("partNumber", ""))
        match request.method:
            case "PUT":
                self.objects[key] = body
                return web.Response(headers={"ETag": _tag(body)})
            case "DELETE":
                self.objects.pop(key, None)
                return web.Response(status=204)
            case "POST":  # several that are to be deleted
                keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
                for each in keys:
                    self.objects.pop(each, None)
                deleted = "".join(f"<Deleted><Key>{each}</Key></Deleted>" for each in keys)
                return web.Response(text=f"<DeleteResult>{deleted}</DeleteResult>")
            case _ if not key:
                return self._list(asked.get("prefix", ""))
            case _:
                return self._get(request, key)

    def _upload(self, method: str, key: str, body: bytes, id_: str, part: str) -> web.Response:
        if not id_:
            self.begun += 1
            self.uploads[str(self.begun)] = {}
            root = "InitiateMultipartUploadResult"
            return web.Response(text=f"<{root}><UploadId>{self.begun}</UploadId></{root}>")
        if method == "DELETE":
            del self.uploads[id_]
            return web.Response(status=204)
        if method == "PUT":
            self.uploads[id_][int(part)] = body
            return web.Response(headers={"ETag": _tag(body)})
        parts = self.uploads.pop(id_)
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        root = "CompleteMultipartUploadResult"
        return web.Response(text=f"<{root}><ETag>{_tag(self.objects[key])}</ETag></{root}>")

    def _list(self, prefix: str) -> web.Response:
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(data)}</Size>"
            f"<LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>{_tag(data)}</ETag></Contents>"
            for key, data in self.objects.items()
            if key.startswith(prefix)
        )
        return web.Response(text=f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>")

    def _get(self, request: web.Request, key: str) -> web.Response:
        if (data := self.objects.get(key)) is None:
            return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
        headers = {"ETag": _tag(data), "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(data))})
        wanted = request.headers.get("range")
        if wanted is None:
            return web.Response(body=data, headers=headers)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        end = min(int(last) + 1 if last else len(data), len(data))
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
        return web.Response(status=206, body=data[int(first) : end], headers=headers)


@asynccontextmanager
async def serving_bucket() -> AsyncGenerator[Bucket]:
    """One that listens, and is empty."""
    bucket = Bucket()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", bucket.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bucket.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield bucket
    finally:
        await runner.cleanup()


def variables(bucket: Bucket) -> dict[str, str]:
    """The environment of who uses it."""
    return {
        "AWS_ENDPOINT_URL": bucket.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "here",
    }


def _tag(data: bytes) -> str:
    return f'"{md5(data, usedforsecurity=False).hexdigest()}"'

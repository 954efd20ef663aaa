"""A model hub on loopback, as far as `huggingface_hub` asks for one: repositories, files, ranges, refusals.

GET   /api/models/{org}/{repo}                    the repository's files
HEAD  /{org}/{repo}/resolve/main/{file}           size, etag and commit
GET   the same                                    the file, or the range that is asked for
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import orjson

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_secret"


@dataclass
class StandInHub:
    """`files`: repository → file → bytes. `gated` repositories want `TOKEN`. `breaks`: how often a download is cut
    in half. `down`: every answer is a 503. `lies`: what is sent is not what was announced. `ranges`: whether it knows
    any. `stalls_after`: the next file's bytes stop there, which sets `stalled`, until `go_on`. `log`: method, path and
    range of what was asked for files."""

    endpoint: str = ""
    files: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    gated: set[str] = field(default_factory=set[str])
    breaks: int = 0
    down: bool = False
    lies: bool = False
    ranges: bool = True
    stalls_after: int | None = None
    stalled: Event = field(default_factory=Event)
    go_on: Event = field(default_factory=Event)
    log: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])

    @property
    def downloads(self) -> list[tuple[str, str | None]]:
        """Path and range of every file that was asked for."""
        return [(path, wanted) for method, path, wanted in self.log if method == "GET" and "/resolve/" in path]


@contextmanager
def running() -> Generator[StandInHub]:
    """A hub that listens, for as long as the context is open."""
    hub = StandInHub()

    class Handler(_Handler):
        pass

    Handler.hub = hub
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: StandInHub

    def do_HEAD(self) -> None:
        """What is a file like?"""
        self._answer()

    def do_GET(self) -> None:
        """A listing or a file."""
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self) -> None:
        self.hub.log.append((self.command, self.path, self.headers.get("range")))
        if self.hub.down:
            return self._refuse(503, "")
        if self.path.startswith("/api/models/"):
            return self._list(self.path.removeprefix("/api/models/"))
        repo, separator, file = self.path.strip("/").partition("/resolve/main/")
        if not separator or repo not in self.hub.files:
            return self._refuse(404, "RepoNotFound")
        if repo in self.hub.gated and self.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._refuse(403, "GatedRepo")
        if file not in self.hub.files[repo]:
            return self._refuse(404, "EntryNotFound")
        return self._give(self.hub.files[repo][file])

    def _list(self, repo: str) -> None:
        if repo not in self.hub.files:
            return self._refuse(401, "RepoNotFound")
        siblings = [{"rfilename": file} for file in self.hub.files[repo]]
        body = orjson.dumps({"id": repo, "modelId": repo, "sha": COMMIT, "private": False, "siblings": siblings})
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("x-error-code", code)
        self.send_header("x-error-message", code)
        self.send_header("content-length", "0")
        self.end_headers()

    def _give(self, data: bytes) -> None:
        wanted = self.headers.get("range") if self.hub.ranges else None
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("content-range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("content-length", str(len(data) - start))
        self.send_header("accept-ranges", "bytes")
        self.send_header("etag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("x-repo-commit", COMMIT)
        self.end_headers()
        if self.command == "HEAD":
            return
        rest = data[start:] if not self.hub.lies else bytes(len(data) - start)
        if self.hub.stalls_after is not None:
            self.wfile.write(rest[: self.hub.stalls_after])
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.go_on.wait(60)
            self.close_connection = True
            return
        if self.hub.breaks:
            self.hub.breaks -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

"""One request over HTTP and its answer, with what Python brings: any server, no package."""

import http.client
import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from antiphon.conformance.check import Failed

_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON. Raises `Failed` where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failed(f"the body is no JSON: {self.short}") from None

    @property
    def short(self) -> str:
        """The beginning of the body, for people."""
        return self.body[:300].decode(errors="replace")

    @property
    def kind(self) -> str:
        """Its content type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """How requests reach the server. Raises `Failed` where it cannot be reached or says nothing in time."""

    def __call__(self, asked: Asked) -> Answer:
        """The answer to a request."""
        ...


class Unreached(Failed):
    """Nobody was reached; the cause says why."""


class Http:
    """A server at a URL, each request on a connection of its own; through the environment's proxy, if there is one.

    `timeout`: seconds without a byte after which a request is given up.
    """

    def __init__(self, url: str, timeout: float) -> None:
        place = urlsplit(url if "//" in url else f"http://{url}")
        self._secure = place.scheme == "https"
        self._host = place.hostname or "127.0.0.1"
        self._port = place.port or (_HTTPS if self._secure else http.client.HTTP_PORT)
        self._prefix = place.path.rstrip("/")
        self._timeout = timeout
        bypassed = self._host in ("127.0.0.1", "localhost", "::1") or urllib.request.proxy_bypass(self._host)
        proxy = None if bypassed else urllib.request.getproxies().get(place.scheme)
        self._proxy = urlsplit(proxy) if proxy else None

    def __call__(self, asked: Asked) -> Answer:
        """The answer to a request."""
        connection = self._connection()
        try:
            connection.request(asked.method, self._prefix + asked.path, asked.body or None, {**asked.headers})
            with connection.getresponse() as reply:
                headers = {name.lower(): value for name, value in reply.getheaders()}
                return Answer(reply.status, headers, reply.read())
        except TimeoutError:
            raise Failed(f"{asked.method} {asked.path}: nothing came for {self._timeout:g} seconds") from None
        except OSError as problem:
            raise Unreached(f"{asked.method} {asked.path}: {type(problem).__name__}: {problem}") from problem
        except http.client.HTTPException as problem:
            raise Failed(f"{asked.method} {asked.path}: {type(problem).__name__}: {problem}") from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port, tunnel = self._host, self._port, self._proxy is not None
        if self._proxy is not None:
            host, port = self._proxy.hostname or "", self._proxy.port or http.client.HTTP_PORT
        if self._secure:
            made = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=ssl.create_default_context()
            )
        else:
            made = http.client.HTTPConnection(host, port, timeout=self._timeout)
        if tunnel:
            made.set_tunnel(self._host, self._port)
        return made

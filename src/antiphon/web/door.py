"""The outermost layer: every HTTP reply carries its ids, pages are kept to what they may do, a closed door says so.

While models load, `GET /livez` is a 200, `GET /health` and `GET /readyz` are a 503, and every other request is a 529
that clients retry.
"""

import logging
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.config import Settings
from antiphon.errors import ApiError
from antiphon.ids import ENTROPY_BYTES, make_id
from antiphon.ports.system import Entropy
from antiphon.ports.tracing import Tracer
from antiphon.service.metrics import Metrics
from antiphon.web.cors import PREFLIGHT, Cors
from antiphon.web.errors import error_reply
from antiphon.web.headers import FIELDS, by_name
from antiphon.web.hosts import HostCheck
from antiphon.web.identity import CALLER, IDENTITY, LIMITS, Derive, Identity
from antiphon.web.logged import REQUEST, REQUESTS, RequestRecord
from antiphon.web.metrics import MODEL, endpoint_of
from antiphon.web.probes import LIVE, READY, live, ready
from antiphon.web.reached import PROXIES, Proxies
from antiphon.web.tracing import Traced, is_followed

LOADING_RETRY_SECONDS = "5"

_STATUS: Final = "antiphon.status"

log = logging.getLogger(REQUESTS)


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is settled before a request reaches the app: who may ask, and what every reply says."""

    identity: Identity
    hosts: HostCheck
    cors: Cors
    proxies: Proxies

    @classmethod
    def of(cls, settings: Settings, derive: Derive) -> "Threshold":
        """The threshold that the settings amount to. `derive`: see `web.identity`."""
        return cls(
            Identity(derive, settings.api_keys),
            HostCheck(settings.allowed_hosts, keys=settings.require_keys or bool(settings.api_keys)),
            Cors(settings.cors_origins),
            Proxies(settings.trusted_proxies),
        )


class Door:
    """Wraps an app that may come later (`open`). `metrics`: counts the requests. `tracer`: follows those to
    messages; None: nobody does."""

    def __init__(
        self, entropy: Entropy, threshold: Threshold, metrics: Metrics | None = None, tracer: Tracer | None = None
    ) -> None:
        self._entropy = entropy
        self._threshold = threshold
        self._metrics = metrics or Metrics()
        self._tracer = tracer
        self._app: ASGIApp | None = None
        self.draining = False
        self.in_flight = 0

    def open(self, app: ASGIApp) -> None:
        """Let requests through to the app."""
        self._app = app

    def replace(self, threshold: Threshold) -> None:
        """Let the next requests over another threshold."""
        self._threshold = threshold

    def drain(self) -> None:
        """Say from now on that new requests are best sent elsewhere; those that come are answered all the same."""
        self.draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        id_ = make_id("req_", self._entropy.bytes(ENTROPY_BYTES))
        scope["antiphon.request_id"] = id_
        said = REQUEST.set(id_)
        header = (b"request-id", id_.encode())
        identity = scope[IDENTITY] = self._threshold.identity
        scope[PROXIES] = self._threshold.proxies
        app, shared = self._admit(scope)
        if self._tracer is not None and is_followed(scope):
            app = Traced(app, self._tracer)

        def send_with_ids(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"])
                own = message.get("headers", ())
                headers = [*own, header, *identity.headers(scope.get(CALLER)), *shared]
                if LIMITS in scope:
                    headers += [(name.encode(), said.encode()) for name, said in scope[LIMITS].items()]
                # A message of its own: who sent this one may send it again in another reply.
                message = {**message, "headers": headers}
            return send(message)

        looks = endpoint_of(scope["path"]) is None
        began = time.monotonic()
        self.in_flight += 1
        self._metrics.open += not looks
        try:
            await app(scope, receive, send_with_ids)
        finally:
            self.in_flight -= 1
            self._metrics.open -= not looks
            if not looks and log.isEnabledFor(logging.INFO):
                _tell(scope, time.monotonic() - began)
            REQUEST.reset(said)

    def _count(self, scope: Scope, status: int) -> None:
        endpoint, caller = endpoint_of(scope["path"]), scope.get(CALLER)
        scope[_STATUS] = status
        if endpoint is not None:
            key = "" if caller is None else caller.key
            self._metrics.requests.add(endpoint, str(status), scope.get(MODEL, ""), key)

    def _admit(self, scope: Scope) -> tuple[ASGIApp, Sequence[tuple[bytes, bytes]]]:
        """What answers the request, and the headers that let a page read the reply."""
        fields = scope[FIELDS] = by_name(scope["headers"])
        try:
            self._threshold.hosts.check(fields.get(b"host"), scope["server"])
            origin = fields.get(b"origin")
            if origin is None:
                return self._answering(scope["path"]), ()
            if scope["method"] == "OPTIONS" and PREFLIGHT in fields:
                return self._threshold.cors.preflight(origin, fields), ()
            return self._answering(scope["path"]), self._threshold.cors.readable(origin, fields)
        except ApiError as error:
            return error_reply(error, scope["antiphon.request_id"]), ()

    def _answering(self, path: str) -> ASGIApp:
        if path == LIVE:
            return live()
        if path == READY and (self._app is None or self.draining):
            return ready(yes=False)
        return self._app or _closed


def _tell(scope: Scope, seconds: float) -> None:
    caller = scope.get(CALLER)
    fields = {
        "endpoint": endpoint_of(scope["path"]),
        "status": scope.get(_STATUS),
        "model": scope.get(MODEL, ""),
        "key": "" if caller is None else caller.key,
        "seconds": round(seconds, 3),
    }
    log.handle(RequestRecord("answered" if _STATUS in scope else "left before the reply", fields))


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    loading = ApiError(
        "overloaded_error",
        "The model is still being loaded. Please try again in a moment.",
        status=503 if scope["path"] == "/health" else None,
        headers={"retry-after": LOADING_RETRY_SECONDS},
    )
    await error_reply(loading, scope["antiphon.request_id"])(scope, receive, send)

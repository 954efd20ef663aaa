"""A server for the tests of an application: the whole API on a port of its own, over replies that the test plans."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from antiphon.dialogue.events import StopReason
from antiphon.engines.scripted import ScriptedEngine
from antiphon.engines.scripted.memory import ReadPrompts
from antiphon.errors import ApiError
from antiphon.testing.app import MODEL, SEALS, engine_app
from antiphon.testing.clock import FixedClock
from antiphon.testing.dice import CountingEntropy
from antiphon.testing.listening import LoopThread, listening
from antiphon.testing.plan import Plan, Planned, UnexpectedRequest, When
from antiphon.testing.playing import HangUp, OfferedSearch, PlannedMessages, Player
from antiphon.testing.received import Headers, Received
from antiphon.testing.recording import Exchange, Recording
from antiphon.testing.said import Ending, Said, check_reason
from antiphon.testing.said import error as error_of
from antiphon.web.errors import error_reply

API_KEY: Final = "sk-antiphon-testing"
_PROMISED: Final = b"1000000"


class ScriptedServer:
    """The API at `url`, for whoever has `api_key`, with replies that are planned. A context manager.

    `settings`: fields of `antiphon.config.Settings`. `thread`: where it runs; without one, in a thread of its own.
    """

    def __init__(self, *, thread: LoopThread | None = None, api_key: str = API_KEY, **settings: Any) -> None:
        self.url = ""
        self.api_key = api_key
        self.clock = FixedClock()
        self.requests: list[Received] = []
        """What the application has sent, in the order in which it came."""
        self.unexpected: list[UnexpectedRequest] = []
        """Requests that no reply was planned for."""
        self._plan = Plan()
        self._recordings: list[Recording] = []
        self._settings: dict[str, Any] = {"api_keys": (api_key,), **settings}
        self._thread = thread
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            thread = self._thread or opening.enter_context(LoopThread())
            self.url = opening.enter_context(thread.inside(self._listening()))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop; connections that are open are cut off. May be called more than once."""
        self._open.close()

    @property
    def last(self) -> Received:
        """The newest request. Raises `AssertionError` where none came."""
        assert self.requests, "the application has sent nothing"
        return self.requests[-1]

    @property
    def left(self) -> int:
        """How many planned replies, and recorded ones, nobody has asked for."""
        return self._plan.left + sum(recording.left for recording in self._recordings)

    def reply(
        self,
        *said: Said,
        when: When | None = None,
        times: int | None = 1,
        stop_reason: StopReason | None = None,
        stop_sequence: str | None = None,
        delay: float = 0.0,
        chunk_delay: float = 0.0,
        ending: Ending | None = None,
    ) -> None:
        """Plan a reply: texts, and what `thinking`, `tool_call` and `web_search` make. `times=None`: always.

        It is given to the next request that no earlier plan fits; `when` says to which. Seconds pass before the first
        chunk (`delay`) and behind each.
        """
        if stop_reason is not None:
            check_reason(stop_reason)
        if stop_sequence is not None:
            stop_reason = "stop_sequence"
        self._plan.add(
            Planned(
                said,
                stop_reason,
                stop_sequence,
                ending=ending,
                delay=delay,
                chunk_delay=chunk_delay,
                when=when,
                times=times,
            )
        )

    def pause(self, *said: Said, when: When | None = None, times: int | None = 1) -> None:
        """Plan a reply that the application is to send back for the rest of it: `pause_turn`."""
        self.reply(*said, when=when, times=times, stop_reason="pause_turn")

    def refuse(
        self, *said: Said, category: str | None = None, when: When | None = None, times: int | None = 1
    ) -> None:
        """Plan a reply that is broken off for what it is about: `refusal`."""
        details = {"type": "refusal", "category": category, "explanation": None}
        self._plan.add(Planned(said, "refusal", stop_details=details, when=when, times=times))

    def fail(
        self,
        status: int,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        when: When | None = None,
        times: int | None = 1,
    ) -> None:
        """Plan an error instead of a reply, such as 429, 500 or 529."""
        self._plan.add(Planned(error=error_of(status, message, retry_after=retry_after), when=when, times=times))

    def replay(self, path: str | Path) -> None:
        """Answer with what was recorded in this file, each request with what it was answered with then."""
        self._recordings.append(Recording.read(Path(path)))

    def check(self) -> None:
        """Raise the first `UnexpectedRequest`, if there was one."""
        if self.unexpected:
            raise self.unexpected[0]

    @asynccontextmanager
    async def _listening(self) -> AsyncGenerator[str]:
        player = Player(self._plan, SEALS, CountingEntropy(), ReadPrompts(), self.unexpected.append)
        async with (
            engine_app(
                ScriptedEngine(MODEL, ""),
                clock=self.clock,
                runs=[OfferedSearch()],
                messages=lambda inner: PlannedMessages(inner, player),
                **self._settings,
            ) as bridge,
            listening(_Watched(bridge.app, self.requests.append, self._recorded)) as url,
        ):
            yield url

    def _recorded(self, request: Received) -> Exchange | ApiError | None:
        """What a recording has for a request; an error where there are only recordings, and none has it."""
        for recording in self._recordings:
            exchange = recording.take(request)
            if exchange is not None:
                return exchange
        if not self._recordings or self._plan.replies:
            return None
        unexpected = UnexpectedRequest("; ".join(recording.differing(request) for recording in self._recordings))
        self.unexpected.append(unexpected)
        return ApiError("invalid_request_error", f"antiphon.testing: {unexpected}")


class _Watched:
    """An app whose requests are remembered, and answered from recordings where there are any."""

    def __init__(
        self,
        app: ASGIApp,
        received: Callable[[Received], None],
        recorded: Callable[[Received], Exchange | ApiError | None],
    ) -> None:
        self._app = app
        self._received = received
        self._recorded = recorded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read(receive)
        request = request_of(scope, body)
        self._received(request)

        def sent(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                request.status = message["status"]
            return send(message)

        answer = self._recorded(request)
        if isinstance(answer, Exchange):
            await answer.send(sent)
        elif answer is not None:
            await error_reply(answer, "req_unexpected")(scope, receive, sent)
        else:
            await self._ask(scope, again(body, receive), sent, request)

    async def _ask(self, scope: Scope, receive: Receive, send: Send, request: Received) -> None:
        try:
            await self._app(scope, receive, send)
        except HangUp:
            if not request.status:
                # A body that is shorter than its header says is what a lost connection looks like.
                lost = [(b"content-type", b"application/json"), (b"content-length", _PROMISED)]
                await send({"type": "http.response.start", "status": 200, "headers": lost})
                await send({"type": "http.response.body", "body": b"{", "more_body": True})


def request_of(scope: Scope, body: bytes) -> Received:
    """The request of a scope."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Received(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), Headers(headers), body)


async def read(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was read already, and then what else there is."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def from_the_start() -> Message:
        return waiting.pop() if waiting else await receive()

    return from_the_start

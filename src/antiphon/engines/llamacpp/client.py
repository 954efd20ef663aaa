"""The conversation with a llama.cpp server: its HTTP endpoints as plain calls.

Source: llama.cpp's server README (endpoints `/completion`, `/tokenize`, `/detokenize`,
`/v1/messages/count_tokens`, `/props`, `/health`), and measurements:

- The server closes kept-alive connections after a stream, so that the next request on one of them fails: every
  request has a connection of its own.
- It notices a closed connection when it next writes, and while it reads a prompt it writes only with
  `return_progress`.
- `n_predict: 0` writes one token all the same.
- Events of a stream have their tokens whether they were asked for or not.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Literal

import aiohttp
import orjson

from antiphon.engines.arriving import Arriving, Silence
from antiphon.errors import EngineDied, EngineFault, EngineNotBegun, EngineRefused, EngineUnavailable
from antiphon.ports.engine import Done, EngineOutput, Piece, PrefillProgress

CALL_TIMEOUT: Final = 120.0
CONNECT_TIMEOUT: Final = 10.0
HEALTH_TIMEOUT: Final = 5.0
SAVE_TIMEOUT: Final = 30.0
# A stream that says nothing: the server sends a comment every 30 s, also while it works.
SILENCE_TIMEOUT: Final = 180.0
_HEADS: Final = (b"data: ", b"error: ")
_REASONS: Final[dict[str, Literal["end", "length", "stop"]]] = {"limit": "length", "word": "stop"}
STREAMED: Final[dict[str, Any]] = {
    "stream": True,
    "return_progress": True,
    "response_fields": ("stop", "stop_type", "stopping_word", "tokens_predicted", "timings/cache_n"),
}
"""What asks the server for the events that `read_event` reads."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, and its key."""

    address: str
    key: str


class LlamaClient:
    """Calls one or another llama.cpp server. Raises kinds of `EngineFault` only."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def is_healthy(self, server: Server) -> bool:
        """Whether the server says that it can work."""
        try:
            await self._call(server, "GET", "/health", patience=HEALTH_TIMEOUT)
        except EngineFault:
            return False
        return True

    async def context(self, server: Server) -> int:
        """Tokens that one conversation may hold there."""
        properties = await self._call(server, "GET", "/props")
        return int(properties["default_generation_settings"]["n_ctx"])

    async def tokenize(
        self, server: Server, content: str | Sequence[str | int], *, special: bool, ends: bool = False
    ) -> list[int]:
        """The tokens of a text, or of several with tokens among them (which stay as they are).

        `special`: texts of control tokens become them. `ends`: add what the model wants around every text.
        """
        body = {"content": content, "parse_special": special, "add_special": ends}
        reply = await self._call(server, "POST", "/tokenize", body)
        tokens: list[int] = reply["tokens"]
        return tokens

    async def detokenize(self, server: Server, tokens: Sequence[int]) -> str:
        """The text of the tokens, control tokens in their own."""
        reply = await self._call(server, "POST", "/detokenize", {"tokens": tokens})
        return str(reply["content"])

    async def count(self, server: Server, block: dict[str, Any]) -> int:
        """The tokens of a message of one block in the Messages API's form, with what the server puts around it."""
        body = {"messages": [{"role": "user", "content": [block]}]}
        reply = await self._call(server, "POST", "/v1/messages/count_tokens", body)
        return int(reply["input_tokens"])

    async def read(self, server: Server, slot: int, tokens: Sequence[int]) -> int:
        """Read a prompt in a slot; how many of its tokens were there already."""
        body = {"prompt": tokens, "n_predict": 0, "id_slot": slot, "cache_prompt": True}
        reply = await self._call(server, "POST", "/completion", body)
        return int(reply["timings"]["cache_n"])

    async def save(self, server: Server, slot: int, name: str) -> int:
        """Write what is in a slot to the file of this name; how many tokens these are."""
        reply = await self._call(
            server, "POST", f"/slots/{slot}?action=save", {"filename": name}, patience=SAVE_TIMEOUT
        )
        return int(reply["n_saved"])

    async def restore(self, server: Server, slot: int, name: str) -> int:
        """Put what is in the file of this name into a slot, in place of what was there; how many tokens these are."""
        body = {"filename": name}
        reply = await self._call(server, "POST", f"/slots/{slot}?action=restore", body, patience=SAVE_TIMEOUT)
        return int(reply["n_restored"])

    async def erase(self, server: Server, slot: int) -> None:
        """Forget what is in a slot."""
        await self._call(server, "POST", f"/slots/{slot}?action=erase", patience=SAVE_TIMEOUT)

    async def complete(
        self, server: Server, body: dict[str, Any], *, counts: bool = False
    ) -> AsyncGenerator[EngineOutput]:
        """Run a completion; closing the generator closes its connection, which ends the work.

        Pieces have tokens where the body asks for them (`return_tokens`): the token that was written last, which need
        not be that of the text. `counts`: see `Telling`.
        """
        asked, told = {**body, **STREAMED}, Telling(tokens="return_tokens" in body, counts=counts)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=SILENCE_TIMEOUT)
        response = await self._open(server, "POST", "/completion", asked, timeout)
        silence = Silence(response.content, SILENCE_TIMEOUT)
        try:
            if response.status != 200:
                raise _refusal(response.status, await response.read())
            if response.connection is not None and response.connection.protocol is not None:
                response.connection.protocol.read_timeout = None  # from here on it is `silence`
            arriving, rest = Arriving.of(response), b""
            while arriving is not None:
                data = arriving.take()
                if not data:
                    more = arriving.more()
                    if more is None:
                        break
                    await more
                    continue
                silence.ends()
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(_HEADS):
                        for output in told(orjson.loads(line[line.index(b" ") :])):
                            yield output
                        if told.over:
                            return
            told.end()
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineDied(f"the engine was lost in the middle of a reply: {_words(problem)}") from problem
        finally:
            silence.close()
            response.close()

    async def _call(
        self, server: Server, method: str, path: str, body: object = None, *, patience: float = CALL_TIMEOUT
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=patience)
        response = await self._open(server, method, path, body, timeout)
        try:
            data = await response.read()
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineDied(f"the engine was lost during {path}: {_words(problem)}") from problem
        finally:
            response.close()
        if response.status != 200:
            raise _refusal(response.status, data)
        return orjson.loads(data)

    async def _open(
        self,
        server: Server,
        method: str,
        path: str,
        body: object,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109
    ) -> aiohttp.ClientResponse:
        """Send a request; its answer's status is here, its body is not."""
        data = None if body is None else _to_json(body)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0),
                # A proxy of the environment is never meant for this machine's own loopback.
                trust_env=False,
            )
        url = server.address + path
        try:
            return await self._session.request(method, url, data=data, headers=_headers(server), timeout=timeout)
        except TimeoutError as problem:
            raise EngineDied(f"the engine did not answer {path}: {_words(problem)}") from problem
        except (aiohttp.ClientError, OSError) as problem:
            raise EngineNotBegun(f"the engine was lost before it began {path}: {_words(problem)}") from problem


def _headers(server: Server) -> dict[str, str]:
    return {"authorization": f"Bearer {server.key}", "content-type": "application/json"}


def _to_json(value: object) -> BytesIO:
    # As a file, because a body of megabytes is then sent piece by piece, with room for others in between.
    try:
        return BytesIO(orjson.dumps(value))
    except orjson.JSONEncodeError as problem:
        raise EngineRefused(f"the prompt cannot be sent to the engine: {problem}") from problem


def read_event(event: dict[str, Any], *, tokens: bool) -> EngineOutput:
    """What an event of a stream says. `tokens`: pieces are to have them. Raises the fault that it tells of."""
    if event.get("stop"):
        reason = _REASONS.get(event["stop_type"], "end")
        matched = event["stopping_word"] if reason == "stop" else None
        return Done(reason, event["tokens_predicted"], event.get("timings/cache_n") or 0, matched)
    content = event.get("content")
    if content is None:
        error = event.get("error", event)
        raise _refusal(int(error.get("code", 500)), orjson.dumps({"error": error}))
    progress = event.get("prompt_progress")
    if progress is None:
        return Piece(content, event["tokens_predicted"], tuple(event["tokens"]) if tokens else ())
    return PrefillProgress(progress["processed"], progress["total"], progress["cache"])


class Telling:
    """Reads one stream's events. `tokens`: see `read_event`. `counts`: tokens without text, half a character when the
    limit fell inside it, are a piece before the end. `over`: the end has come."""

    def __init__(self, *, tokens: bool, counts: bool = False) -> None:
        self._tokens = tokens
        self._counts = counts
        self._counted = 0
        self.over = False

    def __call__(self, event: dict[str, Any]) -> Sequence[EngineOutput]:
        """What the event says."""
        try:
            output = read_event(event, tokens=self._tokens)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise EngineDied(f"an event of the engine's stream cannot be read: {problem!r}") from problem
        if isinstance(output, Piece):
            self._counted = output.output_tokens
        elif isinstance(output, Done):
            self.over = True
            if self._counts and output.output_tokens > self._counted:
                return Piece("", output.output_tokens), output
        return (output,)

    def end(self) -> None:
        """The stream is at its end."""
        if not self.over:
            raise EngineDied("the engine ended its reply without saying why")


def _refusal(status: int, data: bytes) -> EngineFault:
    """The fault in an error reply."""
    try:
        text = str(orjson.loads(data)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = data[:200].decode("utf-8", "replace")
    if status == 503:
        return EngineUnavailable(f"the engine cannot take the request now: {text}")
    return EngineRefused(f"the engine answered {status}: {text}")


def _words(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__

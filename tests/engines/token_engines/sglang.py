"""SGLang 0.5.23, played after its source: `entrypoints/http_server.py`, `managers/tokenizer_manager.py`, and for
pictures `multimodal/processors/`."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Literal

from aiohttp import web

from tests.engines.token_engines.model import BadGrammar
from tests.engines.token_engines.serving import PlayedEngine, Work, compact, stream
from tests.engines.token_engines.vllm import AFTER, BEFORE, PAD, places_of

KEEPS = 6
"""Tokens of the model's window that it takes no prompt for."""

LINGERS = 2.0
"""Seconds for which work goes on whose stream was closed."""


Processor = Literal["qwen3-vl", "qwen2.5-vl", "gemma3", "llava", "internvl", "no encoder"]
"""Goes by the tokens; keeps them, and looks for pictures in their text; reads the text anew; leaves the places to the
scheduler; takes no tokens; was started without what sees."""


class BrokenOff(Exception):  # noqa: N818 - reads as what happened
    """An error that is no `ValueError` ends the stream in its middle."""


class PlayedSglang(PlayedEngine):
    """`disjoint`: `--incremental-streaming-output`; `backend`: of grammars; `cuts`: `--allow-auto-truncate`; `settings`:
    more of what it was started with; `lost`: the model's numbers are none any more.

    `disconnected`, `told`: the names of works whose stream was closed, and that it was told to abort.

    `sees`: its model takes pictures. `processor`: what it makes of them beside tokens, by the example of a model.
    `tells`: which tokens it has read. `writes`: its template has something for a picture.
    """

    def __init__(self, script: str = "", **settings: Any) -> None:
        super().__init__(script, **settings)
        self.disjoint = False
        self.backend = "llguidance"
        self.cuts = False
        self.full = self.lost = False
        self.settings: dict[str, Any] = {}
        self.sees = False
        self.tells = self.writes = True
        self.processor: Processor = "qwen3-vl"
        self.disconnected: list[str] = []
        self.told: list[str] = []

    def route(self, app: web.Application) -> None:
        """Its paths."""
        app.add_routes(
            [
                web.get("/model_info", self._model_info),
                web.get("/server_info", self._server_info),
                web.get("/v1/models", self._models),
                web.post("/tokenize", self._tokenize),
                web.post("/detokenize", self._detokenize),
                web.post("/generate", self._generate),
                web.post("/abort_request", self._abort),
            ]
        )

    async def _model_info(self, _: web.Request) -> web.Response:
        return _json(
            {
                "model_path": "/models/smollm2",
                "served_model_name": "/models/smollm2",
                "tokenizer_path": self.root,
                "is_generation": True,
                "preferred_sampling_params": None,
                "weight_version": "default",
                "has_image_understanding": self.sees,
                "model_type": "llama",
            }
        )

    async def _server_info(self, _: web.Request) -> web.Response:
        return _json(
            {
                "grammar_backend": self.backend,
                "incremental_streaming_output": self.disjoint,
                "allow_auto_truncate": self.cuts,
                "max_running_requests": 8,
                "max_req_input_len": self.window,
                "internal_states": [],
                "version": "0.5.23",
                **self.settings,
            }
        )

    async def _models(self, request: web.Request) -> web.Response:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        model = {
            "id": "/models/smollm2", "object": "model", "created": 1795904934, "owned_by": "sglang",
            "root": "/models/smollm2", "parent": None, "max_model_len": self.window + KEEPS,
        }  # fmt: skip
        return _json({"object": "list", "data": [model]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        tokens = self._templated(body["messages"]) if "messages" in body else self.model.tokens(body["prompt"])
        return _json({"tokens": tokens, "count": len(tokens), "max_model_len": self.window + KEEPS})

    def _templated(self, messages: list[dict[str, Any]]) -> list[int]:
        """The template's tokens for one message; a picture takes one place in them."""
        ((message,), pictures) = messages, 0
        for part in message["content"]:
            pictures += part["type"] == "image_url" and self.writes
        written = self.model.tokens("<|im_start|>user\n") + [BEFORE, PAD, AFTER] * pictures
        return written + self.model.tokens("<|im_end|>\n<|im_start|>assistant\n")

    async def _detokenize(self, request: web.Request) -> web.Response:
        body = await request.json()
        return _json({"text": self.model.text(body["tokens"], skip_special=body.get("skip_special_tokens", True))})

    async def _abort(self, request: web.Request) -> web.Response:
        name = (await request.json())["rid"]
        self.told.append(name)
        for work in self.running:
            if work.id == name:
                work.aborted.set()
        return web.Response()

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        body = await request.json()
        work = Work(body["rid"], body, body["input_ids"], dict(request.headers))
        self.asked.append(work)
        params = body["sampling_params"]
        response = await stream(request)
        try:
            work.prompt = self._with_pictures(work)
            words = self._refusal(work, params)
        except ValueError as problem:
            words = str(problem)
        except BrokenOff:
            assert request.transport is not None
            request.transport.abort()
            return response
        if words is not None:
            error = {"message": words, "type": "invalid_request_error", "code": 400, "retryable": False}
            await response.write(_data({"error": error}))
        elif self.full:
            # What never came to the model says no more. Source: `_handle_abort_req`.
            finish = {"type": "abort", "status_code": 503, "message": "The request queue is full."}
            meta = {"id": work.id, "finish_reason": finish, "weight_version": "default", "e2e_latency": 0.002}
            await response.write(_data({"text": "", "output_ids": [], "meta_info": {**meta, "completion_tokens": 0}}))
        elif len(work.prompt) >= self.window:
            # The scheduler puts one token in the place of a prompt that it has no room for. Source:
            # `validate_input_length`, `set_finish_with_abort`.
            words = (
                f"Input length ({len(work.prompt)} tokens) exceeds the maximum allowed length ({self.window} tokens)."
            )
            finish = {"type": "abort", "message": words, "status_code": 400, "err_type": "BadRequestError"}
            work.prompt = [0]
            await self._send(response, work, 0, finish)
        else:
            await self._stream(response, work, params)
        await response.write(b"data: [DONE]\n\n")
        return response

    def _with_pictures(self, work: Work) -> list[int]:
        """The tokens that are read. Raises `ValueError` where the model's processor does."""
        pictures: list[str] = work.body.get("image_data") or []
        if not pictures or self.processor == "no encoder":
            return work.prompt
        given, places = work.prompt, [places_of(picture) for picture in pictures]
        if self.processor == "internvl":
            raise ValueError("[internvl] Cannot process raw images/videos with pre-tokenized input_ids.")
        if self.processor in ("qwen2.5-vl", "gemma3"):
            text, (before, pad, after) = self.model.text(given), map(self.model.text, ([BEFORE], [PAD], [AFTER]))
            marks = len(re.findall(f"{re.escape(before)}(?:{re.escape(pad)})+{re.escape(after)}|<image>", text))
            if marks != len(pictures):
                words = f"Prompt has {marks} image placeholders but {len(pictures)} image inputs were provided"
                raise ValueError(words)
            if text.count(pad) > len(pictures):
                raise BrokenOff  # transformers has nothing more to put there, and nobody expects that
        if self.processor == "gemma3":
            given = self.model.tokens(self.model.text(given))
        each = iter(places)
        return [one for token in given for one in ([PAD] * next(each) if token == PAD else [token])]

    def _refusal(self, work: Work, params: dict[str, Any]) -> str | None:
        if len(work.prompt) >= self.window + KEEPS:
            length = f"({self.window + KEEPS} tokens)"
            return f"The input ({len(work.prompt)} tokens) is longer than the model's context length {length}."
        if len(params["stop"]) > 32:
            return f"at most 32 stop strings are allowed, got {len(params['stop'])}"
        if params.get("ebnf") and self.backend != "llguidance":
            return "Failed to compile the grammar: EBNF lexer error at line 1"
        return None

    async def _stream(self, response: web.StreamResponse, work: Work, params: dict[str, Any]) -> None:
        """The reply, in a task of its own: it goes on for a while when nobody reads it."""
        task = asyncio.create_task(self._written(response, work, params))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.disconnected.append(work.id)
            asyncio.get_running_loop().call_later(LINGERS, work.aborted.set)
            raise

    async def _written(self, response: web.StreamResponse, work: Work, params: dict[str, Any]) -> None:
        if params["max_new_tokens"] == 0:
            work.cached = self.model.cached(work.prompt, str(work.body.get("cache_salt", "")))
            await self._send(response, work, 0, {"type": "length", "length": 0})
            return
        sent = 0
        stops, ends = params["stop"], params["stop_token_ids"]
        try:
            written = self.written(work, params["max_new_tokens"], stops, ends, grammar=params.get("ebnf"))
            async for _ in written:
                if work.finish or not self._could_stop(work.text, stops):
                    await self._send(response, work, sent, self._finish(work))
                    sent = len(work.ids)
        except BadGrammar as problem:
            finish = {"type": "abort", "message": str(problem), "status_code": 400, "err_type": "BadRequestError"}
            await self._send(response, work, sent, finish)
            return
        if work.finish == "abort":
            await self._send(response, work, sent, self._finish(work))

    def _could_stop(self, text: str, stops: Sequence[str]) -> bool:
        """Whether the text ends with what a stop text begins with: then it is held back."""
        return any(text.endswith(stop[:length]) for stop in stops for length in range(1, len(stop)))

    async def _send(self, response: web.StreamResponse, work: Work, sent: int, finish: dict[str, Any] | None) -> None:
        # Nobody may be there any more; then the work goes on, and what it says is lost.
        ids = work.ids[sent:] if self.disjoint else work.ids
        event: dict[str, Any] = {
            "text": work.text,
            "output_ids": list(ids),
            "meta_info": self._meta(work, finish),
        }
        if work.body.get("return_prompt_token_ids") and self.tells:
            # Some processors leave the places of pictures to the scheduler, which only counts them.
            event["prompt_token_ids"] = work.body["input_ids"] if self.processor == "llava" else work.prompt
        try:
            await response.write(_data(event))
        except ConnectionError:
            return

    def _finish(self, work: Work) -> dict[str, Any] | None:
        match work.finish:
            case "length":
                return {"type": "length", "length": len(work.ids)}
            case "stop":
                if self.lost:
                    return {"type": "stop", "matched": "NaN happened"}
                return {"type": "stop", "matched": work.ids[-1] if work.stop is None else work.stop}
            case "abort":
                return {"type": "abort", "message": "Aborted", "status_code": None, "err_type": None}
            case _:
                return None

    def _meta(self, work: Work, finish: dict[str, Any] | None) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "id": work.id, "finish_reason": finish, "prompt_tokens": len(work.prompt), "weight_version": "default",
            "num_retractions": 0, "reasoning_tokens": 0, "completion_tokens": len(work.ids),
            "cached_tokens": work.cached, "cached_tokens_details": None, "dp_rank": None,
        }  # fmt: skip
        if work.body.get("image_data"):
            meta["image_tokens"] = work.prompt.count(PAD)
        if finish is not None:
            meta |= {"e2e_latency": 0.02, "response_sent_to_client_ts": 1795904934.5}
        return meta


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), status=status, content_type="application/json")


def _data(value: object) -> bytes:
    return b"data: " + compact(value) + b"\n\n"

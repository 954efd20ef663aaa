"""SGLang 0.5.23, played after its source: `entrypoints/http_server.py`, `managers/tokenizer_manager.py`."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from tests.engines.token_engines.model import BadGrammar
from tests.engines.token_engines.serving import PlayedEngine, Work, compact, stream

LINGERS = 2.0
"""Seconds for which work goes on whose stream was closed."""


class PlayedSglang(PlayedEngine):
    """`disjoint`: `--incremental-streaming-output`; `backend`: of grammars; `cuts`: `--allow-auto-truncate`.

    `disconnected`, `told`: the names of works whose stream was closed, and that it was told to abort.
    """

    def __init__(self, script: str = "", **settings: Any) -> None:
        super().__init__(script, **settings)
        self.disjoint = False
        self.backend = "llguidance"
        self.cuts = False
        self.full = False
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
                "has_image_understanding": False,
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
            }
        )

    async def _models(self, request: web.Request) -> web.Response:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        model = {
            "id": "/models/smollm2", "object": "model", "created": 1795904934, "owned_by": "sglang",
            "root": "/models/smollm2", "parent": None, "max_model_len": self.window + 6,
        }  # fmt: skip
        return _json({"object": "list", "data": [model]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        tokens = self.model.tokens((await request.json())["prompt"])
        return _json({"tokens": tokens, "count": len(tokens), "max_model_len": self.window + 6})

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
        words = self._refusal(work, params)
        if words is not None:
            error = {"message": words, "type": "invalid_request_error", "code": 400, "retryable": False}
            await response.write(_data({"error": error}))
        elif self.full:
            finish = {"type": "abort", "message": "The request queue is full.", "status_code": 503, "err_type": None}
            await response.write(_data({"text": "", "output_ids": [], "meta_info": self._meta(work, finish)}))
        else:
            await self._stream(response, work, params)
        await response.write(b"data: [DONE]\n\n")
        return response

    def _refusal(self, work: Work, params: dict[str, Any]) -> str | None:
        if len(work.prompt) >= self.window:
            return f"The input ({len(work.prompt)} tokens) is longer than the model's context length."
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
        event = {"text": work.text, "output_ids": list(ids), "meta_info": self._meta(work, finish)}
        try:
            await response.write(_data(event))
        except ConnectionError:
            return

    def _finish(self, work: Work) -> dict[str, Any] | None:
        match work.finish:
            case "length":
                return {"type": "length", "length": len(work.ids)}
            case "stop":
                return {"type": "stop", "matched": work.ids[-1] if work.stop is None else work.stop}
            case "abort":
                return {"type": "abort", "message": "Aborted", "status_code": None, "err_type": None}
            case _:
                return None

    def _meta(self, work: Work, finish: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": work.id, "finish_reason": finish, "prompt_tokens": len(work.prompt), "weight_version": "default",
            "num_retractions": 0, "completion_tokens": len(work.ids), "cached_tokens": work.cached,
        }  # fmt: skip


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), status=status, content_type="application/json")


def _data(value: object) -> bytes:
    return b"data: " + compact(value) + b"\n\n"

"""vLLM 0.32, played: what it sent was recorded (`recorded/vllm-0.32.json`), and is sent here to the byte."""

import base64
import json
import struct
from typing import Any

from aiohttp import web

from tests.engines.token_engines.model import BadGrammar
from tests.engines.token_engines.serving import PlayedEngine, Work, compact, stream

CREATED = 1795904934
PREFIX = "generate-tokens-"
BEFORE, PAD, AFTER = 8, 7, 9
"""What stands before a picture, in its place and behind it: control tokens that the model has for something else."""
FINGERPRINT = "vllm-0.32.0-ecdbd94e"
BUSY = "The engine is currently busy and cannot accept new requests. Please try again later."


class PlayedVllm(PlayedEngine):
    """`scale_out`: `--enable-scale-out`; `details`: `--enable-prompt-tokens-details`; `guidance`: the backend of
    grammars, where another one reads some and fails at the rest; `reasons`: it runs with a reasoning parser; `full`: it
    takes no more, and says so before it answers or in its answer (`late`); `most_stops`: of `/v1/completions`. `sees`:
    its model takes pictures, as a small LLaVA was recorded; `expands`: it puts a picture's
    own tokens in the place of the one that stands for it."""

    def __init__(self, script: str = "", **settings: Any) -> None:
        super().__init__(script, **settings)
        self.scale_out = self.details = self.guidance = True
        self.reasons = self.full = self.late = self.keeps_alive = False
        self.most_stops = 4
        self.name = "smollm2"
        self.healthy = self.expands = True
        self.sees = False

    def route(self, app: web.Application) -> None:
        """Its paths."""
        app.add_routes(
            [
                web.get("/version", self._version),
                web.get("/health", self._health),
                web.get("/v1/models", self._models),
                web.post("/tokenize", self._tokenize),
                web.post("/detokenize", self._detokenize),
                web.post("/v1/completions", self._completions),
                web.post("/inference/v1/generate", self._generate),
                web.post("/v1/chat/completions/render", self._render),
                web.post("/inference/v1/abort_requests", self._abort),
            ]
        )

    async def _version(self, _: web.Request) -> web.Response:
        return _json({"version": "0.32.0"})

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.healthy else 503)

    async def _models(self, request: web.Request) -> web.Response:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        model: dict[str, Any] = {
            "id": self.name, "object": "model", "created": CREATED, "owned_by": "vllm", "root": self.root,
            "parent": None, "max_model_len": self.window, "permission": [],
        }  # fmt: skip
        return _json({"object": "list", "data": [model]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        tokens = self.model.tokens((await request.json())["prompt"])
        return _json({"count": len(tokens), "max_model_len": self.window, "tokens": tokens, "token_strs": None})

    async def _detokenize(self, request: web.Request) -> web.Response:
        return _json({"prompt": self.model.text((await request.json())["tokens"])})

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        body = await request.json()
        if len(body["stop"]) > self.most_stops:
            return _refused(
                f"List should have at most {self.most_stops} items", param="body.stop", kind="Bad Request"
            )
        prompt = body["prompt"]
        if len(prompt) > self.window:
            words = f"This model's maximum context length is {self.window} tokens. However, your prompt contains "
            words += f"{len(prompt)} input tokens, which exceeds this limit even without any output tokens. Please "
            words += "reduce the length of the input prompt."
            return _refused(f"{words} (parameter=input_tokens, value={len(prompt)})", param="input_tokens")
        limit = min(body["max_tokens"], self.window - len(prompt))
        work = Work(f"cmpl-{body['request_id']}", body, prompt, dict(request.headers))
        return await self._answer(request, work, body, limit, begun=not self.reasons)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        if not self.is_let_in(request):
            return _json({"error": "Unauthorized"}, 401)
        if not self.scale_out:
            words = "Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them."
            return _refused(words, status=403, kind="PermissionDeniedError")
        body = await request.json()
        params = body["sampling_params"]
        prompt = body["token_ids"]
        if parts := body.get("content_parts"):
            if not self.sees:
                return _refused(f"{self.name} is not a multimodal model")
            if prompt.count(PAD) != len(parts):
                words = "Failed to apply prompt replacement for mm_items['image'][0]"
                return _refused(words, status=500, kind="InternalServerError")
            prompt = self._with_pictures(prompt, parts)
        work = Work(PREFIX + body["request_id"], body, prompt, dict(request.headers))
        limit = min(params["max_tokens"], self.window - len(work.prompt))
        return await self._answer(request, work, params, limit, begun=body.get("reasoning_ended") or not self.reasons)

    async def _render(self, request: web.Request) -> web.Response:
        """The model's template around one message, pictures expanded."""
        if not self.scale_out:
            return _refused("Scale-out endpoints are disabled.", status=403, kind="PermissionDeniedError")
        (message,) = (await request.json())["messages"]
        pictures = [part["image_url"] for part in message["content"] if part["type"] == "image_url"]
        if pictures and not self.sees:
            return _refused("At most 0 image(s) may be provided in one prompt.")
        tokens, ranges = self.model.tokens("<|im_start|>user\n"), list[dict[str, int]]()
        for picture in pictures:
            places = places_of(picture["url"])
            ranges.append({"offset": len(tokens) + 1, "length": places})
            tokens += [BEFORE, *[PAD] * places, AFTER]
        tokens += self.model.tokens("<|im_end|>\n<|im_start|>assistant\n")
        hashes = [str(number) for number in range(len(ranges))]
        features = {
            "mm_hashes": {"image": hashes},
            "mm_placeholders": {"image": ranges},
            "kwargs_data": None,
            "mm_metadata": None,
        }
        params: dict[str, Any] = {
            "presence_penalty": 0.0, "frequency_penalty": 0.0, "repetition_penalty": 1.0, "temperature": 1.0,
            "top_p": 1.0, "min_p": 0.0, "stop": [], "stop_token_ids": [], "max_tokens": 1, "output_kind": 2,
            "skip_clone": True, "bad_words": [], "skip_reading_prefix_cache": False,
        }  # fmt: skip
        said = {
            "request_id": "chatcmpl-1", "token_ids": tokens, "token_offsets": None,
            "features": features if pictures else None, "content_parts": None, "sampling_params": params,
            "model": self.name, "reasoning_ended": None, "reasoning_parser_kwargs": None, "return_token_ids": None,
            "output_mode": "tokens", "stream": False, "stream_options": None, "cache_salt": None, "priority": 0,
            "kv_transfer_params": None, "ec_transfer_params": None,
        }  # fmt: skip
        return _json(said)

    def _with_pictures(self, prompt: list[int], parts: list[dict[str, str]]) -> list[int]:
        assert all(part["type"] == "image_url" for part in parts)
        places = iter([places_of(part["url"]) for part in parts])
        return [
            one
            for token in prompt
            for one in ([PAD] * (next(places) if self.expands else 1) if token == PAD else [token])
        ]

    async def _abort(self, request: web.Request) -> web.Response:
        for name in (await request.json())["request_ids"]:
            for work in self.running:
                if work.id == name:
                    work.aborted.set()
        return web.Response()

    async def _answer(
        self, request: web.Request, work: Work, params: dict[str, Any], limit: int, *, begun: bool
    ) -> web.StreamResponse:
        self.asked.append(work)
        if work.body["model"] != self.name:
            words = f"The model `{work.body['model']}` does not exist. Valid aliases: {self.name}."
            return _refused(words, status=404, kind="NotFoundError", param="model")
        if params["max_tokens"] < 1 or (limit < 1 and "prompt" in work.body):
            value = min(params["max_tokens"], limit)
            words = f"max_tokens must be at least 1, got {value}. (parameter=max_tokens, value={value})"
            return _refused(words, param="max_tokens")
        if self.full and not self.late:
            return _refused(BUSY, status=503, kind="Service Unavailable")
        response = await stream(request)
        if (problem := self._late_problem(work, limit)) is not None:
            await response.write(_late(*problem))
        else:
            await self._stream(response, work, params, limit, begun=begun)
        await response.write(b"data: [DONE]\n\n")
        return response

    def _late_problem(self, work: Work, limit: int) -> tuple[str, int, str] | None:
        """What is found out behind the 200."""
        if self.full:
            return BUSY, 503, "Service Unavailable"
        if any(not 0 <= token < self.model.size for token in work.prompt):
            token = next(token for token in work.prompt if not 0 <= token < self.model.size)
            return f"Token id {token} is out of vocabulary", 400, "BadRequestError"
        if limit < 1:
            words = f"The decoder prompt (length {len(work.prompt)}) is longer than the maximum model length of "
            words += f"{self.window}. Make sure that `max_model_len` is no smaller than the number of text tokens."
            return words, 400, "BadRequestError"
        return None

    async def _stream(
        self, response: web.StreamResponse, work: Work, params: dict[str, Any], limit: int, *, begun: bool
    ) -> None:
        asked: dict[str, str] = params.get("structured_outputs") or {}
        grammar = asked.get("grammar") if begun else None
        if grammar is not None and not self.guidance and grammar.startswith("%llguidance"):
            await response.write(_late("Internal server error", 500, "InternalServerError"))
            return
        if self.keeps_alive:
            await response.write(b": keep-alive\n\n")
        shown, first = "", True
        try:
            async for token in self.written(work, limit, params["stop"], params["stop_token_ids"], grammar=grammar):
                # A token that ends in half a character shows nothing yet.
                text = shown if work.text.endswith("�") else self._shown(work, params["stop"])
                await response.write(self._event(work, token, text.removeprefix(shown), first=first))
                shown, first = text, False
        except BadGrammar as problem:
            await response.write(_late(f"Grammar error: {problem}", 400, "BadRequestError"))
            return
        if work.finish == "abort":
            await response.write(self._event(work, None, "", first=first))
        await response.write(self._usage(work))

    def _shown(self, work: Work, stops: list[str]) -> str:
        """What may be shown: all but the beginning of what could be a stop text, and half characters."""
        if work.finish:
            return work.text
        held = max((len(stop) for stop in stops), default=1) - 1
        return work.text[: len(work.text) - held]

    def _event(self, work: Work, token: int | None, text: str, *, first: bool) -> bytes:
        tokens = [] if token is None else [token]
        if "token_ids" in work.body:
            spans = [{"version": "default", "start": 0, "end": len(work.ids)}] if work.finish else None
            choice = {
                "index": 0, "finish_reason": work.finish, "stop_reason": work.stop, "token_ids": tokens,
                "routed_experts": None, "sampling_mask": None, "weight_versions": spans, "logprobs": None,
            }  # fmt: skip
            read: dict[str, Any] = {}
            if first and work.body.get("return_token_ids"):
                read["prompt_token_ids"] = work.prompt
                if work.body.get("content_parts"):
                    read["mm_placeholders"] = {"image": _ranges(work.prompt)}
            return _data({"request_id": work.id, "usage": None, **read, "output_mode": "tokens", "choices": [choice]})
        choice = {
            "index": 0, "text": text, "logprobs": None, "finish_reason": work.finish, "stop_reason": work.stop,
            "prompt_token_ids": work.prompt if first else None, "token_ids": tokens,
        }  # fmt: skip
        return _data({**self._head(work), "choices": [choice]})

    def _usage(self, work: Work) -> bytes:
        prompt, written = len(work.prompt), len(work.ids)
        usage: dict[str, Any] = {
            "prompt_tokens": prompt, "total_tokens": prompt + written, "completion_tokens": written,
            "prompt_tokens_details": {"cached_tokens": work.cached} if self.details else None,
        }  # fmt: skip
        if "token_ids" in work.body:
            return _data({"request_id": work.id, "usage": usage, "output_mode": "tokens", "choices": []})
        return _data({**self._head(work), "choices": [], "usage": usage, "system_fingerprint": FINGERPRINT})

    def _head(self, work: Work) -> dict[str, Any]:
        return {"id": work.id, "object": "text_completion", "created": CREATED, "model": self.name}


def _ranges(prompt: list[int]) -> list[dict[str, int]]:
    """Where its pictures are."""
    edges = [at for at, token in enumerate([*prompt, 0]) if (token == PAD) != (at > 0 and prompt[at - 1] == PAD)]
    return [{"offset": start, "length": end - start} for start, end in zip(edges[::2], edges[1::2], strict=True)]


def places_of(url: str) -> int:
    """How many tokens a PNG takes, by its size."""
    width, height = struct.unpack(">II", base64.b64decode(url.removeprefix("data:image/png;base64,"))[16:24])
    return -(-width // 28) * -(-height // 28)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(body=compact(value), status=status, content_type="application/json")


def _refused(
    words: str, *, status: int = 400, kind: str = "BadRequestError", param: str | None = None
) -> web.Response:
    return _json({"error": {"message": words, "type": kind, "param": param, "code": status}}, status)


def _late(words: str, code: int, kind: str) -> bytes:
    error = {"error": {"message": words, "type": kind, "param": None, "code": code}}
    return f"data: {json.dumps(error)}\n\n".encode()


def _data(value: object) -> bytes:
    return b"data: " + compact(value) + b"\n\n"

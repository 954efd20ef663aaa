"""vLLM's `/inference/v1/generate`: tokens in, tokens out. There with `--enable-scale-out`; without it, 403.

Measured with vLLM 0.32: any number of stop texts; `reasoning_ended` lets a grammar hold from the first token where
the server has a reasoning parser; a prompt out of the window is an event with `error` in a reply with status 200.
Requests are called `generate-tokens-` and their name, and the call that aborts one says nothing when it finds none.
"""

from collections.abc import Callable
from typing import Any, Final

from antiphon.engines.remote.dialects.ask import Ask, Event, Heard, data_url
from antiphon.engines.remote.dialects.vllm_completions import hear, requested, sampling_params

PREFIX: Final = "generate-tokens-"


class Generate:
    """See `Dialect`."""

    name = "/inference/v1/generate"
    path = "/inference/v1/generate"
    most_stops: int | None = None
    reads_only = False
    reasons_first = False
    lingers = False
    sees = True

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's body."""
        return {
            **requested(ask),
            "token_ids": ask.tokens,
            "output_mode": "tokens",
            "sampling_params": sampling_params(ask),
            "reasoning_ended": True,
            **({"content_parts": [_part(picture) for picture in ask.pictures]} if ask.pictures else {}),
            **({"return_token_ids": True} if ask.tells else {}),
        }

    def listener(self) -> Callable[[Event], Heard]:
        """What reads one reply's events."""
        return hear

    def abort(self, id: str) -> tuple[str, dict[str, Any]] | None:  # noqa: A002
        """What ends the work; behind a router it need not reach the engine that does it."""
        return "/inference/v1/abort_requests", {"request_ids": [PREFIX + id]}


def _part(picture: bytes) -> dict[str, str]:
    return {"type": "image_url", "url": data_url(picture)}

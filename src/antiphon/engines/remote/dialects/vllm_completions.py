"""vLLM's `/v1/completions`: there without a flag, also behind routers.

Measured with vLLM 0.32, besides what its protocol says:

- What a request leaves out comes from the model's generation_config.json. So all is sent.
- More than four stop texts are refused (`VLLM_MAX_STOP_STRINGS` of its environment).
- `guided_grammar` and other fields of earlier releases are ignored, and the reply is free.
- An error that is found late is an event with `error`, in a reply with status 200.
- The first event has all of the prompt's tokens where tokens are asked for.
- The token that ends a reply is in `token_ids`; its text is not in `text`.
- `max_tokens` beyond the window is cut without a word.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from antiphon.engines.remote.dialects.ask import Ask, Event, Heard

LONGEST_SALT: Final = 1024


class Completions:
    """See `Dialect`."""

    name = "/v1/completions"
    path = "/v1/completions"
    most_stops: int | None = 4
    reads_only = False
    reasons_first = True
    lingers = False
    sees = False

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's body."""
        return {**requested(ask), "prompt": ask.tokens, "return_token_ids": True, **sampling_params(ask)}

    def listener(self) -> Callable[[Event], Heard]:
        """What reads one reply's events."""
        return hear

    def abort(self, id: str) -> tuple[str, dict[str, Any]] | None:  # noqa: A002
        """None: vLLM stops when the connection is closed, within 0.15 s."""
        return None


def sampling_params(ask: Ask) -> dict[str, Any]:
    """vLLM's settings for the next token, and for where a reply ends: every one that anything could fill in."""
    params: dict[str, Any] = {
        "n": 1,
        "max_tokens": ask.max_tokens,
        "min_tokens": 0,
        "temperature": ask.draw.temperature,
        "top_p": ask.draw.top_p,
        "top_k": ask.draw.top_k,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "ignore_eos": False,
        "stop": ask.stops,
        "stop_token_ids": ask.ends,
        "include_stop_str_in_output": False,
        "skip_special_tokens": False,
        "spaces_between_special_tokens": False,
    }
    if ask.grammar is not None:
        params["structured_outputs"] = {"grammar": ask.grammar}
    return params


def requested(ask: Ask) -> dict[str, Any]:
    """What both of vLLM's endpoints are told in the same words; the salt only as long as it takes one."""
    said: dict[str, Any] = {
        "model": ask.model,
        "request_id": ask.id,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return {**said, "cache_salt": ask.salt[:LONGEST_SALT]} if ask.salt else said


def hear(event: Event) -> Heard:
    """One event of a reply, of either of vLLM's endpoints."""
    usage = cast("Event", event.get("usage") or {})
    cached: int | None = cast("Event", usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    if not event.get("choices"):
        return Heard(cached=cached)
    choice = event["choices"][0]
    tokens = tuple(choice.get("token_ids") or ())
    reason, matched = choice.get("finish_reason"), choice.get("stop_reason")
    if reason is None:
        return Heard(tokens, cached=cached, read=_read(event))
    if reason == "length":
        return Heard(tokens, "length", cached=cached, read=_read(event))
    if reason != "stop":
        return Heard(tokens, cached=cached, fault=(500, f"it gave the work up: {reason}"))
    # A token that ended the reply is named by its number, the tokenizer's own end token by nothing.
    if isinstance(matched, str):
        return Heard(tokens, "stop", matched, cached, read=_read(event))
    return Heard(tokens, "end", cached=cached, read=_read(event))


def _read(event: Event) -> tuple[int, ...] | None:
    """The prompt as it was read: `/inference/v1/generate` says them in its first event where it is asked."""
    read = event.get("prompt_token_ids")
    return None if read is None else tuple(read)

"""SGLang's `/generate`.

From its source (0.5.23):

- Events have all tokens so far, or the new ones where the server runs with `--incremental-streaming-output`; either
  way `completion_tokens` says how many there are.
- Work whose stream is closed goes on for two seconds; `/abort_request` with its `rid` ends it at once.
- `ebnf` goes to the grammar backend as it is, and llguidance takes Lark for it.
- `output_ids` has what ended the reply, a stop text's tokens and the end token too.
- A reply whose grammar is over ends with `matched`, the last token, which is then one like others.
- Errors are events with `error`, or replies that ended with `finish_reason.type` "abort", in a reply with status 200.
- An event's list of all tokens so far is the one that goes on being written to, so it may be ahead of its count.
- Pictures stand beside the tokens (`image_data`); `prompt_tokens` counts the places that they take. Which tokens were
  read is said where `return_prompt_token_ids` asks for it, and then in every event, all of them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

from antiphon.engines.remote.dialects.ask import Ask, Event, Heard, data_url

MOST_STOPS: Final = 32


class Sglang:
    """See `Dialect`."""

    name = "/generate"
    path = "/generate"
    most_stops: int | None = MOST_STOPS
    reads_only = True
    reasons_first = False
    lingers = True
    sees = True

    def body(self, ask: Ask) -> dict[str, Any]:
        """The request's body."""
        params: dict[str, Any] = {
            "n": 1,
            "max_new_tokens": ask.max_tokens,
            "min_new_tokens": 0,
            "temperature": ask.draw.temperature,
            "top_p": ask.draw.top_p,
            "top_k": ask.draw.top_k or -1,
            "min_p": 0.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "repetition_penalty": 1.0,
            "ignore_eos": False,
            "stop": ask.stops,
            "stop_token_ids": ask.ends,
            "no_stop_trim": True,
            "skip_special_tokens": False,
            "spaces_between_special_tokens": False,
        }
        if ask.grammar is not None:
            params["ebnf"] = ask.grammar
        body: dict[str, Any] = {
            "rid": ask.id,
            "input_ids": ask.tokens,
            "stream": True,
            "require_reasoning": False,
            "sampling_params": params,
        }
        if ask.pictures:
            body["image_data"] = [data_url(picture) for picture in ask.pictures]
        if ask.tells:
            body["return_prompt_token_ids"] = True
        if ask.salt:
            body["cache_salt"] = ask.salt
        if ask.conversation:
            body["session_id"] = ask.conversation
        return body

    def listener(self) -> Callable[[Event], Heard]:
        """What reads one reply's events."""
        return _Listener()

    def abort(self, id: str) -> tuple[str, dict[str, Any]] | None:  # noqa: A002
        """What ends the work at once."""
        return "/abort_request", {"rid": id}


class _Listener:
    """Reads one reply. `seen`: its tokens so far."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self, event: Event) -> Heard:
        meta = cast("dict[str, Any]", event.get("meta_info") or {})
        given = cast("list[int]", event.get("output_ids") or [])
        count = int(meta.get("completion_tokens", self._seen))
        # The count tells new tokens from all of them, whichever way the server streams.
        new = count - self._seen
        if new > len(given):
            return Heard(fault=(500, f"an event counts {new} more tokens and has {len(given)}"))
        whole = len(given) >= count
        tokens = tuple(given[self._seen : count] if whole else given[len(given) - new :]) if new > 0 else ()
        self._seen += len(tokens)
        finish, read = meta.get("finish_reason"), event.get("prompt_token_ids")
        heard = _ended(tokens, cast("dict[str, Any]", finish)) if isinstance(finish, dict) else Heard(tokens)
        return replace(
            heard,
            cached=meta.get("cached_tokens"),
            counted=meta.get("prompt_tokens"),
            read=None if read is None else tuple(read),
        )


def _ended(tokens: tuple[int, ...], finish: dict[str, Any]) -> Heard:
    match finish.get("type"):
        case "length":
            return Heard(tokens, "length")
        case "stop":
            matched = finish.get("matched")
            return Heard(tokens, "stop", matched) if isinstance(matched, str) else Heard(tokens, "end")
        case _:
            status = finish.get("status_code")
            words = str(finish.get("message") or "Aborted")
            return Heard(tokens, fault=(status if isinstance(status, int) else 500, words))

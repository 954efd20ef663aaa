"""The port of engines: a rendered prompt goes in, raw text comes back."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What an engine knows of the model that it serves.

    `window`: tokens one conversation may hold, prompt and reply together. `chat_template`: the model's own
    Jinja template, None if it has none. `special_tokens`: the texts that the tokenizer reads as control tokens.
    `sampling`: the model's recommended settings where a request is silent. `sees`: the model takes pictures;
    `blind`: why it takes none where it could, and what would help, for its owner.
    `name` tells models apart, and is another one where an adapter changes them; `title` is what people are shown
    instead of it, empty where it is the same.
    """

    id: str
    name: str
    window: int
    chat_template: str | None = None
    bos_token: str = ""
    eos_token: str = ""
    special_tokens: frozenset[str] = frozenset()
    sampling: Sampling = field(default_factory=Sampling)
    origin: str = ""
    created: int = 0
    sees: bool = False
    blind: str = ""
    title: str = ""


class Keep(Struct, frozen=True):
    """The first `tokens` of a prompt are to be there for prompts that begin as it does, `until` then (seconds since
    the Unix epoch), and for so many `seconds` from each that does. `key`: what the cache ledger calls them."""

    tokens: int
    key: bytes
    seconds: int
    until: float


class Generation(Struct, frozen=True):
    """One piece of work for an engine. `max_tokens` ≥ 0; 0 reads the prompt into the KV cache and writes nothing.

    `grammar`: what the model may write, as an llguidance grammar in its Lark syntax, checked by the caller; the
    engine enforces it by decoding. `visible`: control tokens to show in the text instead of hiding them. `stops`:
    texts that end the work where the model writes one of them; the text itself is not part of any `Piece`. `plain`:
    the conversation has neither tools nor thoughts, so that what was made for those may stay out of the model.
    `conversation`: the same text for every turn of one conversation, another for others, so that where there are many
    engines its turns reach the one that has read it; empty where it is not known. `tenant`: who asks, as a text that
    tells tenants apart and says nothing of them; caches are kept apart by it where an engine can, queues are fair by
    it. `keep`: the prefixes of the prompt that are marked; an engine that can keeps what it has read of them.
    """

    prompt: RenderedPrompt
    max_tokens: int
    sampling: Sampling = Sampling()
    grammar: str | None = None
    visible: frozenset[str] = frozenset()
    stops: tuple[str, ...] = ()
    plain: bool = False
    conversation: str = ""
    tenant: str = ""
    keep: tuple[Keep, ...] = ()


class PrefillProgress(Struct, frozen=True):
    """`done` of `total` prompt tokens are in the KV cache, `cached` of them from earlier work."""

    done: int
    total: int
    cached: int = 0


class Piece(Struct, frozen=True):
    """More raw model text: whole code points, control tokens invisible; may be empty (a token without text).

    `output_tokens` is how many tokens the model has written so far, this piece included. `tokens`: the piece's own,
    so that a prompt can go on from them without being tokenized anew; only of work with `stops`, and empty where the
    piece ends inside of a token.
    """

    text: str
    output_tokens: int
    tokens: tuple[int, ...] = ()


class Done(Struct, frozen=True):
    """The engine is finished: the model ended its turn (`end`), `max_tokens` was reached (`length`), or the model
    wrote one of the work's `stops` (`stop`): `matched`, whose tokens count in `output_tokens`. `cached_tokens`: how
    much of the prompt was not computed again; 0 where the engine does not say."""

    reason: Literal["end", "length", "stop"]
    output_tokens: int
    cached_tokens: int = 0
    matched: str | None = None


EngineOutput = PrefillProgress | Piece | Done


@dataclass(frozen=True, slots=True)
class KeptPrefixes:
    """What an engine keeps of marked prefixes beside its slots: how many, and their bytes in memory and in files.

    Marked prompts whose beginning lay in their slot (`in_place`), was put there (`restored`) or was read (`missed`);
    how many prefixes had to go before their time (`evicted`). `works`: the model's state can be kept, None where that
    is not known yet; `why`: why it cannot.
    """

    works: bool | None = None
    why: str = ""
    prefixes: int = 0
    memory: int = 0
    files: int = 0
    in_place: int = 0
    restored: int = 0
    missed: int = 0
    evicted: int = 0


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """`ready` only when a model can answer now. `detail` says why not, in words for the owner. `parts`: how each of
    those stands that it consists of, by where it is; empty where there are none. `kept`: None where nothing is to be
    kept. `serving`: which of them take work. `waiting`:
    how many requests wait here for it, None where that is not known."""

    ready: bool
    detail: str = ""
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    kept: KeptPrefixes | None = None
    serving: frozenset[str] = frozenset()
    waiting: int | None = None


class Engine(Protocol):
    """A model behind a raw-text door.

    Every method raises `EngineFault` kinds only. `generate` yields any number of `PrefillProgress` and `Piece`
    and then exactly one `Done`; closing the iterator early (`aclose`) stops the work and frees the engine
    within a second, also during prefill. Several generations may run at once and share the engine's batch.
    """

    @property
    def card(self) -> ModelCard:
        """The model's card; complete once `start` has returned."""
        ...

    async def start(self) -> None:
        """Load the model and be ready to answer; raises `EngineFault` with a reason that an owner understands."""
        ...

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The tokens of the segments, in order, with the beginning-of-text token where the model wants one.

        `begins=False`: the segments go on from others, and nothing is put before them.
        """
        ...

    def generate(self, work: Generation) -> AsyncGenerator[EngineOutput, None]:
        """Run the model on the work."""
        ...

    async def health(self) -> EngineHealth:
        """Whether a model can answer now; never raises."""
        ...

    async def aclose(self) -> None:
        """Stop the engine and everything it started; may be called more than once."""
        ...

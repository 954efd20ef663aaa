"""Models in llama.cpp, behind the `Engine` port."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from antiphon.config import ModelSettings
from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.ahead import read_ahead
from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.engines.llamacpp.embedded.child import FAST_PACE, PACE, Load
from antiphon.engines.llamacpp.embedded.home import LOAD_TIMEOUT, EmbeddedHome
from antiphon.engines.llamacpp.embedded.process import EngineProcess
from antiphon.engines.llamacpp.home import Home, Left, Running
from antiphon.engines.llamacpp.kept.keeping import Keeping, Room
from antiphon.engines.llamacpp.pictures import PicturePlaces, least_batch, native_prompt, new_marker
from antiphon.engines.llamacpp.slots import Slot
from antiphon.engines.llamacpp.tokenizer import PromptTokenizer
from antiphon.engines.llamacpp.works import Works, counted
from antiphon.errors import EngineFault, EngineNotBegun, EngineRefused
from antiphon.ports.engine import Done, EngineHealth, EngineOutput, Generation, ModelCard, PrefillProgress

DEFAULT_CONTEXT: Final = 8192
LIGHT: Final = 1_000_000_000
"""Bytes of a model that is loaded in seconds: its second form is waited for by who needs it, not by the start."""
_NOTICE_TIMEOUT: Final = 2.0
_ATTEMPTS: Final = 2
_NO_ADAPTER: Final = [{"id": 0, "scale": 0.0}]

_Reply = TypeVar("_Reply")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF file and what its header says. `trained_context`: 0 where it is silent. `created`: Unix seconds.

    `projector`: the file that lets the model see pictures, None where it sees none; `projector_kind`: its kind.
    `adapter`: the file that changes the model, None for the model as it is. `spares_plain_work`: it was made for
    tools and thoughts, and work without them is done by the model as it is. `for_tools`: the model that it became
    once it was merged, for all other work; there is no `adapter` then. `title`: see `ModelCard`. `size`: bytes of all
    its files, 0 where that is not known. `is_fast`: its form is one that is read fast. `for_tools_size`,
    `for_tools_is_fast`: the same of `for_tools`. `parts`: all files of a model that is split. `sliding_window`: the
    tokens that its attention reaches back in some layers, 0: all.
    """

    path: Path
    name: str
    trained_context: int = 0
    chat_template: str | None = None
    bos_token: str = ""
    eos_token: str = ""
    special_tokens: frozenset[str] = frozenset()
    origin: str = ""
    created: int = 0
    projector: Path | None = None
    projector_kind: str = ""
    adapter: Path | None = None
    spares_plain_work: bool = False
    for_tools: Path | None = None
    title: str = ""
    size: int = 0
    is_fast: bool = False
    for_tools_size: int = 0
    for_tools_is_fast: bool = False
    parts: tuple[Path, ...] = ()
    sliding_window: int = 0


class LlamaCppEngine:
    """One model in a llama.cpp process, which is watched and started again when it dies.

    `ready_timeout`: seconds that a request waits for an engine that is being restarted. Requests beyond
    `settings.parallel` wait for their turn here, where giving up costs nothing; those for a model that its adapter
    was merged into and those for the model as it is have as many slots each. `home`: the process, where it is not to
    be this engine's own. `room`: where its own keeps marked prefixes beside the slots, None: nowhere; `clock`: see
    `home_of`.
    """

    def __init__(
        self,
        settings: ModelSettings,
        model: ModelFile,
        *,
        ready_timeout: float = 30.0,
        load_timeout: float = LOAD_TIMEOUT,
        home: Home | None = None,
        room: Room | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._model = model
        self._ready_timeout = ready_timeout
        self._context = context_of(settings, model)
        soon = 0 < model.size <= LIGHT
        self._home = home or home_of(settings, model, load_timeout, room, clock, soon=soon)
        self._shares_slots = shares_slots(model)
        self._client: LlamaClient | None = None
        sees = model.projector is not None
        self._tokenizer = PromptTokenizer(
            self._tokenize, model.bos_token, PicturePlaces(self._count_places) if sees else None
        )
        self._around_message = 0
        wanted = settings.sampling
        self._guard = wanted.dry or 0.0
        self._card = ModelCard(
            id=settings.id,
            name=model.name or settings.id,
            window=self._context,
            chat_template=settings.chat_template or model.chat_template,
            bos_token=model.bos_token,
            eos_token=model.eos_token,
            special_tokens=model.special_tokens,
            sampling=Sampling(wanted.temperature, wanted.top_p, wanted.top_k),
            origin=model.origin,
            created=model.created,
            sees=sees,
            title=model.title,
        )
        self._works = self._works_with({})

    @property
    def card(self) -> ModelCard:
        """The model's card; `window` is settled when `start` returns."""
        return self._card

    @property
    def process(self) -> EngineProcess | None:
        """The running process, for diagnosis."""
        child = self._home.child
        return child if isinstance(child, EngineProcess) else None

    async def start(self) -> None:
        """Load the model. Raises `EngineFault`, and leaves nothing running."""
        check_context(self._settings, self._model)
        self._client = LlamaClient()
        try:
            child = await self._home.start()
            given = await self._client.context(_server(child))
            self._card = replace(self._card, window=min(self._context, given))
            await self._tokenizer.find_opening()
            self._works = self._works_with(await self._tokenizer.control_tokens(self._card.special_tokens))
            if self._card.sees:
                await self._learn_to_see()
        except BaseException:
            await self.aclose()
            raise

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The tokens of the segments, in order."""
        return await self._tokenizer.tokens(segments, begins=begins)

    def generate(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """Run the model; see `Engine.generate`. Prompt and reply together stay within the card's window."""
        # The slot is free for others when the model has ended, not when a client has read that.
        return read_ahead(self._in_a_slot(work))

    async def _in_a_slot(self, work: Generation) -> AsyncGenerator[EngineOutput]:
        """The work's outputs, from the turn that it gets to the end of its slot's use."""
        room = self._card.window - len(work.prompt.tokens)
        if room < 0:
            raise EngineRefused(
                f"the prompt has {len(work.prompt.tokens)} tokens, and the model's window is {self._card.window}"
            )
        if room == 0:
            yield Done("length", 0)
            return
        limit = min(work.max_tokens, room)
        adapted = not self._spares(work)
        if any(segment.image for segment in work.prompt.segments):
            self._tokenizer.stretches(
                work.prompt.segments
            )  # what cannot be shown is refused before anything is taken
        # A slot is filled with what is kept only where there is a server.
        await self._there(adapted=adapted)
        slots = self._home.slots[adapted]
        slot = await slots.take(work.prompt.tokens, adapted=adapted, tenant=work.tenant)
        written: list[int] = []
        begun, has_read, cached, end = False, False, 0, None
        try:
            async with aclosing(self._outputs(work, limit, slot)) as outputs:
                async for output in outputs:
                    begun = True
                    has_read = has_read or not isinstance(output, PrefillProgress)
                    if isinstance(output, PrefillProgress):
                        cached = output.cached
                    if isinstance(output, Done):
                        end = output
                    elif isinstance(output, PrefillProgress):
                        yield output
                    elif limit:
                        written += output.tokens
                        yield output
        finally:
            going_on = end is not None and bool(work.stops)
            # Pictures stand in the tokens for no more than the room that they take.
            sees = any(segment.image for segment in work.prompt.segments)
            left = None if sees or not has_read else Left(work.keep, cached if end is None else end.cached_tokens)
            slots.give_back(slot, work.prompt.tokens, written, keep=going_on, begun=begun, left=left)
        # Told when the slot is free for what comes next; a stream without an end has raised its fault.
        assert end is not None
        yield end if limit else Done("length", 0, end.cached_tokens)

    async def health(self) -> EngineHealth:
        """Whether the process lives and its server answers."""
        child, client = self._home.child, self._client
        kept, waiting = self._home.kept, self._home.waiting
        if child is None or client is None:
            return EngineHealth(False, self._home.detail, kept=kept, waiting=waiting)
        if await client.is_healthy(_server(child)) and await client.is_healthy(_server(child, adapted=True)):
            return EngineHealth(True, kept=kept, waiting=waiting)
        return EngineHealth(False, "the engine process runs and does not answer", kept=kept, waiting=waiting)

    async def aclose(self) -> None:
        """Stop the process; requests in flight end with `EngineDied`."""
        await self._home.aclose()
        if self._client is not None:
            await self._client.aclose()

    def _spares(self, work: Generation) -> bool:
        """Whether the work is for the model without its adapter."""
        return work.plain and self._model.spares_plain_work

    def _outputs(self, work: Generation, limit: int, slot: Slot) -> AsyncGenerator[EngineOutput, None]:
        """The work's outputs, with every token counted."""
        body = self._works.body(work, self._native(work.prompt), limit)
        # The server takes what the model without its adapter has read for the beginning of what it reads with it.
        body |= {"cache_prompt": not (self._shares_slots and slot.anew), "id_slot": slot.number}
        adapted = not self._spares(work)
        if self._shares_slots and not adapted:
            body["lora"] = _NO_ADAPTER
        return self._works.outputs(work, self._complete(body, adapted=adapted, counts=counted(work)))

    def _works_with(self, control: Mapping[str, int]) -> Works:
        return Works(control, self._card.eos_token, self._card.sampling, self._text, guard=self._guard)

    async def _complete(self, body: dict[str, Any], *, adapted: bool, counts: bool) -> AsyncGenerator[EngineOutput]:
        attempt = 1
        while True:
            child, client = await self._ready()
            try:
                if adapted:
                    await child.settled(self._ready_timeout)
                async with aclosing(client.complete(_server(child, adapted=adapted), body, counts=counts)) as outputs:
                    async for output in outputs:
                        yield output
                return
            except EngineNotBegun as problem:
                await self._try_again(child, attempt, problem)
                attempt += 1

    async def _learn_to_see(self) -> None:
        """Find out what has to be known for prompts with pictures."""
        await self._tokenizer.prepare_pictures(self._card.special_tokens)
        counted = await self._count({"type": "text", "text": "a"})
        self._around_message = counted - len(await self._tokenize("a", special=False))

    def _native(self, prompt: RenderedPrompt) -> tuple[int, ...] | dict[str, Any]:
        """The prompt as the server takes it."""
        if any(segment.image for segment in prompt.segments):
            return native_prompt(self._tokenizer.stretches(prompt.segments), self._home.marker)
        return prompt.tokens

    async def _tokenize(self, content: str | Sequence[str | int], *, special: bool, ends: bool = False) -> list[int]:
        return await self._ask(lambda client, server: client.tokenize(server, content, special=special, ends=ends))

    async def _text(self, tokens: Sequence[int]) -> str:
        return await self._ask(lambda client, server: client.detokenize(server, tokens))

    async def _count_places(self, picture: str) -> int:
        source = {"type": "base64", "media_type": "image/png", "data": picture}
        return await self._count({"type": "image", "source": source}) - self._around_message

    async def _count(self, block: dict[str, Any]) -> int:
        return await self._ask(lambda client, server: client.count(server, block))

    async def _ask(self, question: Callable[[LlamaClient, Server], Awaitable[_Reply]]) -> _Reply:
        attempt = 1
        while True:
            child, client = await self._ready()
            try:
                return await question(client, _server(child))
            except EngineNotBegun as problem:
                await self._try_again(child, attempt, problem)
                attempt += 1

    async def _try_again(self, child: Running, attempt: int, problem: EngineNotBegun) -> None:
        """A process that died was asked before its death was noticed: wait for the next one."""
        if attempt == _ATTEMPTS:
            raise problem
        await self._home.lost(child, _NOTICE_TIMEOUT)

    async def _there(self, *, adapted: bool) -> None:
        """Wait for the server that such work runs in. One that has died is told of and tried again with the work."""
        child, _ = await self._ready()
        if adapted:
            with suppress(EngineNotBegun):
                await child.settled(self._ready_timeout)

    async def _ready(self) -> tuple[Running, LlamaClient]:
        child = await self._home.ready(self._ready_timeout)
        assert self._client is not None
        return child, self._client


def context_of(settings: ModelSettings, model: ModelFile) -> int:
    """Tokens that one conversation is to hold."""
    return settings.context or min(model.trained_context or DEFAULT_CONTEXT, DEFAULT_CONTEXT)


def check_context(settings: ModelSettings, model: ModelFile) -> None:
    """Raise `EngineFault` where a conversation is to hold more than the model was made for."""
    trained, context = model.trained_context, context_of(settings, model)
    if trained and context > trained:
        raise EngineFault(
            f"models.{settings.id}.context is {context}, but the model was trained on {trained} "
            f"tokens. Set it to {trained} or less."
        )


def shares_slots(model: ModelFile) -> bool:
    """Whether one server computes with the adapter or without, and does not tell which of the two a slot's tokens are
    from."""
    return model.spares_plain_work and model.for_tools is None


def home_of(
    settings: ModelSettings,
    model: ModelFile,
    load_timeout: float = LOAD_TIMEOUT,
    room: Room | None = None,
    clock: Callable[[], float] = time.time,
    *,
    soon: bool = False,
) -> EmbeddedHome:
    """A process of our own for the model; not started. `room`: where marked prefixes are kept, None: nowhere; for how
    long says the `clock`, in seconds since the Unix epoch. `soon`: see `EmbeddedHome`."""
    load = load_of(settings, model)
    keeping = None if room is None else Keeping(room, _files(model), load.context, _why_not_kept(model), clock)
    return EmbeddedHome(load, load_timeout, queue=settings.queue, keeping=keeping, soon=soon)


def load_of(settings: ModelSettings, model: ModelFile) -> Load:
    """What the process is told to load."""
    return Load(
        path=str(model.path),
        key="",
        context=context_of(settings, model),
        parallel=settings.parallel,
        threads=settings.threads,
        gpu_layers=settings.gpu_layers,
        batch=settings.batch,
        least_batch=least_batch(model.projector_kind),
        projector=str(model.projector or ""),
        marker=new_marker(),
        adapter=str(model.adapter or ""),
        puts_aside=not shares_slots(model),
        second=str(model.for_tools or ""),
        size=model.size,
        pace=FAST_PACE if model.is_fast else PACE,
        second_size=model.for_tools_size,
        second_pace=FAST_PACE if model.for_tools_is_fast else PACE,
    )


def _files(model: ModelFile) -> tuple[Path, ...]:
    """All that the model is made of."""
    return (
        *(model.parts or (model.path,)),
        *(file for file in (model.adapter, model.for_tools, model.projector) if file is not None),
    )


def _why_not_kept(model: ModelFile) -> str:
    """Why what the model has read cannot be kept, where its files say that."""
    if shares_slots(model):
        return "its adapter is applied at load and not for all work; merge_adapter = true has it kept"
    if model.sliding_window:
        return f"its attention has a sliding window, of {model.sliding_window} tokens"
    return ""


def _server(child: Running, *, adapted: bool = False) -> Server:
    """Where the process listens; `adapted`: for work that is not plain."""
    return Server((adapted and child.second) or child.address, child.key)

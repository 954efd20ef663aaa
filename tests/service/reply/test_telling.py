"""What a client is told of a thought while it is written, and what is sealed at its end."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from antiphon.dialogue.events import ReasoningDelta, ReasoningEnd, RedactedReasoning, ReplyEvent
from antiphon.request.sealed.bindings import Binding, digest_of_seal, read_prefix
from antiphon.request.told.thinking import Form
from antiphon.seals import Seals
from antiphon.service.reply.telling import ESTIMATE_STEP, Run, Sealing, Telling
from antiphon.testing import CountingEntropy

SEALS = Seals([bytes(32)])


class Retold:
    """A summarizer that says the same of every thought."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self.thoughts: list[str] = []

    async def summarize(self, thought: str) -> AsyncGenerator[str]:
        """The pieces."""
        self.thoughts.append(thought)
        for piece in self._pieces:
            yield piece


def telling(form: Form, summarizer: Any = None, *, estimates: bool = False) -> Telling:
    return Telling(Sealing(SEALS, CountingEntropy(), "m", Binding()), form, summarizer, estimates)


async def told(telling: Telling, *texts: str, tokens_each: int = 1) -> list[ReplyEvent]:
    run = Run(telling)
    events: list[ReplyEvent] = []
    for n, text in enumerate(texts, 1):
        events += run.add(text, n * tokens_each)
    async for batch in run.end(len(texts) * tokens_each):
        assert batch
        events += batch
    return events


def texts(events: list[ReplyEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, ReasoningDelta)]


@pytest.mark.promise("thinking.shown-as-written")
async def test_what_is_shown_is_the_thought_as_it_is_written_without_the_white_space_at_its_ends() -> None:
    events = await told(telling("shown"), "\n", " First ", " \n", "second. ", " \n")
    assert texts(events) == ["", "First", "  \nsecond."]
    end = events[-1]
    assert isinstance(end, ReasoningEnd)
    sealed = SEALS.open(end.signature)
    assert sealed is not None
    assert (sealed.text, sealed.model, sealed.tokens) == ("\n First  \nsecond.  \n", "m", 5)
    assert sealed.shows("First  \nsecond.")


@pytest.mark.promise("thinking.omitted")
async def test_an_omitted_thought_opens_its_block_says_nothing_and_is_sealed_whole() -> None:
    events = await told(telling("omitted"), " ", "Secret", " plan")
    assert events[:-1] == [ReasoningDelta("")]
    end = events[-1]
    assert isinstance(end, ReasoningEnd)
    sealed = SEALS.open(end.signature)
    assert sealed is not None
    assert sealed.text == " Secret plan"
    assert sealed.shows("")


@pytest.mark.promise("thinking.estimated-tokens")
async def test_the_length_of_an_omitted_thought_is_told_in_steps() -> None:
    words = ["word "] * 40
    events = await told(telling("omitted", estimates=True), *words, tokens_each=4)
    told_tokens = [event.tokens for event in events if isinstance(event, ReasoningDelta) and event.tokens is not None]
    assert told_tokens == [ESTIMATE_STEP] * (160 // ESTIMATE_STEP)
    assert set(texts(events)) == {""}
    # Where the client reads along, it needs no estimate.
    shown = await told(telling("shown", estimates=True), *words, tokens_each=4)
    assert {event.tokens for event in shown if isinstance(event, ReasoningDelta)} == {None}


@pytest.mark.promise("thinking.redacted")
async def test_a_redacted_thought_is_one_block_at_its_end() -> None:
    (event,) = await told(telling("redacted"), "Secret", " plan ")
    assert isinstance(event, RedactedReasoning)
    sealed = SEALS.open_redacted(event.data)
    assert sealed is not None
    assert (sealed.text, sealed.tokens) == ("Secret plan ", 2)
    assert SEALS.open(event.data) is None


@pytest.mark.promise("thinking.summarizer")
@pytest.mark.parametrize(
    ("account", "shown"),
    [
        (["\nIt thought", " hard. "], ["", "It thought", " hard."]),
        ([], [""]),
        ([" \n"], [""]),
    ],
)
async def test_with_a_summarizer_the_client_sees_its_account_and_nothing_else(
    account: list[str], shown: list[str]
) -> None:
    retold = Retold(*account)
    events = await told(telling("shown", retold), "Secret", " plan")
    assert texts(events) == shown
    assert retold.thoughts == ["Secret plan"]
    end = events[-1]
    assert isinstance(end, ReasoningEnd)
    sealed = SEALS.open(end.signature)
    assert sealed is not None
    assert sealed.text == "Secret plan"
    assert sealed.shows("".join(shown))


@pytest.mark.parametrize("form", ["omitted", "redacted"])
async def test_nothing_is_retold_that_is_not_shown(form: Form) -> None:
    retold = Retold("x")
    await told(telling(form, retold), "Secret")
    assert retold.thoughts == []


@pytest.mark.promise("thinking.no-empty-block")
@pytest.mark.parametrize("form", ["shown", "omitted", "redacted"])
@pytest.mark.parametrize("written", [[], [""], [" ", "\n\n"]])
async def test_a_thought_of_nothing_is_not_told(form: Form, written: list[str]) -> None:
    assert await told(telling(form, estimates=True), *written, tokens_each=500) == []


@pytest.mark.promise("thinking.bound-in-a-row")
async def test_each_thought_of_a_reply_is_bound_to_the_one_before_it() -> None:
    how = telling("shown")
    signatures: list[str] = []
    for text in ("one", "two", "three"):
        events = await told(how, text)
        signatures += [event.signature for event in events if isinstance(event, ReasoningEnd)]
    bound: list[bytes] = []
    for signature in signatures:
        sealed = SEALS.open(signature)
        assert sealed is not None
        binding = read_prefix(sealed.prefix)
        assert binding is not None
        bound.append(binding.thought)
    assert bound == [Binding().thought, *map(digest_of_seal, signatures[:-1])]


_CUTS: list[Callable[[str], list[str]]] = [list, lambda text: [text], lambda text: [text[:7], text[7:]]]


@pytest.mark.parametrize("cut", _CUTS)
async def test_every_cut_of_a_thought_shows_the_same(cut: Callable[[str], list[str]]) -> None:
    text = "  \n a  b\n\n c \u2003"
    assert "".join(texts(await told(telling("shown"), *cut(text)))) == "a  b\n\n c"

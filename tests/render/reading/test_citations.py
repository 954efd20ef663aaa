"""Citations: the tags that a model may write, and what becomes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.dialogue.content import Document, SearchResult
from antiphon.dialogue.conversation import Conversation, Text, Turn
from antiphon.dialogue.events import CallEnd, CallStart, CiteEnd, CiteStart, ReplyEvent, TextDelta
from antiphon.dialogue.tools import Call, Choice, Result, Tool
from antiphon.ports.engine import ModelCard
from antiphon.render.families import FAMILIES, UNIVERSAL
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.render.reading.citations import CitationReader, Pointer
from antiphon.render.reading.reply import ReplyReader
from antiphon.render.sources import sources_of
from tests.render.walk import Bytes, accepts, matcher, walk

TOOL = Tool(
    "web_search", "Finds.", {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
)

PLAIN = SearchResult("https://a.example/", "Not to be cited", (Text("Words."),))

HIT = SearchResult("https://b.example/", "A page", (Text("Cats purr."),), citable=True)

PAGE = Document("text", ((Text("Dogs bark."),),), "A document", citable=True)

CITE = '<cite search_result="2">'


def conversation(*parts: Any, choice: Choice = Choice(), tools: tuple[Tool, ...] = (TOOL,)) -> Conversation:  # noqa: B008
    turns = (
        Turn("user", (Text("Cats?"), PLAIN)),
        Turn("assistant", (Call("c1", "web_search", {"query": "cats"}),)),
        Turn("user", (Result("c1", "web_search", "", parts=parts or (HIT, PAGE)),)),
    )
    return Conversation((), turns, None, tools, choice)


def make(pointer: Pointer, words: str) -> dict[str, Any]:
    source = pointer.source
    return {"source": f"{source.kind} {source.number}", "words": words}


def read(*texts: str | ReplyEvent) -> list[ReplyEvent]:
    """The events, with deltas of one text joined."""
    reader = CitationReader(sources_of(conversation()), make)
    events: list[ReplyEvent] = []
    for text in texts:
        events += reader.read([TextDelta(text) if isinstance(text, str) else text])
    return together([*events, *reader.finish()])


def together(events: list[ReplyEvent]) -> list[ReplyEvent]:
    """Deltas of one text as one."""
    told: list[ReplyEvent] = []
    for event in events:
        last = told[-1] if told else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            told[-1] = TextDelta(last.text + event.text)
        else:
            told.append(event)
    return told


def quoted(*texts: str) -> list[ReplyEvent]:
    words = "".join(texts)
    return [CiteStart({"source": "search_result 2", "words": words}), TextDelta(words), CiteEnd()]


@pytest.mark.promise("server-tools.citations")
def test_sources_are_numbered_as_the_model_is_told_of_them() -> None:
    asked = conversation()
    assert [f"{source.tag.opening}>" for source in sources_of(asked)] == [CITE, '<cite document="1">']
    [segment] = PromptBuilder(ModelCard("m", "m", 1000)).build(asked, today=__import__("datetime").date(2026, 1, 1))
    assert segment.text.index('<search_result index="2">\n<title>A page</title>') > 0
    assert segment.text.index('<document index="1">\n<title>A document</title>') > 0


@pytest.mark.promise("server-tools.citations")
def test_the_words_between_two_tags_cite() -> None:
    assert read(f'So: {CITE}cats purr</cite>, <cite document="1">dogs do not</cite>.') == [
        TextDelta("So: "),
        CiteStart({"source": "search_result 2", "words": "cats purr"}),
        TextDelta("cats purr"),
        CiteEnd(),
        TextDelta(", "),
        CiteStart({"source": "document 1", "words": "dogs do not"}),
        TextDelta("dogs do not"),
        CiteEnd(),
        TextDelta("."),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<cite search_result="1">not citable</cite>', "not citable"),
        ('<cite search_result="9">not there</cite>!', "not there!"),
        ("a </cite> b", "a  b"),
        ("<citation> a < b <cit", "<citation> a < b <cit"),
        ("a <cite", "a <cite"),
        ("a <cite search_res", "a "),
        (f"a{CITE} </cite>b", "a b"),
    ],
)
def test_what_names_no_source_cites_nothing(text: str, told: str) -> None:
    assert read(text) == [TextDelta(told)]


def test_a_citation_ends_where_another_begins_and_where_the_text_ends() -> None:
    assert read(f"{CITE}one{CITE}two", CallStart("c", "f"), CallEnd()) == [
        CiteStart({"source": "search_result 2", "words": "one"}),
        TextDelta("one"),
        CiteEnd(),
        CiteStart({"source": "search_result 2", "words": "two"}),
        TextDelta("two"),
        CiteEnd(),
        CallStart("c", "f"),
        CallEnd(),
    ]


_PIECES = st.sampled_from(
    [
        CITE,
        '<cite document="1">',
        "</cite>",
        "<cite ",
        "<",
        ">",
        "a",
        " ",
        "cats",
        "<b>",
        "</cit",
        '<cite document="7">',
    ]
)


@given(st.lists(_PIECES, max_size=12), st.data())
def test_every_cut_gives_the_same_events(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    at = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    cuts = [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True)]
    assert read(*cuts) == read(text)


@pytest.mark.promise("server-tools.citations")
@pytest.mark.parametrize("family", [UNIVERSAL, *FAMILIES], ids=lambda family: family.name)
@pytest.mark.parametrize(
    "choice", [Choice(), Choice(parallel=False), Choice("none")], ids=["auto", "one call", "none"]
)
def test_the_grammar_lets_a_model_name_only_what_was_found(family: Family, choice: Choice) -> None:
    tokens: dict[str, int] = {}
    made = reply_grammar(family, conversation(choice=choice), tokens)
    assert made is not None
    assert accepts(made, "Plain words.")
    assert accepts(made, f"So {CITE}cats purr</cite>.")
    assert accepts(made, f'{CITE}cats purr</cite> and <cite document="1">dogs do not</cite> so.')
    assert not accepts(made, '<cite search_result="1">', whole=False)
    assert not accepts(made, '<cite document="2">', whole=False)
    assert not accepts(made, "So <cite x", whole=False)
    without = reply_grammar(family, conversation(PLAIN, choice=choice), tokens)
    assert without is not None
    assert accepts(without, "So <cite x")


@pytest.mark.parametrize("family", [UNIVERSAL, *FAMILIES], ids=lambda family: family.name)
def test_calls_and_citations_go_together_where_calls_are_control_tokens(family: Family) -> None:
    markers = tuple(sorted(family.syntax.control))
    made = reply_grammar(family, conversation(), Bytes(markers).ids)
    assert made is not None
    checked = matcher(made, markers)
    words = Bytes(markers).split(f"So {CITE}cats purr</cite>.")
    assert checked.try_consume_tokens(words) == len(words)
    assert checked.is_accepting()
    for seed in range(6):
        text, _ = walk(made, seed, markers=markers, most=200)
        assert '<cite search_result="1' not in text


def test_without_sources_the_grammar_is_what_it_was() -> None:
    plain = Conversation((), (Turn("user", (Text("Cats?"),)),), None, (TOOL,))
    made = reply_grammar(UNIVERSAL, plain, {})
    assert made is not None
    assert "<cite" not in made


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("cats", [TextDelta("So ")]),
        (
            "purr",
            [TextDelta("So "), CiteStart({"source": "search_result 2", "words": "cats purr"}), TextDelta("cats ")],
        ),
        ("purr.", [TextDelta("So "), *quoted("cats ", "purr"), TextDelta(".")]),
    ],
)
def test_a_stop_sequence_in_words_that_cite_leaves_no_citation_without_words(
    stop: str, told: list[ReplyEvent]
) -> None:
    read_ = ReplyReader((stop,), citations=CitationReader(sources_of(conversation()), make))
    events = read_.feed(f"So {CITE}cats purr</cite>.")
    events += [] if read_.over else read_.finish()
    assert together(events) == told
    assert read_.over == (stop != "purr.")

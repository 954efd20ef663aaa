"""Prompt caching as far as every server has it: marks are taken, usage adds up, what is wrong is refused.

Whether anything is read from a cache is a server's own affair, and no check asks for it.
"""

from typing import Any, Final

from antiphon.conformance.api import Api
from antiphon.conformance.check import Row, Subject, count_of, dictionary, expect
from antiphon.conformance.events import only
from antiphon.conformance.subjects.messages import same, tokens
from antiphon.conformance.subjects.words import PROBE

SUBJECT: Final = Subject("caching", "Prompt caching")
check = SUBJECT.check
MARK: Final = {"type": "ephemeral"}
COUNTS: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")
LONG: Final = "The quick brown fox jumps over the lazy dog. " * 8


def marked(mark: Any = MARK) -> dict[str, Any]:
    """A request whose system prompt is marked."""
    return {"system": [{"type": "text", "text": LONG, "cache_control": mark}]}


@check(
    "usage",
    "usage tells what was written to the cache and read from it.",
    source="Prompt caching: Tracking cache performance",
)
def _(api: Api) -> None:
    usage = dictionary(api.said().get("usage"))
    for name in COUNTS:
        count_of(usage.get(name), f"usage.{name}")


@check("unmarked", "Without a mark nothing is written or read.")
def _(api: Api) -> None:
    usage = dictionary(api.said().get("usage"))
    found = {name: usage.get(name) for name in COUNTS}
    expect(not any(found.values()), f"usage has {found}")


@check(
    "marked", "A mark changes nothing of the input as a whole.", source="Prompt caching: Tracking cache performance"
)
def _(api: Api) -> None:
    same(api, {"system": LONG}, marked())


@check("hour", "A mark may be for an hour.", source="Prompt caching: 1-hour cache duration")
def _(api: Api) -> None:
    api.said(marked({**MARK, "ttl": "1h"}))


@check("tool", "A tool may be marked.")
def _(api: Api) -> None:
    api.said({"tools": [{**PROBE, "cache_control": MARK}]})


@check("message", "A block of a message may be marked.")
def _(api: Api) -> None:
    block = {"type": "text", "text": "Say hello.", "cache_control": MARK}
    api.said({"messages": [{"role": "user", "content": [block]}]})


@check("split", "What is written is split by how long it is kept.", source="Prompt caching: 1-hour cache duration")
def _(api: Api) -> None:
    usage = dictionary(api.said(marked()).get("usage"))
    split = dictionary(usage.get("cache_creation"))
    parts = sum(count_of(value, f"usage.cache_creation.{name}") for name, value in split.items())
    expect(parts == usage.get(COUNTS[0]), f"the parts are {split}, the whole is {usage.get(COUNTS[0])}")


@check("streamed", "message_start tells of the cache.", source="Prompt caching: Tracking cache performance")
def _(api: Api) -> None:
    message = dictionary(only(api.heard(marked()), "message_start").get("message"))
    for name in COUNTS:
        count_of(dictionary(message.get("usage")).get(name), f"usage.{name}")
    expect(tokens(message) > 0, "there is no input")


_FIVE: Final = {"system": [{"type": "text", "text": LONG, "cache_control": MARK}] * 5}
_WRONG: Final[tuple[Row, ...]] = (
    ("kind", "An unknown kind of mark is refused.", marked({"type": "eternal"})),
    ("kindless", "A mark without a type is refused.", marked({})),
    ("ttl", "An unknown time to live is refused.", marked({**MARK, "ttl": "2w"})),
    ("type", "A mark that is no object is refused.", marked("yes")),
    ("five", "A fifth mark is refused.", _FIVE),
)
for _name, _sentence, _changes in _WRONG:
    SUBJECT.refuses(f"refused-{_name}", _sentence, _changes)

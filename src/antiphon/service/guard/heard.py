"""What users say in a conversation, as text: what a guard reads."""

from collections.abc import Iterator

from antiphon.dialogue.content import Document, SearchResult, Text
from antiphon.dialogue.conversation import Conversation, Part, Turn
from antiphon.dialogue.tools import Result


def heard(conversation: Conversation) -> str:
    """All that stands in the turns of users: their words, results of tools, documents. Pictures are not read."""
    return "\n".join(_all(turn for turn in conversation.turns if turn.speaker == "user"))


def heard_last(conversation: Conversation) -> str:
    """The same of the last turn alone."""
    users = [turn for turn in conversation.turns if turn.speaker == "user"]
    return "\n".join(_all(iter(users[-1:])))


def _all(turns: Iterator[Turn]) -> Iterator[str]:
    for turn in turns:
        for part in turn.parts:
            yield from _texts(part)


def _texts(part: Part) -> Iterator[str]:
    match part:
        case Text(text=text):
            yield text
        case Result(text=text, parts=parts):
            yield text
            for within in parts:
                yield from _texts(within)
        case Document(title=title, context=context, sections=sections):
            yield from (said for said in (title, context) if said)
            yield from (piece.text for section in sections for piece in section if isinstance(piece, Text))
        case SearchResult(title=title, texts=texts):
            yield title
            yield from (piece.text for piece in texts)
        case _:
            return

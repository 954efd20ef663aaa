"""Whether a prompt with pictures is read by the engine as it was written here.

An engine may read such a prompt anew of its text. Where nothing in the text looks like a control token, the same text
comes of it, and its count says whether the tokens are as many as were counted here. Where something does, each token
that was read has to be the one that was sent; engines are asked for them only then, because they say them again in
every event. What an engine refuses for such a text is the request's own trouble, and its sender is told.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Final

from antiphon.engines.llamacpp.pictures import ControlTexts
from antiphon.engines.remote.dialects.ask import Heard
from antiphon.engines.remote.tokens.sglang_pictures import PLACES
from antiphon.engines.remote.tokens.tokenizer import LocalTokenizer
from antiphon.errors import EngineDeclined, EngineRefused

_MOST_NAMED: Final = 3


class Lookalikes:
    """What in a prompt's tokens is plain text, and looks like control tokens or a picture's place."""

    def __init__(self, tokenizer: LocalTokenizer) -> None:
        self._tokenizer = tokenizer
        self._texts = ControlTexts({*tokenizer.special_tokens, *PLACES})

    def of(self, tokens: Sequence[int]) -> tuple[str, ...]:
        """Their texts, each once."""
        found = dict.fromkeys(
            text[start:end] for text in self._plain(tokens) for start, end in self._texts.find(text)
        )
        return tuple(found)

    def _plain(self, tokens: Sequence[int]) -> Iterator[str]:
        """The stretches of text between control tokens."""
        start = 0
        for at, token in enumerate([*tokens, -1]):
            if token < 0 or token in self._tokenizer.marks:
                if start < at:
                    yield self._tokenizer.text(tokens[start:at])
                start = at + 1


async def watched(
    replies: AsyncGenerator[Heard, None], tokens: Sequence[int], lookalikes: Sequence[str]
) -> AsyncGenerator[Heard, None]:
    """The same replies; raises before the first where the prompt was read as another one than `tokens`, in which
    negative numbers stand for pictures."""
    known = False
    try:
        async with aclosing(replies):
            async for heard in replies:
                if not known:
                    _compare(heard, tokens, exactly=bool(lookalikes))
                    known = True
                yield heard
    except EngineRefused as problem:
        if not lookalikes:
            raise
        raise declined(lookalikes) from problem


def _compare(heard: Heard, tokens: Sequence[int], *, exactly: bool) -> None:
    if heard.counted != len(tokens):
        raise EngineRefused(f"a prompt with pictures has {len(tokens)} tokens, and {heard.counted} were read")
    if not exactly:
        return
    read = heard.read or ()
    if len(read) != len(tokens) or any(0 <= sent != came for sent, came in zip(tokens, read, strict=False)):
        raise EngineRefused("a prompt with pictures was read as other tokens than were sent")


def declined(texts: Sequence[str]) -> EngineDeclined:
    """What is said of a prompt with pictures that cannot be read for these texts in it."""
    named = ", ".join(repr(text) for text in texts[:_MOST_NAMED])
    more = f" and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return EngineDeclined(
        f"messages: this model cannot read pictures in a conversation with the text {named}{more}: it would take it "
        "for markup of its own. Remove the text or the pictures."
    )

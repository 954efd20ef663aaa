"""The grammars of one model's replies: made once for the same tools, off the loop, and kept for a while."""

import asyncio
import logging
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

import orjson

from antiphon.dialogue.conversation import Conversation
from antiphon.dialogue.rendered import Segment
from antiphon.dialogue.tools import Tool
from antiphon.memory import Kept
from antiphon.ports.engine import Engine
from antiphon.render.families.syntax import Family
from antiphon.render.grammar.reply import reply_grammar, thought_grammar
from antiphon.render.grammar.schemas import lost
from antiphon.render.sources import sources_of

log = logging.getLogger(__name__)

MOST_BYTES = 16 * 1024 * 1024
"""What the kept grammars may weigh together, in characters."""

MOST_WARNED = 1000
"""Of how many schemas it is remembered that the log speaks of them."""


class Grammars:
    """Makes and keeps them. Raises `GrammarError` where one cannot be made, and the engine's faults."""

    def __init__(self, engine: Engine, family: Family) -> None:
        self._engine = engine
        self._family = family
        self._tokens: dict[str, int] | None = None
        self._kept: Kept[bytes, str] = Kept(MOST_BYTES, lambda _, grammar: len(grammar))
        self._warned: set[bytes] = set()

    @property
    def visible(self) -> frozenset[str]:
        """The control tokens that the family's reader has to see."""
        return _in_both(self._family.syntax.control, self._engine.card.special_tokens)

    async def grammar(self, conversation: Conversation) -> str | None:
        """The grammar of the reply to this conversation, None where the reply is free."""
        if not conversation.tools and conversation.shape is None and not sources_of(conversation):
            return None
        key = _key(conversation)
        known = self._kept.get(key)
        if known is not None:
            return known
        tokens = await self._marker_tokens()
        made = await asyncio.to_thread(reply_grammar, self._family, conversation, tokens)
        await self._warn(conversation.offered)
        if made is not None:
            self._kept.put(key, made)
        return made

    async def thought(self) -> str:
        """The grammar of a thought that may not be empty."""
        return thought_grammar(self._family, await self._marker_tokens())

    async def _warn(self, tools: Sequence[Tool]) -> None:
        """Say once of a schema what decoding does not keep to; one that must be kept to whole is refused before."""
        fresh = {sha256(orjson.dumps(tool.schema)).digest(): tool for tool in tools if not tool.strict}
        fresh = {key: tool for key, tool in fresh.items() if key not in self._warned}
        if len(self._warned) + len(fresh) > MOST_WARNED:
            self._warned.clear()
        self._warned.update(fresh)
        for tool in fresh.values():
            found = await asyncio.to_thread(lost, tool.schema)
            if found is not None:
                log.warning("tools: calls of %s are not kept to all of its schema: %s", tool.name, found)

    async def _marker_tokens(self) -> dict[str, int]:
        """The markers that this model has a control token for."""
        if self._tokens is None:
            opening = len(await self._engine.tokenize((Segment(""),)))
            found: dict[str, int] = {}
            for marker in sorted(self.visible):
                tokens = await self._engine.tokenize((Segment(marker),))
                if len(tokens) == opening + 1:
                    found[marker] = tokens[opening]
            self._tokens = found
        return self._tokens


@lru_cache(maxsize=64)
def _in_both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The same set for all replies of a model, which keep it until their ends."""
    return one & other


def _key(conversation: Conversation) -> bytes:
    choice = conversation.choice
    told = (
        [[tool.name, tool.strict, tool.schema, tool.held] for tool in conversation.offered],
        [choice.mode, choice.name, choice.parallel],
        conversation.shape,
        [[source.tag.opening, source.tag.pieces] for source in sources_of(conversation)],
    )
    return sha256(orjson.dumps(told)).digest()

"""Whether what is in a slot can be put back: tried, because no model says so, and llama.cpp says yes to all.

A model that keeps a summary of what it read instead of the tokens themselves is put back, and then reads everything
anew. One whose attention has a sliding window does so where a prompt is longer than that, which takes too long to
try: its file says it. Source: llama.cpp#28194, llama.cpp#25913.
"""

from collections.abc import Sequence
from typing import Final

from antiphon.engines.llamacpp.client import LlamaClient, Server
from antiphon.engines.llamacpp.kept.staging import Staging
from antiphon.errors import EngineFault

TEXT: Final = "One two three four five six seven eight nine ten eleven twelve."

_SHARED: Final = 6


async def why_not(client: LlamaClient, server: Server, slot: int, staging: Staging) -> str:
    """Why what is in this slot cannot be put back; empty where it can. Raises `EngineFault` or OSError."""
    tokens = await client.tokenize(server, TEXT, special=False)
    staged = staging.new()
    try:
        await client.read(server, slot, tokens)
        await client.save(server, slot, staged.name)
        await client.erase(server, slot)
        await client.restore(server, slot, staged.name)
        begun = await client.read(server, slot, _other_end(tokens))
    except EngineFault as fault:
        return f"the engine cannot save and restore it: {fault}"
    finally:
        staged.close()
    if begun < _SHARED:
        return "the model does not keep the tokens themselves, and reads all of them anew"
    return ""


def _other_end(tokens: Sequence[int]) -> list[int]:
    """A prompt that begins with these tokens, and goes on otherwise before they end."""
    return [*tokens[:_SHARED], *reversed(tokens[:_SHARED])]

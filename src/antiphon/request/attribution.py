"""The line that coding agents put before their system prompt for the vendor's accounting.

It holds a nonce that changes with every request. Told to a model, it would spoil the KV cache of all that follows;
the API takes it out before the prompt. Source: anthropics/claude-code#68900, ggml-org/llama.cpp#21793.
"""

import re
from typing import Final

_LINE: Final = re.compile(r"\Ax-anthropic-billing-header:(?:[ \t]*[a-z_]+=[^;\n]*;)*[ \t]*\n?")


def without_attribution(text: str) -> str:
    """A system block's text less the line at its beginning; what stands behind the line stays."""
    return _LINE.sub("", text)

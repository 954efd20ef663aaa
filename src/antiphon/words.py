"""How other people's words stand in ours."""

from typing import Final

LONGEST_NAME: Final = 256
"""Characters of a client's own name that are worth showing."""


def shown(name: str) -> str:
    """A client's own name as it stands in a message: a hostile one must not make the reply as long as the request."""
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"

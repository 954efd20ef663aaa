"""A provider that is made when it is first asked: one that nobody uses costs a server no library."""

import asyncio
from collections.abc import Callable
from importlib import import_module

from antiphon.tools.search.port import Found, SearchProvider, SearchQuery


class Lazily:
    """Stands in for the provider that `make` makes out of `module`, whose import is done aside, off the loop.

    `name` and `longest_query`: the provider's own.
    """

    def __init__(self, name: str, longest_query: int, module: str, make: Callable[[], SearchProvider]) -> None:
        self.name = name
        self.longest_query = longest_query
        self._module = module
        self._make = make
        self._made: SearchProvider | None = None

    async def search(self, query: SearchQuery) -> list[Found]:
        """See `SearchProvider`."""
        if self._made is None:
            await asyncio.to_thread(import_module, self._module)
        if self._made is None:
            self._made = self._make()
        return await self._made.search(query)

    async def aclose(self) -> None:
        """See `SearchProvider`."""
        if self._made is not None:
            await self._made.aclose()

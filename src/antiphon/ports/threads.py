"""Where conversations of message threads are kept for a while: the port, and what it says of one.

A store keeps bytes under the id of a reply, for one tenant, until nobody has asked for them for some time; it may
forget them sooner. A reply is gone on from once: who claims it gives it back, or keeps what came of it. With several
servers over one store this holds among all of them.
"""

from dataclasses import dataclass
from typing import Literal, Protocol


class StoreGone(Exception):  # noqa: N818 - reads as what happened
    """The store does not answer. Its text is for the owner's log."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A kept conversation that one request goes on with. `token`: nobody else's claim has it."""

    tenant: str
    id: str
    token: str
    data: bytes


Unclaimed = Literal["unknown", "continued", "in flight"]
"""Why there is no claim: nothing is kept, or not for this tenant; it was gone on from; it is being gone on from."""


class ThreadStore(Protocol):
    """Keeps conversations. All but `aclose` raise `StoreGone`."""

    async def check(self) -> None:
        """Nothing, where the store answers."""
        ...

    async def claim(self, tenant: str, id_: str) -> Claim | Unclaimed:
        """Take what is kept under the id of a reply; nobody else gets it until it is released."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give it back: it can be claimed again. Does nothing where it was forgotten meanwhile."""
        ...

    async def keep(self, tenant: str, id_: str, data: bytes | None, claim: Claim | None) -> None:
        """Keep a conversation under the id of its last reply; in the same moment, what it goes on from is continued.

        Where there is nothing to keep, or too much for the store, what it goes on from is continued all the same.
        """
        ...

    async def aclose(self) -> None:
        """Let go of what the store holds; nothing is asked of it afterwards."""
        ...

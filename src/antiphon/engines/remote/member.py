"""An endpoint of an engine, and the places that it has."""

import asyncio
from dataclasses import dataclass, field

from antiphon.engines.remote.endpoint import Endpoint, Findings


@dataclass(slots=True, eq=False)
class Member:
    """An endpoint and what is known of it. `up`: it answers, and has the model that it should have. `detail`: why it
    is not."""

    endpoint: Endpoint
    up: bool = False
    detail: str = "it has not been asked yet"
    findings: Findings | None = None
    trace: str = ""
    seen: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    doubted: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Place:
    """One of the works that a member does at once. `goes_on`: the work has ended, and more of the same reply is
    likely to follow, for which the place is kept a moment."""

    member: Member
    goes_on: bool = False

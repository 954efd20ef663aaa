"""How a reply thinks, as an engine-side value."""

from dataclasses import dataclass
from typing import Final, Literal

from antiphon.profiles import Effort

Thinker = Literal["native", "universal"]
"""How a model comes to think: it was trained to, or it is only told to."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """The thinking of one reply. `budget`: the most tokens that it may take, 0 = the reply does not think.

    `required`: the client has to send a thinking block back, so that there must be one. `effort`: what models are
    told whose template has a place for it.
    """

    budget: int = 0
    required: bool = False
    effort: Effort | None = None


OFF: Final = Thinking()

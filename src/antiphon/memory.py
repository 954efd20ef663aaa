"""A memory that forgets what nobody has asked for longest."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by their keys, `most` of them together by what `weigh` says of each; the longest unused go first."""

    def __init__(self, most: int, weigh: Callable[[K, V], int] = lambda _key, _value: 1) -> None:
        self._most = most
        self._weigh = weigh
        self._held: OrderedDict[K, tuple[int, V]] = OrderedDict()
        self._weight = 0

    @property
    def weight(self) -> int:
        """What everything that is kept weighs."""
        return self._weight

    def get(self, key: K) -> V | None:
        """What was kept under the key, if it is still there."""
        found = self._held.get(key)
        if found is None:
            return None
        self._held.move_to_end(key)
        return found[1]

    def put(self, key: K, value: V) -> None:
        """Keep it in place of what was there, unless it alone is more than may be kept."""
        held = self._held
        before = held.pop(key, None)
        if before is not None:
            self._weight -= before[0]
        weight = self._weigh(key, value)
        if weight > self._most:
            return
        held[key] = weight, value
        self._weight += weight
        while self._weight > self._most:
            self.drop(next(iter(self._held)))

    def drop(self, key: K) -> None:
        """Forget it; what is not there is forgotten already."""
        found = self._held.pop(key, None)
        if found is not None:
            self._weight -= found[0]

"""What a scripted model has read, so that it can say what of a prompt it need not read again.

Not all of what it has read: the prompts of late. At least one token of a prompt is always read anew, as real engines
do to go on from it.
"""

from typing import Final

MOST_PROMPTS: Final = 32


class ReadPrompts:
    """The prompts of late, by their tokens."""

    def __init__(self, most: int = MOST_PROMPTS) -> None:
        self._most = most
        self._prompts: list[tuple[int, ...]] = []

    def known(self, prompt: tuple[int, ...]) -> int:
        """How many of the prompt's first tokens have been read."""
        longest = 0
        for earlier in reversed(self._prompts):
            if earlier[: longest + 1] == prompt[: longest + 1]:
                longest = max(longest, _shared(earlier, prompt))
        return max(0, min(longest, len(prompt) - 1))

    def add(self, prompt: tuple[int, ...]) -> None:
        """The prompt has been read."""
        others = [earlier for earlier in self._prompts if prompt[: len(earlier)] != earlier]
        self._prompts = [*others, prompt][-self._most :]

    def forget(self) -> None:
        """Nothing has been read."""
        self._prompts = []


def _shared(one: tuple[int, ...], two: tuple[int, ...]) -> int:
    """How many tokens both begin with; slices are compared much faster than tokens one by one."""
    least, most = 0, min(len(one), len(two))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == two[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least

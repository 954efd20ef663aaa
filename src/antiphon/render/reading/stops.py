"""Stop sequences in a stream of text: any number, any length, across any cut.

A sequence takes effect the moment its last character is there; when several end at the same character, the one
that began first (the longest) is reported. The text before it is the reply, the text after it never was.

The matcher is an Aho-Corasick automaton: its state is the longest suffix of the text that begins some sequence, so
exactly those characters are held back and no others. Source: Aho and Corasick, CACM 18 (1975).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Node:
    depth: int
    next: dict[str, int] = field(default_factory=dict[str, int])
    fallback: int = 0
    match: str | None = None


def _build(sequences: Sequence[str]) -> list[_Node]:
    nodes = [_Node(depth=0)]
    for sequence in sequences:
        at = 0
        for char in sequence:
            if char not in nodes[at].next:
                nodes.append(_Node(depth=nodes[at].depth + 1))
                nodes[at].next[char] = len(nodes) - 1
            at = nodes[at].next[char]
        nodes[at].match = sequence
    queue = deque(nodes[0].next.values())
    while queue:
        at = queue.popleft()
        node = nodes[at]
        for char, child in node.next.items():
            fallback = node.fallback
            while fallback and char not in nodes[fallback].next:
                fallback = nodes[fallback].fallback
            found = nodes[fallback].next.get(char, 0)
            nodes[child].fallback = found if found != child else 0
            queue.append(child)
        if node.match is None:
            node.match = nodes[node.fallback].match
    return nodes


_NOTHING = _build(())


class StopMatcher:
    """Feeds on text, gives back what may be sent, and says which sequence ended the reply."""

    def __init__(self, sequences: Sequence[str]) -> None:
        self._nodes = _build([sequence for sequence in sequences if sequence]) if sequences else _NOTHING
        self._state = 0
        self._held = ""
        self.matched: str | None = None

    def feed(self, text: str) -> str:
        """The text that is safe to send now. After a match, `matched` is set and nothing more comes."""
        if self.matched is not None:
            return ""
        nodes = self._nodes
        if len(nodes) == 1:
            return text
        text = self._held + text
        state = self._state
        for position in range(len(self._held), len(text)):
            char = text[position]
            while state and char not in nodes[state].next:
                state = nodes[state].fallback
            state = nodes[state].next.get(char, 0)
            match = nodes[state].match
            if match is not None:
                self.matched = match
                self._held = ""
                return text[: position + 1 - len(match)]
        self._state = state
        safe = len(text) - nodes[state].depth
        self._held = text[safe:]
        return text[:safe]

    def flush(self) -> str:
        """What was held back, when the text ended without a match."""
        held, self._held, self._state = self._held, "", 0
        return held

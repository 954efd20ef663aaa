"""Thoughts as text: opened and closed in a prompt, and told again in the prompts of later requests.

A later prompt tells a thought as the very text that the model wrote and we closed, so that it begins as this reply's
prompt, thought, closing and answer did, and an engine need not read them anew. A template therefore gets a
placeholder, which it can neither trim nor look into; the thought takes its place afterwards.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from antiphon.profiles import EFFORTS, Effort
from antiphon.render.families.syntax import TAGGED_THOUGHT, UNIVERSAL_THOUGHT, ThoughtSyntax

PLACEHOLDER: Final = "\ufdef"
"""A noncharacter: no text needs it."""


def thought_of(
    declared: ThoughtSyntax, chat_template: str | None, around: tuple[str, str, str] | None = None
) -> ThoughtSyntax:
    """How a model with this template thinks: as its family does, in the usual tags, or else in the universal ones.

    `around`: a prompt, what such a template puts before a thought, and what behind it. Its own white space counts.
    """
    for thought in (declared, TAGGED_THOUGHT):
        if thought.close in (chat_template or ""):
            return thought if around is None else _spaced(thought, *around)
    return UNIVERSAL_THOUGHT


def _spaced(thought: ThoughtSyntax, prompt: str, before: str, behind: str) -> ThoughtSyntax:
    closed = re.fullmatch(rf"(\s*){re.escape(thought.close)}(\s*)", behind)
    if closed is None:
        return thought
    marker = thought.open.strip()
    # The prompt has opened the thought already, all but white space perhaps.
    inside = re.search(rf"{re.escape(marker)}\s*\Z", prompt + before) if not before.strip() else None
    opens = inside[0] if inside else before if before.strip() == marker else thought.open
    return replace(thought, open=opens, before_close=closed[1], after=closed[2])


def switched(thinks: bool, effort: Effort | None, efforts: tuple[Effort, ...]) -> Mapping[str, Any]:
    """The variables of a template that say whether to think, and how hard; a template that knows none reads none.

    `clear_thinking`: what is told of earlier thoughts has been decided already (GLM 4.7).
    """
    told: dict[str, Any] = {"enable_thinking": thinks, "thinking": thinks, "clear_thinking": False}
    if effort is not None and efforts:
        most = EFFORTS.index(effort)
        told["reasoning_effort"] = max((e for e in efforts if EFFORTS.index(e) <= most), key=EFFORTS.index)
    return told


def closing(syntax: ThoughtSyntax, thought: str) -> str:
    """What comes between this thought and the answer."""
    before = "" if thought.endswith(syntax.before_close) else syntax.before_close
    return f"{before}{syntax.close}{syntax.after}"


def opened(syntax: ThoughtSyntax, prompt: str, gap: str) -> str:
    """The prompt, ending inside of a thought; `gap`: what the template puts before every reply's text."""
    if not _ends_inside(syntax, prompt):
        return f"{prompt}{gap}{syntax.open}"
    written, wanted = (text[len(text.rstrip()) :] for text in (prompt, syntax.open))
    return prompt + (wanted.removeprefix(written) if wanted.startswith(written) else "")


def unopened(syntax: ThoughtSyntax, prompt: str, *, switch: bool) -> str:
    """The prompt, ending where an answer begins; `switch`: the template has been told that there is no thought."""
    if _ends_inside(syntax, prompt):
        return prompt + closing(syntax, "")
    if switch or syntax == UNIVERSAL_THOUGHT or prompt.rstrip().endswith(syntax.close):
        return prompt
    return prompt + syntax.open + closing(syntax, "")


def _ends_inside(syntax: ThoughtSyntax, prompt: str) -> bool:
    return prompt.rstrip().endswith(syntax.open.strip())


class ToldThoughts:
    """The thoughts of one conversation on their way through a template."""

    def __init__(self, syntax: ThoughtSyntax) -> None:
        self._syntax = syntax
        self._thoughts: list[str] = []

    def place(self, thought: str) -> str:
        """What stands for the thought in a field of its own."""
        return self._place(thought, "")

    def section(self, thought: str, *, ends: bool) -> str:
        """What stands for the whole section in a message's text; `ends`: nothing of the client's comes behind it."""
        syntax = self._syntax
        place = self._place(thought, "e" if ends else "")
        return f"{syntax.open}{place}{syntax.before_close}{syntax.close}{syntax.after}"

    def fill(self, prompt: str) -> str:
        """The prompt with the thoughts in their places."""
        if not self._thoughts:
            return prompt
        mark, close = PLACEHOLDER, re.escape(self._syntax.close)
        return re.sub(rf"{mark}([0-9]+)(e?){mark}(\s*)(?:({close})(\s*))?", self._filled, prompt)

    def _place(self, thought: str, kind: str) -> str:
        self._thoughts.append(thought)
        return f"{PLACEHOLDER}{len(self._thoughts) - 1}{kind}{PLACEHOLDER}"

    def _filled(self, found: re.Match[str]) -> str:
        thought, (before, close, after) = self._thoughts[int(found[1])], found.group(3, 4, 5)
        if thought.endswith(before):
            before = ""
        # Behind a section at the text's end a template may write a space of its own, or take one away.
        behind = self._syntax.after if found[2] else after
        return f"{thought}{before}" + (f"{close}{behind}" if close else "")

"""An explanation as text for a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from antiphon.errors import ApiError
    from antiphon.service.explainer import Explained
    from antiphon.service.explaining import Explanation, Stretch

_STYLES = {"control": "bold magenta", "template": "dim", "block": "", "picture": "bold cyan"}


def show(explained: "Explained", out: Console) -> None:
    """All of it, for a person."""
    for line in told(explained):
        out.print(Text(line), highlight=False)
    found = explained.explanation
    if found is None:
        return
    out.print()
    table = Table(box=None, header_style="bold", padding=(0, 1), pad_edge=False)
    table.add_column("tokens", justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True, max_width=28)
    table.add_column("the prompt, as the model reads it", overflow="fold", ratio=1)
    for stretch in found.stretches:
        table.add_row(str(stretch.tokens), source(stretch), Text(visible(stretch.text), _STYLES[stretch.kind]))
    out.print(table, highlight=False)
    if found.grammar is not None:
        out.print(Text("\nThe grammar that bounds the reply:\n\n" + found.grammar), highlight=False)


def told(explained: "Explained") -> Iterator[str]:
    """What there is to say before the prompt, a line each."""
    if explained.refusal is not None:
        yield f"Not answered: {_said(explained.refusal)}"
    if explained.there is not None:
        yield f"Answered here; the API itself would refuse it: {_said(explained.there)}"
    for warning in explained.warnings:
        yield f"The server's log would say: {warning}"
    if explained.explanation is not None:
        yield from _facts(explained.explanation)


def source(stretch: "Stretch") -> str:
    """Where a stretch comes from, in a word."""
    return stretch.path or {"control": "control token", "picture": "picture"}.get(stretch.kind, "template")


def visible(text: str) -> str:
    """The text with line ends and control characters to be seen."""
    shown = "".join(char if char == "\n" or char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return shown.replace("\n", "⏎\n").removesuffix("\n")


def _facts(found: "Explanation") -> Iterator[str]:
    yield f"{found.model} is answered by {found.name}, of the family {found.family}."
    room = max(0, found.window - found.tokens)
    yield f"The prompt has {found.tokens} of {found.window} tokens; the reply may have {min(found.max_tokens, room)}."
    yield f"Thinking: at most {found.budget} tokens." if found.budget else "Thinking: none."
    drawn = ", ".join(f"{name} {value:g}" for name, value in found.sampling.items() if value is not None)
    yield f"Sampling: {drawn or 'as the engine does it by itself'}."
    if found.stop_sequences:
        yield f"The reply stops at: {', '.join(map(repr, found.stop_sequences))}."
    for mark in found.marks:
        kept = "nothing: it is too short, or has no place" if mark.tokens is None else f"{mark.tokens} tokens"
        yield f"Cache mark at {mark.path}, for {mark.seconds} s: {kept}."
    if found.summary is not None:
        yield f"A summary is made {'instead of an answer' if found.summary == 'alone' else 'before the answer'}."
    if found.context_management is not None:
        yield f"Context management: {found.context_management}."
    if not found.placed:
        yield "The model's template does not tell where in the prompt a text stands."
    yield f"Grammar: {'none' if found.grammar is None else f'{len(found.grammar)} characters, below'}."


def _said(error: "ApiError") -> str:
    return f"{error.status} {error.type}: {error.message}"

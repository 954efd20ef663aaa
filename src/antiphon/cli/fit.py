"""Whether a model fits this machine, said before it is fetched."""

from typing import Final

from antiphon.cli.machine import Memory
from antiphon.cli.sizes import megabytes
from antiphon.config import Settings
from antiphon.config.short import ShortName, known_by

ENGINE_BYTES: Final = 100_000_000
"""What an engine process takes beside weights and cache: 50 MB with the built-in model, more with a larger one."""
WINDOW: Final = 8192
"""Tokens of a conversation where neither the settings nor the model want fewer."""
PARALLEL: Final = 4
"""Conversations at once where the settings do not say."""


def need(known: ShortName, context: int = 0, parallel: int = PARALLEL) -> int:
    """Bytes of memory for the model's weights and so many full conversations. `context`: tokens of each, 0 = as many
    as a start would take."""
    tokens = (context or min(known.window, WINDOW)) * parallel
    return known.size + tokens * known.kv_bytes_per_token + ENGINE_BYTES


def verdict(wanted: int, machine: Memory | None) -> str:
    """One word for a table: `yes`, `tight` (if other programs make room), `no`, or `unknown`."""
    if machine is None:
        return "unknown"
    if wanted <= machine.available:
        return "yes"
    return "tight" if wanted <= machine.total else "no"


def before_download(settings: Settings, file: str, size: int, machine: Memory | None) -> str:
    """A line on a model file of `size` bytes that is about to be fetched: what it needs, and whether that is here."""
    model = next((model for model in settings.models.values() if model.source.endswith(f":{file}")), None)
    known = None if model is None else known_by(model.source)
    if model is None or known is None:
        wanted, what = size + ENGINE_BYTES, "it needs more memory than"
    else:
        wanted = need(known, model.context, model.parallel)
        tokens = model.context or min(known.window, WINDOW)
        what = f"with {model.parallel} conversations of {tokens} tokens it needs about"
        size = known.size
    line = f"{file}: {megabytes(size)} to fetch; {what} {megabytes(wanted)}"
    if machine is None:
        return f"{line}, and this system does not say how much it has."
    line += f", and {megabytes(machine.available)} are free"
    verdicts = {
        "yes": ": it fits.",
        "tight": f" of {megabytes(machine.total)}: it fits if other programs make room.",
        "no": f" of {megabytes(machine.total)}: it does not fit, unless a GPU takes most of it. Ctrl-C stops; lower "
        "--context or --parallel, or take a smaller one of `antiphon models list`.",
    }
    return line + verdicts[verdict(wanted, machine)]

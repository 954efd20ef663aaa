"""Whether what is at several URLs is one and the same model, and what is said where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from antiphon.dialogue.conversation import Sampling
from antiphon.engines.remote.endpoint import Findings, Identity
from antiphon.errors import EngineFault
from antiphon.ports.engine import ModelCard


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner says of a model. `context`: tokens of one conversation, 0 = what the engines have. `sampling`:
    where a request is silent. `chat_template`: instead of the model's own."""

    id: str
    context: int = 0
    sampling: Sampling = field(default_factory=Sampling)
    chat_template: str | None = None


def lacking(url: str, findings: Findings) -> str:
    """What keeps the engine at the URL from being used, and what is to be done about it."""
    reasons = "; ".join(
        f"{row.subject}: {row.says}" + (f" ({row.remedy})" if row.remedy else "") for row in findings.missing
    )
    return f"{url} ({findings.engine} {findings.version}) cannot be used: {reasons}."


def disagreement(card: ModelCard, first: Findings, other: Findings) -> str:
    """In which way the other one cannot answer for the card's model, which the first one has; empty where it can."""
    differing = [
        f"its {what.name} is {getattr(other.identity, what.name)} and not {getattr(first.identity, what.name)}"
        for what in fields(Identity)
        if getattr(other.identity, what.name) != getattr(first.identity, what.name)
    ]
    if other.card.window < card.window:
        differing.append(f"its window is {other.card.window}, and {card.window} tokens are promised")
    if other.card.sees != first.card.sees:
        differing.append("it sees pictures" if other.card.sees else "it does not see pictures")
    return ", ".join(differing)


def joint_card(wishes: Wishes, found: Mapping[str, Findings]) -> tuple[Findings, ModelCard]:
    """The first one's findings, and the card of what all of them have. Raises `EngineFault` where they differ."""
    (first_url, first), *others = found.items()
    window = min(findings.card.window for findings in found.values())
    if wishes.context > window:
        short = next(url for url, findings in found.items() if findings.card.window == window)
        raise EngineFault(
            f"models.{wishes.id}.context is {wishes.context}, and the engine at {short} has room for {window} tokens "
            f"in a conversation. Set it to {window} or less, or give the engine more."
        )
    card = replace(
        first.card,
        id=wishes.id,
        window=wishes.context or window,
        sampling=first_of(wishes.sampling, first.card.sampling),
        chat_template=wishes.chat_template or first.card.chat_template,
    )
    for url, findings in others:
        if words := disagreement(card, first, findings):
            raise EngineFault(f"{url} does not have the model that {first_url} has: {words}")
    return first, card


def first_of(wanted: Sampling, recommended: Sampling) -> Sampling:
    """What is wanted, else what is recommended."""
    said = {what.name: getattr(wanted, what.name) for what in fields(Sampling)}
    return replace(recommended, **{name: value for name, value in said.items() if value is not None})

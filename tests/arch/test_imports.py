"""The import contracts of pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

from tests.arch.tree import ROOT


def test_imports_keep_the_contracts():
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_starts_nothing():
    code = "import antiphon, sys, threading; print(antiphon.__version__, threading.active_count(), 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split()[1:] == ["1", "False"]


def test_a_server_begins_without_the_libraries_that_it_may_never_use():
    rare = ("aiohttp", "huggingface_hub", "jsonschema", "llguidance", "lxml", "opentelemetry", "PIL", "trafilatura")
    code = f"import sys, antiphon.cli.main, antiphon.compose.start; print([m for m in {rare} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]", "each is megabytes: import it where it is used"

"""The import contracts of pyproject.toml hold."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.arch.tree import ROOT


def test_imports_keep_the_contracts():
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_the_package_starts_nothing():
    code = "import antiphon, sys, threading; print(antiphon.__version__, threading.active_count(), 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split()[1:] == ["1", "False"]


RARE = (
    *("PIL", "aiohttp", "alembic", "anthropic", "asyncpg", "gguf", "huggingface_hub", "jsonschema", "llguidance"),
    *(
        "lxml",
        "mcp",
        "numpy",
        "obstore",
        "onnxruntime",
        "opentelemetry",
        "prompt_toolkit",
        "redis",
        "rich._emoji_codes",
    ),
    *("rich.progress", "rich.table", "sqlalchemy.dialects.postgresql", "sqlalchemy.orm", "tokenizers"),
    *("trafilatura", "xllamacpp", "yaml", "antiphon.chat", "antiphon.clients", "antiphon.cli.models"),
)
"""What a server takes that nobody has asked for it: megabytes each, or of commands that are not this one."""

STARTED = """
import json, sys
from antiphon.cli.main import program
from antiphon.cli.progress import ConsoleObserver

def tell(*_, **__):
    print(json.dumps(sorted(sys.modules)))
    raise SystemExit(0)

ConsoleObserver.listening = tell
program(sys.argv[1:])
"""
"""The program, which ends when it would say where it listens."""


@pytest.mark.parametrize("data", ["off", "kept"])
def test_a_server_starts_without_what_it_may_never_use(data: str, tmp_path: Path):
    script = tmp_path / "script.toml"
    script.write_text('[[reply]]\ntext = "Hello!"\n', encoding="utf-8")
    where = "off" if data == "off" else str(tmp_path / "data")
    options = ["serve", "--port", "0", "--model", f"script:{script}", "--data", where]
    rare = (*RARE, "sqlalchemy", "sqlite3") if data == "off" else RARE
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "antiphon.web.server" in loaded
    assert [name for name in loaded if name in rare] == [], "import it where it is used"

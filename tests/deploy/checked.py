"""What deploy/ amounts to, checked by Helm, Kubernetes' schemas and a strict reader of compose files."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.arch.tree import ROOT

PYTHON = ROOT / ".venv-deploy" / "bin" / "python"
CHECK = ROOT / "tests" / "deploy" / "check.py"
VERSIONS = ("1.30", "1.33", "1.37")
KEYS: Mapping[str, Any] = {"secrets": {"apiKeys": "one,two", "thinkingKeys": "k" * 43 + "="}}
VLLM = (
    "vllm serve MODEL --enable-scale-out --enable-prompt-tokens-details "
    '--structured-outputs-config \'{"backend":"guidance"}\''
)
"""The command line that keeps every guarantee."""


@cache
def _check(*arguments: str) -> Any:
    done = subprocess.run([PYTHON, CHECK, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"make test installs what this takes:\n{done.stderr}"
    return json.loads(done.stdout)


def compose() -> dict[str, Any]:
    """The compose file, its variables filled in."""
    found = _check("compose")
    assert "error" not in found, found
    return found


class Chart:
    """The objects that the chart makes of values."""

    def __init__(self, values: Mapping[str, Any], *, keys: bool = True) -> None:
        asked = {"values": {**(KEYS if keys else {}), **values}, "versions": VERSIONS}
        found: dict[str, str] | list[dict[str, Any]] = _check("chart", json.dumps(asked))
        self.error = found["error"] if isinstance(found, dict) else ""
        """Why there are none."""
        self._objects = [] if isinstance(found, dict) else found

    def names(self) -> set[tuple[str, str]]:
        """Kind and name of each."""
        return {(each["kind"], each["metadata"]["name"]) for each in self.all()}

    def all(self) -> list[dict[str, Any]]:
        """All of them."""
        assert not self.error, self.error
        return self._objects

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """The one of this kind and name."""
        (found,) = [each for each in self.all() if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        return found

    def pods(self) -> list[dict[str, Any]]:
        """The templates of all pods."""
        return [each["spec"]["template"] for each in self.all() if "template" in each.get("spec", {})]

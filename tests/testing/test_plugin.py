"""The pytest plugin, in projects of their own: found by its entry point, quiet where nobody asks for it."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.arch.tree import ROOT, SOURCE

pytest_plugins = ["pytester"]
PLUGIN = "antiphon.testing.plugin"

FORECAST = ROOT / "examples" / "applications" / "forecast"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A place on the path where the entry point is as an installation writes it, whatever is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    [(name, value)] = project["entry-points"]["pytest11"].items()
    found = tmp_path / "installed" / "antiphon_entry_point-1.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: antiphon-entry-point\nVersion: 1\n")
    (found / "entry_points.txt").write_text(f"[pytest11]\n{name} = {value}\n")
    return found.parent


def run(folder: Path, installed: Path, *arguments: str) -> str:
    """pytest in a project; what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "PYTEST_"))}
    env = {**kept, "PYTHONPATH": f"{installed}{os.pathsep}{SOURCE.parent}"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:asyncio",
        *arguments,
    ]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


@pytest.mark.promise("script.plugin")
def test_the_example_project_passes(installed: Path) -> None:
    output = run(FORECAST, installed, "-q")
    assert "9 passed" in output, output


@pytest.mark.promise("script.plugin-quiet")
def test_a_project_that_asks_for_nothing_imports_nothing_of_the_server(tmp_path: Path, installed: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_quiet.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    ours = {name for name in sys.modules if name.split('.')[0] == 'antiphon'}\n"
        "    assert ours == {'antiphon', 'antiphon.testing', 'antiphon.testing.plugin'}\n"
        "    assert not {'uvicorn', 'starlette', 'pydantic', 'aiohttp'} & set(sys.modules)\n"
    )
    output = run(project, installed, "-q", "-W", "error", "--strict-markers")
    assert "1 passed" in output, output


@pytest.mark.promise("script.unexpected")
def test_a_test_whose_application_asks_what_nobody_planned_fails(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import contextlib, json, urllib.request

        def test_it(antiphon_server):
            body = {"model": "claude-opus-4-8", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
            headers = {"x-api-key": antiphon_server.api_key, "anthropic-version": "2023-06-01"}
            headers["content-type"] = "application/json"
            url = antiphon_server.url + "/v1/messages"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
        """
    )
    result = pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:asyncio")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*no reply is planned for this request; its last user turn: 'Hi'*"])


def test_the_marker_is_known_and_gives_settings(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.antiphon(api_key="another")
        def test_it(antiphon_env, antiphon_base_url, antiphon_api_key, monkeypatch):
            import os
            assert antiphon_api_key == os.environ["ANTHROPIC_API_KEY"] == "another"
            assert antiphon_base_url == os.environ["ANTHROPIC_BASE_URL"] == antiphon_env.url
        """
    )
    pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:asyncio", "--strict-markers").assert_outcomes(passed=1)


@pytest.mark.promise("script.plugin")
def test_the_example_of_the_documentation_passes(pytester: pytest.Pytester) -> None:
    [example] = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "testing-applications.md").read_text("utf-8"), re.DOTALL
    )
    pytester.makepyfile(example)
    pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:asyncio").assert_outcomes(passed=3)


def test_the_package_names_what_it_has() -> None:
    import antiphon.testing

    assert all(getattr(antiphon.testing, name) is not None for name in antiphon.testing.__all__)
    with pytest.raises(AttributeError, match="nothing_like_it"):
        getattr(antiphon.testing, "nothing_like_it")  # noqa: B009 - pyright knows that it is not there

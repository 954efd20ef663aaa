"""The image, the compose file and what stands beside them."""

import re
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from tests.arch.tree import ROOT
from tests.deploy.checked import VLLM, Chart, compose
from tests.referee.live import live_process

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file."""
    return compose()["services"]


def lines(instruction: str) -> list[str]:
    """What an instruction of the Dockerfile says, each time it is there; continued lines are one."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^{instruction} (.*)$", joined, re.MULTILINE)


def test_the_image_is_made_of_files_that_are_there_and_that_the_context_lets_through():
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    copied = [name for line in lines("COPY") if "--from" not in line for name in line.split()[:-1]]
    assert len(copied) == 9
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored


@pytest.mark.promise("deploy.image")
def test_everything_in_the_image_is_pinned_by_hash_and_runs_without_rights():
    for command in re.findall(r"pip install ([^&\n]*)", " ".join(lines("RUN"))):
        assert "--require-hashes" in command or "--no-build-isolation" in command, command
    assert lines("USER") == ["10001"]
    assert lines("FROM")[-1].startswith("python:3.11-")
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert wanted == ">=3.11"


@pytest.mark.promise("deploy.image")
def test_the_images_health_check_tells_a_server_that_answers_from_one_that_does_not(tmp_path: Any):
    command = re.search(r"CMD (\[.*\])$", lines("HEALTHCHECK")[0])
    assert command is not None
    program: list[str] = [sys.executable, *eval(command[1])[1:]]
    script = tmp_path / "script.toml"
    script.write_text('[[reply]]\ntext = "Hello!"\n')
    with live_process("--model", f"script:{script}") as live:
        at = live.url.removeprefix("http://")
        asked = [part.replace("127.0.0.1:8484", at) for part in program]
        assert asked != program
        assert subprocess.run(asked, timeout=30, check=False, capture_output=True).returncode == 0
    assert subprocess.run(asked, timeout=30, check=False, capture_output=True).returncode != 0


@pytest.mark.promise("deploy.vllm-flags")
def test_the_compose_files_engine_is_started_as_documented_and_as_in_the_chart(services: dict[str, dict[str, Any]]):
    said = [*services["engine"]["entrypoint"], *services["engine"]["command"]]
    wanted = [word.replace("MODEL", "Qwen/Qwen3-8B") for word in shlex.split(VLLM)]
    assert said[: len(wanted)] == wanted
    chart = Chart({}).get("StatefulSet", "demo-antiphon-engine")["spec"]["template"]["spec"]["containers"][0]
    assert said == [*chart["command"], *chart["args"]]
    assert services["engine"]["image"] == chart["image"]


@pytest.mark.promise("deploy.compose")
def test_the_replicas_seal_with_one_key_and_ask_the_engine(services: dict[str, dict[str, Any]]):
    front = services["front"]
    assert front["deploy"]["replicas"] == 2
    assert front["environment"]["ANTIPHON_THINKING_KEYS"] == "given"
    assert front["environment"]["ANTIPHON_URL"] == "http://engine:8000"
    assert "ports" not in front
    # What one has kept, the other one has.
    [kept] = front["volumes"]
    assert "/var/lib/antiphon/data" in str(kept)
    assert front["environment"]["ANTIPHON_STORES_DATA"] == "/var/lib/antiphon/data"
    assert "-o antiphon /var/lib/antiphon/data" in (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    assert services["balancer"]["ports"] == ["127.0.0.1:8080:8080"]
    nginx = (ROOT / "deploy" / "balancer" / "nginx.conf").read_text("utf-8")
    assert "server front:8484 resolve;" in nginx
    assert "proxy_buffering off;" in nginx


@pytest.mark.promise("deploy.compose")
def test_the_routers_flags_are_those_of_the_chart(services: dict[str, dict[str, Any]]):
    chart = Chart({"engine": {"enabled": False, "url": "http://engine:8000"}})
    router = chart.get("Deployment", "demo-antiphon-router")["spec"]["template"]["spec"]["containers"][0]
    assert services["router"]["command"] == router["args"]
    image = (ROOT / "deploy" / "router" / "Dockerfile").read_text("utf-8")
    assert f"vllm-router=={router['image'].split(':')[1]}" in image


def test_every_variable_of_the_example_is_used_and_no_key_is_in_it():
    text = (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    example = (ROOT / "deploy" / "example.env").read_text("utf-8")
    names = re.findall(r"^([A-Z_]+)=(.*)$", example, re.MULTILINE)
    assert len(names) == 4
    for name, value in names:
        assert f"${{{name}:" in text
        assert not value or name == "MODEL"

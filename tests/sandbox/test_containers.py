"""What an engine's program is asked, by a stand-in that runs a container's command on the machine."""

import json
import os
import sys
from pathlib import Path

import pytest

from antiphon.ports.sandbox import Mount, SandboxProblem
from antiphon.sandbox.containers.driver import ContainerDriver
from tests.sandbox.commands import shell
from tests.sandbox.conftest import LIMITS

STAND_IN = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
here, argv = Path(__file__).parent, sys.argv[1:]
with open(here / "asked", "a") as log:
    log.write(json.dumps(argv) + "\\n")
answers = json.loads((here / "answers").read_text())
if argv[0] == "run":
    at = argv.index("image:tag")
    os.execvp("env", ["env", *argv[at + 1 :]])
print(answers.get(argv[0], ""))
sys.exit(1 if argv[0] in answers.get("fail", []) else 0)
"""


class Engine:
    """A stand-in for docker or podman: what it is asked, and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("docker", "podman"):
            (folder / name).write_text(STAND_IN)
            (folder / name).chmod(0o755)
        self.answer({})

    def answer(self, answers: dict[str, object]) -> None:
        (self.folder / "answers").write_text(json.dumps(answers))

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return Engine(folder)


@pytest.mark.promise("sandbox.containers")
async def test_a_container_is_shut_off_and_bounded(engine: Engine, tmp_path: Path):
    driver = ContainerDriver("docker", tmp_path / "sandboxes", "image:tag")
    sandbox = await driver.open("one", LIMITS, [Mount("/srv/skill", "/skills/mine")])
    said = await sandbox.run(shell("echo $OUTPUT_DIR", outputs=True))
    assert said.stdout == b"/tmp/outputs\n"
    asked = next(argv for argv in engine.asked if argv[0] == "run")
    text = " ".join(asked)
    for wanted in (
        "--network none", "--read-only", "--cap-drop ALL", "--security-opt no-new-privileges", "--pids-limit 64",
        f"--memory {LIMITS.memory} --memory-swap {LIMITS.memory}", f"fsize={LIMITS.file_size}:{LIMITS.file_size}",
        "core=0:0", "--pull never", f"--label antiphon.server={os.getpid()}", "--hostname sandbox",
        f'type=bind,"source={tmp_path}/sandboxes/one/workspace",target=/workspace',
        f'type=bind,"source={tmp_path}/sandboxes/one/tmp",target=/tmp',
        'type=bind,"source=/srv/skill",target=/skills/mine,readonly',
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "runsc" not in text
    user = asked[asked.index("--user") + 1].split(":")[0]
    assert user != "0"
    assert int(user) == os.stat(tmp_path / "sandboxes" / "one" / "workspace").st_uid
    assert ["rm", "--force", asked[asked.index("--name") + 1]] in engine.asked


async def test_gvisor_is_taken_where_the_engine_has_it(engine: Engine, tmp_path: Path):
    engine.answer({"info": "Runtimes: io.containerd.runc.v2 runc runsc"})
    sandbox = await ContainerDriver("docker", tmp_path / "sandboxes", "image:tag").open("one", LIMITS)
    await sandbox.run(shell("true"))
    assert "--runtime runsc" in " ".join(argv for asked in engine.asked for argv in asked)


async def test_a_container_past_its_time_is_killed_and_taken_away(engine: Engine, tmp_path: Path):
    sandbox = await ContainerDriver("docker", tmp_path / "sandboxes", "image:tag").open("one", LIMITS)
    assert (await sandbox.run(shell("exec sleep 1000", 0.2))).killed == "time"
    assert engine.asked[-1][:2] == ["rm", "--force"]


@pytest.mark.parametrize(("said", "killed"), [("true", "memory"), ("false", None)])
async def test_an_engine_says_that_memory_was_the_end(engine: Engine, tmp_path: Path, said: str, killed: str | None):
    engine.answer({"inspect": said})
    sandbox = await ContainerDriver("docker", tmp_path / "sandboxes", "image:tag").open("one", LIMITS)
    assert (await sandbox.run(shell("exit 137"))).killed == killed


async def test_containers_of_servers_that_are_gone_are_taken_away(engine: Engine, tmp_path: Path):
    engine.answer({"ps": f"aaa 999999999\nbbb {os.getpid()}\nccc"})
    await ContainerDriver("podman", tmp_path / "sandboxes", "image:tag").open("one", LIMITS)
    assert [argv[2] for argv in engine.asked if argv[0] == "rm"] == ["aaa"]


@pytest.mark.parametrize(
    ("fail", "said"),
    [(["info"], "docker does not answer: no daemon"), (["image"], "docker pull image:tag fetches it")],
)
async def test_an_engine_that_cannot_be_used_says_why(engine: Engine, tmp_path: Path, fail: list[str], said: str):
    engine.answer({"info": "no daemon", "fail": fail})
    driver = ContainerDriver("docker", tmp_path / "sandboxes", "image:tag")
    assert said in str(await driver.probe())
    with pytest.raises(SandboxProblem):
        await driver.open("one", LIMITS)

"""`antiphon doctor`: each check's findings, and the report."""

import json
import socket
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from rich.console import Console

from antiphon.cli import checks, doctor, machine
from antiphon.cli.checks import Finding
from antiphon.cli.machine import Memory
from antiphon.compose import probes
from antiphon.compose.probes import CacheProbe
from antiphon.compose.stores import Trial
from antiphon.config import MEMORY, OFF, CacheSettings, ModelSettings, Settings, ThreadSettings
from antiphon.ports.engine import KeptPrefixes
from antiphon.stores.keyfile import KeysDescription
from antiphon.tools.offered import ToolCheck
from antiphon.weights.description import ModelDescription
from tests.cli.commands import HERE, PROBE, Composition

BUILTIN = Settings()


def served(threads: int = 0, gpu_layers: int = -1) -> Settings:
    return Settings(models={HERE.id: ModelSettings(HERE.id, "builtin", threads=threads, gpu_layers=gpu_layers)})


@contextmanager
def taken_port() -> Generator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(("version", "state"), [((3, 10), "FAIL"), ((3, 11), "OK"), ((3, 14), "OK")])
def test_python_must_be_new_enough(version: tuple[int, int], state: str):
    assert checks.python_version(version).state == state


def test_an_engine_that_cannot_be_loaded_fails_with_its_own_words():
    found = checks.engine(replace(PROBE, importable=False, detail="libgomp.so.1 is missing"))
    assert found.state == "FAIL"
    assert "libgomp.so.1 is missing" in found.detail
    assert found.remedy


def test_an_engine_tells_its_version_and_devices():
    assert checks.engine(replace(PROBE, devices=("CUDA0", "CPU"))).detail == "xllamacpp b1234 on CUDA0, CPU"


@pytest.mark.parametrize(
    ("model", "state", "detail"),
    [
        pytest.param(HERE, "OK", "/m/[q4]/smollm2.gguf, 92.9 MB, window of 8192 tokens", id="there"),
        pytest.param(replace(HERE, problem="not a GGUF file"), "FAIL", "not a GGUF file", id="broken"),
        pytest.param(
            replace(HERE, path=None, source="hf:o/r", size_bytes=None, window=None),
            "WARN",
            "hf:o/r is not here yet",
            id="far",
        ),
        pytest.param(
            replace(HERE, path=None, source="script:x.toml", size_bytes=None, window=None),
            "OK",
            "script:x.toml",
            id="script",
        ),
    ],
)
def test_each_model_is_looked_at(model: ModelDescription, state: str, detail: str):
    (found,) = checks.models([model])
    assert (found.check, found.state, found.detail) == (f"model {HERE.id}", state, detail)
    assert bool(found.remedy) == (state != "OK")


def test_a_port_that_is_taken_fails():
    with taken_port() as port:
        found = checks.port(Settings(port=port))
    assert found.state == "FAIL"
    assert str(port) in found.detail
    assert "--port" in found.remedy


@pytest.mark.promise("cli.doctor")
def test_a_server_that_runs_already_is_no_failure():
    with taken_port() as port:
        found = checks.port(Settings(port=port), ours=True)
    assert (found.state, found.detail) == ("WARN", f"Antiphon answers at 127.0.0.1 port {port} already")
    assert "--port 0" in found.remedy


@pytest.mark.parametrize(
    ("said", "ours"), [(b"Antiphon serves the Messages API here", True), (b"nginx", False), (b"", False)]
)
def test_who_has_the_port_is_asked(said: bytes, ours: bool):
    with ThreadPoolExecutor(1) as pool, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def answer() -> None:
            with listener.accept()[0] as caller:
                caller.recv(4096)
                caller.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + said if said else b"220 mail\r\n")

        asked = pool.submit(answer)
        assert probes.answers_there(Settings(port=listener.getsockname()[1])) is ours
        asked.result(10)
    assert not probes.answers_there(Settings(port=0))


@pytest.mark.parametrize(("columns", "hanging"), [(80, 35), (60, 6), (200, 35)])
def test_findings_break_between_words_and_stay_under_each_other(
    columns: int, hanging: int, composition: Composition, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(doctor, "Console", lambda: Console(width=columns, force_terminal=True, color_system=None))
    composition.models = (replace(HERE, problem="the file ends in its header, which names more than there is of it"),)
    lines = composition.run("doctor", "--port", "0").stdout.splitlines()
    assert max(map(len, lines)) <= columns
    [number] = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    assert lines[number].startswith("FAIL  model smollm2-135m-instruct  the file ends in")
    rest = lines[number + 1 :]
    below = next(line for line in rest if "→" in line)
    assert below.startswith(f"{'':{hanging}}→ Correct its source")
    assert columns == 200 or rest[0].startswith(f"{'':{hanging}}")


def test_a_port_that_was_free_is_free_again_after_the_check():
    with taken_port() as port:
        pass
    assert [checks.port(Settings(port=port)).state for _ in range(2)] == ["OK", "OK"]
    assert checks.port(Settings(port=0)).state == "OK"


@pytest.mark.parametrize(("threads", "state"), [(0, "OK"), (2, "OK"), (3, "WARN")])
def test_more_threads_than_processors_are_warned_of(threads: int, state: str):
    (found,) = checks.threads(served(threads=threads), cores=2)
    assert found.state == state


# 92.9 MB of weights, 8192 tokens of 23,040 bytes in each of 4 conversations, 100 MB for the engine: 947.9 MB.
@pytest.mark.parametrize(
    ("gpu_layers", "total", "available", "state"),
    [
        pytest.param(0, 8_000_000_000, 4_000_000_000, "OK", id="fits"),
        pytest.param(0, 8_000_000_000, 900_000_000, "WARN", id="does not fit now"),
        pytest.param(0, 900_000_000, 800_000_000, "FAIL", id="can never fit"),
        pytest.param(-1, 900_000_000, 800_000_000, "WARN", id="may lie on a GPU"),
    ],
)
def test_weights_and_caches_are_held_against_the_memory(gpu_layers: int, total: int, available: int, state: str):
    found = checks.memory([HERE], served(gpu_layers=gpu_layers), Memory(total, available))
    assert found.state == state
    assert "about 947.9 MB" in found.detail


def test_a_model_of_unknown_size_is_named_and_not_counted():
    found = checks.memory([replace(HERE, kv_bytes_per_token=None)], BUILTIN, Memory(2, 1))
    assert found.state == "OK"
    assert f"not counting {HERE.id}" in found.detail


def test_a_script_needs_no_memory_to_speak_of():
    script = replace(HERE, source="script:x.toml", kv_bytes_per_token=None)
    assert "about 0.0 MB; " in checks.memory([script], BUILTIN, Memory(2, 1)).detail


def test_a_system_that_hides_its_memory_is_a_warning():
    assert checks.memory([HERE], BUILTIN, None).state == "WARN"


@pytest.mark.parametrize(
    ("host", "keys", "state", "words"),
    [
        pytest.param("127.0.0.1", (), "OK", "every key is accepted", id="loopback, open"),
        pytest.param("127.0.0.1", ("k" * 16,), "OK", "1 key", id="loopback, a key"),
        pytest.param("127.0.0.1", ("k" * 16, "k" * 15), "WARN", "shorter than 16", id="a short key"),
        pytest.param("0.0.0.0", ("k" * 16,), "WARN", "unencrypted", id="others reach it"),
    ],
)
def test_the_keys_suit_the_address(host: str, keys: tuple[str, ...], state: str, words: str):
    found = checks.keys(Settings(host=host, api_keys=keys))
    assert found.state == state
    assert words in found.detail


@pytest.mark.parametrize(
    ("made", "state", "words"),
    [
        pytest.param(False, "OK", "every key is accepted", id="none"),
        pytest.param(True, "OK", "nobody is let in without one", id="some"),
        pytest.param(None, "WARN", "not known", id="the database does not tell"),
    ],
)
def test_keys_that_were_made_are_told_of(made: bool | None, state: str, words: str, composition: Composition):
    composition.keyed = made
    found = json.loads(composition.run("doctor", "--port", "0", "--json").stdout)
    [keys] = [Finding(**one) for one in found if one["check"] == "keys"]
    assert keys.state == state
    assert words in keys.detail


PLACE = "/state/thinking.key"


@pytest.mark.promise("thinking.keys-are-checked")
@pytest.mark.parametrize(
    ("keys", "state", "detail", "remedy"),
    [
        pytest.param(KeysDescription(PLACE, 1), "OK", f"1 key from {PLACE}", "", id="there"),
        pytest.param(KeysDescription("the settings", 2), "OK", "2 keys from the settings", "", id="settings"),
        pytest.param(KeysDescription(PLACE), "OK", f"{PLACE} will be made at the first start", "", id="to be made"),
        pytest.param(
            KeysDescription(PLACE, 2, exposed=f"chmod 600 {PLACE}"),
            "WARN",
            f"{PLACE}: others can get at its 2 keys",
            f"Run chmod 600 {PLACE}",
            id="exposed",
        ),
        pytest.param(
            KeysDescription(PLACE, unreachable="nothing can be made in /"),
            "WARN",
            f"{PLACE} can be neither read nor made: nothing can be made in /",
            "ANTIPHON_THINKING_KEYS",
            id="out of reach",
        ),
        pytest.param(
            KeysDescription(PLACE, wrong=f"{PLACE}: line 1: this is not base64"),
            "FAIL",
            f"{PLACE}: line 1: this is not base64",
            "does not start",
            id="no keys",
        ),
    ],
)
def test_the_keys_of_thinking_are_looked_at(keys: KeysDescription, state: str, detail: str, remedy: str):
    found = checks.thinking_keys(keys)
    assert (found.check, found.state, found.detail) == ("thinking", state, detail)
    assert (remedy in found.remedy) if remedy else found.remedy == ""


@pytest.mark.promise("thinking.keys-are-checked")
def test_a_file_that_others_can_read_is_shown_with_the_command_that_hides_it(composition: Composition):
    composition.keys = KeysDescription(PLACE, 1, exposed=f"chmod 600 {PLACE}")
    result = composition.run("doctor", "--port", "0")
    assert result.exit_code == 0
    assert f"WARN  thinking                     {PLACE}: others can get at its 1 key\n" in result.stdout
    assert f"→ Run chmod 600 {PLACE}\n" in result.stdout


def meminfo(folder: Path, text: str) -> Path:
    (folder / "meminfo").write_text(text)
    return folder / "meminfo"


ROWS = "MemTotal:  8000 kB\nMemFree: 1 kB\nMemAvailable: 4000 kB\n"


@pytest.mark.parametrize(
    ("limit", "used", "memory"),
    [
        pytest.param(None, None, Memory(8_192_000, 4_096_000), id="no container"),
        pytest.param("max", "1", Memory(8_192_000, 4_096_000), id="no limit"),
        pytest.param("9000000", "1", Memory(8_192_000, 4_096_000), id="limit above the machine"),
        pytest.param("2000000", "500000", Memory(2_000_000, 1_500_000), id="limit below"),
        pytest.param("6000000", "500000", Memory(6_000_000, 4_096_000), id="machine fuller than the container"),
    ],
)
def test_a_containers_share_counts(tmp_path: Path, limit: str | None, used: str | None, memory: Memory):
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert machine.memory(meminfo(tmp_path, ROWS), tmp_path) == memory


def test_without_a_table_of_memory_the_pages_are_counted(tmp_path: Path):
    found = machine.memory(tmp_path / "none", tmp_path)
    assert found is not None
    assert found.total == found.available > 0


def test_this_process_may_use_a_processor():
    assert machine.processors() >= 1


@pytest.mark.promise("cli.doctor")
def test_a_sound_machine_passes(composition: Composition):
    result = composition.run("doctor", "--port", "0")
    assert result.exit_code == 0
    assert [line.split()[1] for line in result.stdout.splitlines() if not line.startswith("      ")] == [
        "python", "engine", "settings", "model", "port", "threads", "memory", "keys", "thinking", "store", "stores", "cache",
        "sandbox", "tools"
    ]  # fmt: skip


@pytest.mark.promise("cli.doctor")
def test_a_failing_check_fails_the_command_and_says_what_to_do(composition: Composition):
    composition.models = (replace(HERE, problem="the file ends in its header"),)
    result = composition.run("doctor", "--port", "0")
    assert result.exit_code == 1
    assert "FAIL  model smollm2-135m-instruct  the file ends in its header" in result.stdout
    assert "→ Correct its source" in result.stdout


@pytest.mark.promise("cli.doctor")
def test_a_wrong_setting_is_a_finding(composition: Composition):
    result = composition.run("doctor", "--port", "x", "--json")
    assert result.exit_code == 1
    findings = [Finding(**finding) for finding in json.loads(result.stdout)]
    assert [finding.check for finding in findings] == ["python", "engine", "settings"]
    assert findings[-1].state == "FAIL"
    assert "--port: 'x'" in findings[-1].detail


@pytest.mark.promise("web-tools.doctor")
def test_each_server_tool_is_a_finding_and_one_that_does_not_work_fails():
    tried = [ToolCheck("web_search", True, "brave answers"), ToolCheck("dice", False, "no package", "Install it.")]
    assert [*checks.server_tools(tried)] == [
        Finding("tool web_search", "OK", "brave answers"),
        Finding("tool dice", "FAIL", "no package", "Install it."),
    ]
    [none] = checks.server_tools([])
    assert (none.state, "[server_tools.web_search]" in none.detail) == ("OK", True)


@pytest.mark.promise("web-tools.doctor", "web-tools.without-network")
def test_a_search_that_nobody_asked_for_and_that_does_not_work_is_a_warning(composition: Composition):
    composition.tools = [ToolCheck("web_search", False, "no network", "Searches will fail.", by_default=True)]
    result = composition.run("doctor", "--port", "0")
    assert result.exit_code == 0
    assert "WARN  tool web_search              no network\n" in result.stdout
    assert "→ Searches will fail.\n" in result.stdout


@pytest.mark.parametrize(
    ("store", "problem", "state", "detail"),
    [
        pytest.param(MEMORY, None, "OK", "message threads are kept in 134.2 MB of memory", id="memory"),
        pytest.param(OFF, None, "OK", "no message threads are kept; clients send whole conversations", id="off"),
        pytest.param(
            "redis://user:secret@cache.lan:6379/1",
            None,
            "OK",
            "message threads are kept in redis://cache.lan:6379/1",
            id="shared",
        ),
        pytest.param(
            "redis://:secret@cache.lan",
            "no answer",
            "WARN",
            "redis://cache.lan does not answer: no answer",
            id="gone",
        ),
    ],
)
def test_the_store_of_message_threads_is_told_without_its_password(
    store: str, problem: str | None, state: str, detail: str
):
    found = checks.message_threads(Settings(message_threads=ThreadSettings(store=store)), problem)
    assert (found.state, found.detail) == (state, detail)


def test_a_store_that_does_not_answer_is_found_out(composition: Composition):
    composition.store_problem = "no answer within 3 seconds"
    done = composition.run(
        "doctor", "--port", "0", env={"ANTIPHON_MESSAGE_THREADS_STORE": "redis://:secret@cache.lan"}
    )
    assert "no answer within 3 seconds" in done.output
    assert "secret" not in done.output
    assert done.exit_code == 0


@pytest.mark.promise("cache.kept-told")
@pytest.mark.parametrize(
    ("settings", "probe", "state", "said"),
    [
        (CacheSettings(keep=False), CacheProbe(""), "OK", "not kept beyond its slot"),
        (CacheSettings(memory=0), CacheProbe(""), "OK", "not kept beyond its slot"),
        (CacheSettings(files=0), CacheProbe(""), "OK", "536.9 MB of memory, and not beyond the process"),
        (CacheSettings(), CacheProbe("/c", 3, 4_000_000), "OK", "3 files have 4.0 MB of 2.15 GB in /c"),
        (CacheSettings(), CacheProbe("/c", problem="read-only"), "WARN", "no files can be written: read-only"),
    ],
)
def test_what_is_kept_of_prompts_is_told(settings: CacheSettings, probe: CacheProbe, state: str, said: str):
    (found,) = checks.prompt_cache([HERE], Settings(prompt_cache=settings), probe)
    assert (found.state, said in found.detail) == (state, True), found


@pytest.mark.promise("cache.kept-told", "cache.kept-unable")
def test_a_model_that_keeps_nothing_and_a_server_that_runs_are_told():
    running = asdict(KeptPrefixes(True, prefixes=2, memory=5_000_000, in_place=7, restored=8, missed=9, evicted=1))
    probe = CacheProbe("/c", running={"one": running, "two": asdict(KeptPrefixes(False, "a window"))})
    slides = replace(HERE, fleeting="its attention has a sliding window")
    said = [found.detail for found in checks.prompt_cache([slides], Settings(), probe)]
    assert "cannot be kept: its attention" in said[1]
    assert "2 prefixes, 5.0 MB in memory" in said[2]
    assert "7 were in their slot, 8 put back, 9 read; 1 prefixes had to go" in said[2]
    assert "nothing is kept: a window" in said[3]


def test_the_probe_of_the_cache_looks_at_the_disk_and_asks_who_listens(tmp_path: Path):
    (tmp_path / "x.kv").write_bytes(bytes(100))
    with taken_port() as port:
        pass
    here = Settings(port=port, prompt_cache=CacheSettings(directory=str(tmp_path)))
    assert probes.look_at_cache(here) == CacheProbe(str(tmp_path), 1, 100)
    (tmp_path / "file").write_text("")
    nowhere = replace(here, prompt_cache=CacheSettings(directory=str(tmp_path / "file" / "x")))
    assert probes.look_at_cache(nowhere).problem is not None
    assert probes.look_at_cache(replace(here, prompt_cache=CacheSettings(files=0))) == CacheProbe("")


def test_the_probe_of_the_store_says_why_nothing_answers():
    assert probes.thread_store_problem(Settings()) is None
    with taken_port() as port:
        closed = Settings(message_threads=ThreadSettings(store=f"redis://127.0.0.1:{port}/0?protocol=9"))
        assert "protocol" in str(probes.thread_store_problem(closed))
    nobody = Settings(message_threads=ThreadSettings(store=f"redis://127.0.0.1:{port}/0"))
    assert str(probes.thread_store_problem(nobody)).startswith("ConnectionError: ")


@pytest.mark.promise("stores.doctor")
def test_the_stores_of_files_and_batches_are_shown_as_they_were_tried(composition: Composition):
    composition.trials = [Trial("database", "postgresql://db.lan/a"), Trial("objects", "/d/objects", new=True)]
    done = composition.run("doctor", "--port", "0")
    assert "OK    store of database" in done.stdout
    assert "postgresql://db.lan/a was written to and read\n" in done.stdout
    assert "/d/objects will be made at the first start\n" in done.stdout
    assert done.exit_code == 0


@pytest.mark.promise("stores.doctor")
def test_a_store_that_cannot_be_used_is_a_failure_where_somebody_has_named_it(composition: Composition):
    composition.trials = [Trial("database", "/d/antiphon.db", "nothing can be made in /d", new=True)]
    assert composition.run("doctor", "--port", "0").exit_code == 0
    done = composition.run("doctor", "--port", "0", "--data", "/d")
    assert "FAIL  store of database" in done.stdout
    assert "nothing can be made in /d\n" in done.stdout
    assert done.exit_code == 1

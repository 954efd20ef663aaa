"""Memory first, then files: what is where, and what a next process finds."""

from pathlib import Path

import pytest

from antiphon.engines.llamacpp.kept import store
from antiphon.engines.llamacpp.kept.files import all_marks, states_in
from antiphon.engines.llamacpp.kept.store import Room, SavedStates
from antiphon.ports.engine import Keep
from tests.engines.kept.doubles import MEBIBYTE, Clock, House, until

SYSTEM = tuple(range(1000, 1200))
OTHER = tuple(range(5000, 5100))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights" * 1000)
    return path


def change(path: Path) -> None:
    """Other bytes, as many."""
    path.write_bytes(path.read_bytes()[:-1] + b"?")


class Server:
    """One life of a server over a directory. `house` has slots that are new."""

    def __init__(
        self, directory: Path, model: Path, clock: Clock, memory: int = MEBIBYTE, files: int = MEBIBYTE
    ) -> None:
        self.house = House(room=Room(memory, files, directory), clock=clock, model=(model,))

    async def __aenter__(self) -> House:
        await self.house.saved.open()
        return self.house

    async def __aexit__(self, *_: object) -> None:
        await self.house.aclose()


@pytest.mark.promise("cache.kept-between-starts")
async def test_a_marked_prefix_is_there_after_a_restart(tmp_path: Path, model: Path) -> None:
    clock, directory = Clock(), tmp_path / "states"
    async with Server(directory, model, clock) as house:
        assert await house.ask(SYSTEM, house.keep(200)) == 0
    assert [mark.key for mark in all_marks(directory)] == [b"key"]
    async with Server(directory, model, clock) as house:
        assert (house.saved.prefixes, house.saved.memory) == (1, 0)
        assert await house.ask((*SYSTEM, 1)) == 200
        assert house.saved.memory > 0


@pytest.mark.promise("cache.kept-between-starts")
async def test_another_model_finds_nothing(tmp_path: Path, model: Path) -> None:
    clock, directory = Clock(), tmp_path / "states"
    async with Server(directory, model, clock) as house:
        await house.ask(SYSTEM, house.keep(200))
    change(model)
    async with Server(directory, model, clock) as house:
        assert await house.ask((*SYSTEM, 1)) == 0


@pytest.mark.promise("cache.kept-expires")
async def test_what_is_read_again_lives_on_in_its_file(tmp_path: Path, model: Path) -> None:
    clock, directory = Clock(), tmp_path / "states"
    found: list[int] = []
    for _ in range(4):
        async with Server(directory, model, clock) as house:
            found.append(await house.ask(SYSTEM, house.keep(200)))
        clock.time += 200
    assert found == [0, 200, 200, 200]
    clock.time += 100
    async with Server(directory, model, clock) as house:
        assert (house.saved.prefixes, list(states_in(directory))) == (0, [])


@pytest.mark.promise("cache.kept-bounded")
async def test_what_left_memory_comes_back_from_its_file(tmp_path: Path, model: Path) -> None:
    async with Server(tmp_path / "states", model, Clock(), memory=210 * 100) as house:
        prompts = [tuple(range(1000 * n, 1000 * n + 200)) for n in range(3)]
        for n, prompt in enumerate(prompts):
            await house.ask(prompt, house.keep(200, b"%d" % n))
            await house.ask(OTHER)
            await until(lambda filed=n: sum(1 for _ in states_in(tmp_path / "states")) > filed)
            assert house.saved.memory <= 210 * 100
        for prompt in prompts:
            assert await house.ask(prompt) == 200
            await house.ask(OTHER)
        assert house.saved.evicted == 0


@pytest.mark.promise("cache.kept-faults")
async def test_a_file_that_is_gone_or_damaged_is_a_prefix_that_is_read(tmp_path: Path, model: Path) -> None:
    clock, directory = Clock(), tmp_path / "states"
    for damage in (Path.unlink, change):
        async with Server(directory, model, clock) as house:
            await house.ask(SYSTEM, house.keep(200))
        async with Server(directory, model, clock) as house:
            (path,) = (path for path, _ in states_in(directory))
            damage(path)
            assert await house.ask((*SYSTEM, 1)) == 0
            assert "restore 0" not in house.client.calls
            assert house.saved.prefixes == 0


@pytest.mark.promise("cache.kept-faults")
async def test_without_a_directory_to_write_to_memory_is_enough_and_the_owner_is_told(
    tmp_path: Path, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    async with Server(tmp_path / "file" / "states", model, Clock()) as house:
        await house.ask(SYSTEM, house.keep(200))
        await house.ask(OTHER)
        assert await house.ask(SYSTEM) == 200
    assert caplog.text.count("kept in memory alone") == 1


@pytest.mark.promise("cache.kept-faults")
async def test_a_disk_without_room_leaves_what_is_in_memory(
    tmp_path: Path, model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Server(tmp_path / "states", model, Clock(), files=1000) as house:
        await house.ask(SYSTEM, house.keep(200))
        await house.ask(OTHER)
        await until(lambda: "kept in memory alone" in caplog.text)
        assert await house.ask(SYSTEM) == 200
    assert list(states_in(tmp_path / "states")) == []


@pytest.mark.promise("cache.kept-aside")
async def test_a_file_is_written_when_its_conversation_pauses_and_once(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    write = store.Files.write

    def written(self: store.Files, *asked: object) -> str:
        names.append(write(self, *asked))  # type: ignore[arg-type]
        return names[-1]

    monkeypatch.setattr(store.Files, "write", written)
    saved = SavedStates(Room(MEBIBYTE, MEBIBYTE, tmp_path / "states"), (model,), 100, Clock().now, file_rest=3600.0)
    await saved.open()
    for length in (200, 220, 240):
        staged = saved.room_for(1000)
        assert staged is not None
        (saved.staging.directory / staged.name).write_bytes(b"x" * 1000)
        saved.add("form", tuple(range(length)), staged, [Keep(length, b"%d" % length, 300, 2000.0)])
    assert (saved.prefixes, saved.memory, names) == (1, 1000, [])
    await saved.aclose()
    assert len(names) == 1
    assert {mark.key for mark in all_marks(tmp_path / "states")} == {b"200", b"220", b"240"}

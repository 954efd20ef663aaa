"""Where prefixes are kept, by what the settings say, and what the ledger knows at the start."""

from dataclasses import replace
from pathlib import Path

import pytest

from antiphon.compose.edges import cache_directory, shared_ledger
from antiphon.compose.engines import ledger_for, room_for
from antiphon.config import CacheSettings, ModelSettings, Settings, ThreadSettings
from antiphon.engines.llamacpp.kept.files import Files, prepare
from antiphon.engines.llamacpp.kept.store import Room
from antiphon.ports.engine import Keep
from antiphon.stores.caching import MemoryLedger

LATER = 4_000_000_000.0


def kept(**said: object) -> Settings:
    return Settings(prompt_cache=replace(CacheSettings(), **said))  # type: ignore[arg-type]


@pytest.mark.promise("cache.kept-bounded")
def test_prefixes_are_kept_where_and_in_as_much_room_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory(kept()) == tmp_path / "antiphon" / "prompts"
    assert room_for(kept(memory=5, files=6, directory="/there")) == Room(5, 6, Path("/there"))
    assert room_for(kept(files=0)) == Room(CacheSettings().memory, 0, None)
    for off in (kept(keep=False), kept(memory=0)):
        assert room_for(off) is None
    assert cache_directory(kept(keep=False)) is None


@pytest.mark.promise("cache.kept-between-starts")
async def test_the_ledger_knows_the_prefixes_whose_files_are_there(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "source").write_bytes(b"state")
    with (tmp_path / "source").open("rb") as source:
        Files(tmp_path, 10_000, "a1" * 32).write("form", (1, 2), source.fileno(), 5, [Keep(2, b"key", 300, LATER)])
    settings = kept(directory=str(tmp_path))
    assert await ledger_for(settings).find([b"key"], LATER - 1) == 0
    assert await ledger_for(settings).find([b"key"], LATER) is None
    # Models that run elsewhere keep nothing here.
    scripted = replace(settings, models={"x": ModelSettings("x", "script:x.toml")})
    assert await ledger_for(scripted).find([b"key"], LATER - 1) is None


@pytest.mark.promise("cache.shared-ledger")
async def test_the_ledger_is_shared_where_the_store_of_message_threads_is() -> None:
    for store in ("memory", "off"):
        assert shared_ledger(Settings(message_threads=ThreadSettings(store=store)), MemoryLedger()) is None
    shared = shared_ledger(Settings(message_threads=ThreadSettings(store="redis://127.0.0.1:1")), MemoryLedger())
    assert shared is not None
    await shared.aclose()

"""`antiphon keys`: the command line of callers' keys."""

import asyncio
import json
from pathlib import Path

import pytest

from antiphon.compose.keys import is_keyed
from antiphon.config import Settings, StoreSettings
from tests.cli.commands import Composition


@pytest.mark.promise("auth.made-keys")
def test_a_key_is_printed_once_and_listed_without_itself(composition: Composition, tmp_path: Path):
    place = ("--data", str(tmp_path))
    made = composition.run("keys", "add", "ci", "--workspace", "a", "--model", "x-*", "--expires", "90d", *place)
    assert made.exit_code == 0, made.stderr
    secret = made.stdout.strip()
    assert secret.startswith("sk-ant-api03-")
    listed = composition.run("keys", "list", *place)
    row = json.loads(listed.stdout)
    assert secret not in listed.stdout
    assert (row["name"], row["workspace"], row["models"], row["status"]) == ("ci", "a", ["x-*"], "good")
    new = composition.run("keys", "rotate", "ci", "--grace", "1h", *place)
    assert new.stdout.strip() not in ("", secret)
    assert composition.run("keys", "revoke", row["id"], *place).exit_code == 0
    left = [json.loads(line) for line in composition.run("keys", "list", *place).stdout.splitlines()]
    assert [each["name"] for each in left] == ["ci"]
    assert left[0]["id"] != row["id"]
    every = composition.run("keys", "list", "--all", *place).stdout.splitlines()
    assert [json.loads(line)["status"] for line in every] == ["revoked", "good"]
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("antiphon.db*"))
    assert secret.encode() not in raw


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("add", "ci", "--expires", "soon"), 2, "a time is a number and one of s, m, h, d"),
        (("add", "x" * 99), 2, "a name has up to 80"),
        (("add", "a", "--admin", "--model", "m"), 2, "an admin key asks for no models"),
        (("revoke", "nobody"), 1, "no key that is good has the name or id nobody"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    composition: Composition, tmp_path: Path, args: tuple[str, ...], code: int, said: str
):
    done = composition.run("keys", *args, "--data", str(tmp_path))
    assert done.exit_code == code
    assert said in done.stderr


def test_a_server_that_keeps_nothing_has_no_keys(composition: Composition):
    done = composition.run("keys", "list", "--data", "off")
    assert done.exit_code == 1
    assert "nothing is kept" in done.stderr


def test_from_the_first_key_on_a_server_is_known_to_let_nobody_in_without_one(
    composition: Composition, tmp_path: Path
):
    settings = Settings(stores=StoreSettings(data=str(tmp_path / "kept")))
    assert not asyncio.run(is_keyed(settings))
    assert not (tmp_path / "kept").exists()
    for done in (("add", "alice"), ("revoke", "alice")):
        assert composition.run("keys", *done, "--data", str(tmp_path / "kept")).exit_code == 0
        assert asyncio.run(is_keyed(settings))
    assert asyncio.run(is_keyed(Settings(api_keys=("k" * 16,))))
    (tmp_path / "kept" / "antiphon.db").write_bytes(b"no database" * 200)
    assert asyncio.run(is_keyed(settings))
    assert not asyncio.run(is_keyed(Settings(stores=StoreSettings(data="off"))))

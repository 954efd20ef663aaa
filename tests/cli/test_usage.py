"""`antiphon usage`: sums and costs on the command line."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from antiphon.stores.place import database_in
from antiphon.stores.sql.database import Database
from antiphon.stores.sql.usage import SqlUsage
from tests.cli.commands import Composition
from tests.stores.test_usage import record

PRICES = '[prices."m"]\ninput = 1000.0\noutput = 5000.0\n[prices]\nweb_search = 10\n'


def noon(days: int) -> int:
    """The middle of a day that many days ago."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return round((today - timedelta(days=days)).timestamp()) * 1_000_000


@pytest.mark.promise("usage.command")
def test_the_sums_of_days_are_shown_with_their_costs_and_names(composition: Composition, tmp_path: Path):
    place = ("--data", str(tmp_path))
    assert composition.run("keys", "add", "ci", "--workspace", "a", *place).exit_code == 0
    (tmp_path / "antiphon.toml").write_text(PRICES, "utf-8")
    config = ("--config", str(tmp_path / "antiphon.toml"))

    async def fill() -> None:
        database = await Database.open(database_in(tmp_path))
        from antiphon.stores.sql.keys import SqlKeys

        (key,) = await SqlKeys(database).all()
        whose = {"key": key.id, "workspace": key.workspace}
        some = [record(1, noon(0), 2, **whose), record(2, noon(1), 4, **whose), record(3, noon(1), 8, key=None)]
        await SqlUsage(database).add([*some, record(4, noon(40), 16)])
        await database.aclose()

    asyncio.run(fill())

    def rows(*args: str) -> list[dict[str, str]]:
        done = composition.run("usage", "--csv", *args, *place, *config)
        assert done.exit_code == 0, done.stderr
        return list(csv.DictReader(StringIO(done.stdout)))

    (line,) = rows()
    assert {name: line[name] for name in ("model", "requests", "input", "output", "web_searches")} == {
        "model": "m",
        "requests": "3",
        "input": "30",
        "output": "14",
        "web_searches": "3",
    }
    # 30 × 0.001 + 14 × 0.005, caches 3 × 0.0001 + 6 × 0.00125 + 9 × 0.002, three searches
    assert float(line["cost_usd"]) == pytest.approx(0.03 + 0.07 + 0.0003 + 0.0075 + 0.018 + 0.03)
    assert [(each["key"], each["workspace"], each["output"]) for each in rows("--by", "key,workspace")] == [
        ("ci", "a", "6"),
        ("none", "wrkspc_a", "8"),
    ]
    days = rows("--by", "day", "--since", "60d")
    assert [each["output"] for each in days] == ["16", "12", "2"]
    assert [each["output"] for each in rows("--by", "day", "--until", days[1]["day"])] == ["12"]
    shown = composition.run("usage", "--by", "workspace,model", *place, *config).stdout
    assert shown.splitlines()[0].split()[:3] == ["workspace", "model", "requests"]
    assert shown.splitlines()[-1].split()[0] == "all"
    assert "14" in shown.splitlines()[-1]


def test_nothing_yet_is_an_empty_table(composition: Composition, tmp_path: Path):
    done = composition.run("usage", "--data", str(tmp_path))
    assert (done.exit_code, done.stdout.splitlines()[-1].split()[0]) == (0, "all")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--since", "monday"), 2, "a day is 2026-11-30, or 30d for thirty days ago"),
        (("--by", "hour"), 2, "it is told apart by day, workspace, key, model, tier"),
        (("--data", "off"), 1, "nothing is kept"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    composition: Composition, tmp_path: Path, args: tuple[str, ...], code: int, said: str
):
    place = () if "--data" in args else ("--data", str(tmp_path))
    done = composition.run("usage", *args, *place)
    assert done.exit_code == code
    assert said in done.stderr

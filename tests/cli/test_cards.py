"""Rows on wide and on narrow terminals."""

import io

import pytest
from rich.console import Console

from antiphon.cli.cards import print_rows

TITLES = ("name", "id", "key", "requests", "errors")
ROWS = [
    ("me [bold]", "apikey_01LvqC8tcHrRWcXefL4TbDXA", "sk-ant-api03-LUvH...-5TI", "1,854", "0"),
    ("ci", "apikey_01AAAA8tcHrRWcXefL4TbDXA", "", "7", "2"),
]


def printed(width: int) -> list[str]:
    out = io.StringIO()
    print_rows(Console(file=out, width=width), TITLES, ROWS, right=("requests", "errors"))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_where_there_is_room_rows_are_a_table():
    assert printed(100) == [
        "name       id                               key                       requests  errors",
        "me [bold]  apikey_01LvqC8tcHrRWcXefL4TbDXA  sk-ant-api03-LUvH...-5TI     1,854       0",
        "ci         apikey_01AAAA8tcHrRWcXefL4TbDXA                                   7       2",
    ]


@pytest.mark.parametrize("width", [60, 80])
def test_where_there_is_none_each_is_a_paragraph_and_nothing_is_cut(width: int):
    lines = printed(width)
    assert max(map(len, lines)) <= width
    assert [line for line in lines if not line.startswith(" ")] == ["me [bold]", "ci"]
    said = " ".join(" ".join(lines).split())
    assert said == (
        "me [bold] id apikey_01LvqC8tcHrRWcXefL4TbDXA key sk-ant-api03-LUvH...-5TI requests 1,854 "
        "ci id apikey_01AAAA8tcHrRWcXefL4TbDXA requests 7 errors 2"
    )

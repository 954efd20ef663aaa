"""Texts that go in circles behind numbers, and those that only seem to."""

import pytest

from antiphon.engines.llamacpp.circles import Circles

SAME = "Use the same function for every test."


def closed_after(text: str, step: int = 3) -> int | None:
    """Characters after which the text has closed a circle, coming in pieces of so many; None: it never does."""
    circles = Circles()
    for begin in range(0, len(text), step):
        if circles.closed_by(text[begin : begin + step]):
            return begin + step
    return None


@pytest.mark.promise("engine.no-circles")
@pytest.mark.parametrize("step", [1, 3, 10_000])
@pytest.mark.parametrize(
    "line",
    [
        "{n}. " + SAME + "\n",
        "{n}. " + SAME + " ",
        "{n}) " + SAME + "\n\n",
        "- " + SAME + "\n",
        "   * **Step {n}:** " + SAME + "\n",
        "({n}) " + SAME + "\n",
        "{n}.\n" + SAME + "\n",
        "{n}. Run the whole test again.\n   - Then look at its output.\n",
        "{n}. Open the old file. Read the old file. Close the old file.\n",
        SAME + " ",
    ],
)
def test_the_same_said_for_the_fifth_time_is_a_circle_whatever_number_is_before_it(line: str, step: int):
    lines = [line.format(n=number) for number in range(1, 30)]
    closed = closed_after("The steps are these:\n" + "".join(lines), step)
    assert closed is not None
    if step < 100:
        assert len("".join(lines[:4])) < closed < len("The steps are these:\n" + "".join(lines[:6])) + step


@pytest.mark.promise("engine.no-circles")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("".join(f"{n}. {SAME}\n" for n in range(1, 5)), id="four times"),
        pytest.param("".join(f"{n}. Use function {n} for every test.\n" for n in range(40)), id="numbers inside"),
        pytest.param("".join(f"{n}, {n + 1}, {n + 2}\n" for n in range(40)), id="rows of numbers"),
        pytest.param("    }\n" * 40, id="brackets"),
        pytest.param("Yes, of course!\n" * 40, id="short lines"),
        pytest.param("| --- | --- | --- | --- | --- |\n" * 40, id="a table"),
        pytest.param(
            "".join(f"{SAME}\n{'x' * n} stands between them.\n" for n in range(40)), id="with others between"
        ),
        pytest.param("a b c d e f g h i j " * 400, id="a line that never ends"),
    ],
)
def test_what_is_repeated_as_lists_programs_and_tables_repeat_is_none(text: str):
    assert closed_after(text) is None

"""Texts that go in circles behind numbers, and those that only seem to."""

from typing import Final

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


SAID: Final = {
    "steps": [
        "Step 3: Create a new repository with the `git commit` command",
        *(f"Step {n}: Create a new repository with the `git clone` command" for n in range(4, 21)),
    ],
    "tips": [
        "5. Use a consistent naming style.",
        "6. Use a consistent syntax.",
        *(f"{n}. Use a consistent naming {('style', 'convention')[n % 2]}." for n in range(7, 26)),
    ],
    "tea": [
        "27. Add tea leaves to a kettle",
        "28. Boil for 2 hours",
        *(f"{n}. Add tea leaves to a kettle" for n in range(29, 41)),
    ],
}
"""What the built-in model said, guarded by DRY alone, when it was asked for long lists."""


@pytest.mark.promise("engine.no-circles")
@pytest.mark.parametrize(("name", "last"), [("steps", 8), ("tips", 16), ("tea", 33)])
def test_lists_of_the_builtin_model_end_where_they_begin_to_go_round(name: str, last: int):
    text = "\n".join(SAID[name]) + "\n"
    closed = closed_after(text, 1)
    assert closed is not None
    assert text[:closed].splitlines()[-1].lstrip("Step ").split(".")[0].split(":")[0] == str(last)


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

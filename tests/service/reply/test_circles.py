"""Thoughts that go round in circles are known from those that only look like it."""

import random

import pytest

from antiphon.service.reply.circles import LEAST_LENGTH, LEAST_TIMES, Circles

WORDS = random.Random(7).choices(("let ", "me ", "see ", "what ", "if ", "two ", "make ", "five "), k=2000)

SENTENCE = "Wait, 150 units at $50 each. So the revenue is 7500. "

FOREVER = 40


def end(text: str, size: int = 4) -> int | None:
    """After how many characters the circle is found, if at all."""
    circles = Circles()
    for at in range(0, len(text), size):
        if circles.found(text[at : at + size]):
            return min(at + size, len(text))
    return None


@pytest.mark.promise("thinking.circles")
@pytest.mark.parametrize(
    "circle",
    [
        "a",
        "no ",
        "<function_calls_total>\n",
        SENTENCE,
        SENTENCE + "Hmm. " + SENTENCE + "Or not? ",
        "".join(WORDS[:80]),
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_what_is_said_over_and_over_is_found_soon(circle: str, size: int) -> None:
    before = "".join(WORDS)
    text = before + circle * max(FOREVER, 4 * LEAST_LENGTH // len(circle))
    found = end(text, size)
    assert found is not None
    turns = (found - len(before)) / len(circle)
    assert LEAST_TIMES - 1 <= turns <= max(LEAST_TIMES, LEAST_LENGTH / len(circle)) + (1000 + 64) / len(circle) + 1


@pytest.mark.promise("thinking.circles")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "".join(WORDS),
        "-" * (LEAST_LENGTH - 1) + " and on",
        SENTENCE * (LEAST_TIMES - 1),
        "".join(f"Case {n}: n mod 4 is {n % 4}, so that does not count.\n" for n in range(500)),
        "".join(f"{SENTENCE}{n}\n" for n in range(200)),
        f"| {'0 | ' * 40}\n| {'1 | ' * 40}\n| {'0 | ' * 40}\n",
    ],
    ids=lambda text: text[:20],
)
def test_what_goes_on_is_none(text: str) -> None:
    assert end(text) is None

"""Other people's words in ours."""

import errno
from urllib.error import URLError

import pytest

from antiphon.words import LONGEST_NAME, shown, unreached

URL = "http://127.0.0.1:9"


def wrapping(cause: BaseException) -> RuntimeError:
    """A library's own failure, with what it came from below it."""
    outer = RuntimeError("Cannot connect to host 127.0.0.1:9 ssl:default [Connect call failed ('127.0.0.1', 9)]")
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize("problem", [ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")])
@pytest.mark.parametrize("wrap", [lambda one: one, wrapping, URLError])
def test_where_nobody_listens_it_is_said_how_to_start_a_server(problem: OSError, wrap: type[BaseException]):
    said = unreached(URL, wrap(problem))
    assert said.startswith(f"nothing answers at {URL}. ")
    assert "`antiphon serve`" in said
    assert "--url" in said


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (wrapping(OSError(-2, "Name or service not known")), "Name or service not known"),
        (wrapping(TimeoutError()), "TimeoutError"),
        (ValueError("no scheme"), "no scheme"),
    ],
)
def test_else_the_cause_below_a_librarys_words_is_told(problem: BaseException, said: str):
    assert unreached(URL, problem) == f"{URL} cannot be reached: {said}"


def test_a_long_name_is_cut():
    assert shown("n" * (LONGEST_NAME + 1)) == "n" * LONGEST_NAME + "…"
    assert shown("n" * LONGEST_NAME) == "n" * LONGEST_NAME

"""Other people's words in ours."""

import errno
from collections.abc import Callable
from urllib.error import URLError

import pytest

from antiphon.clients.asking import refusal
from antiphon.words import LONGEST_NAME, shown, unreached

URL = "http://127.0.0.1:9"


def wrapping(cause: BaseException) -> RuntimeError:
    """A library's own failure, with what it came from below it."""
    outer = RuntimeError("Cannot connect to host 127.0.0.1:9 ssl:default [Connect call failed ('127.0.0.1', 9)]")
    outer.__cause__ = cause
    return outer


def bare(cause: BaseException) -> BaseException:
    """The cause itself."""
    return cause


def kept(cause: BaseException) -> BaseException:
    """A failure whose cause another one has in its arguments."""
    return wrapping(RuntimeError(cause))


@pytest.mark.parametrize("problem", [ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")])
@pytest.mark.parametrize("wrap", [bare, wrapping, URLError, kept])
def test_where_nobody_listens_it_is_said_how_to_start_a_server(
    problem: OSError, wrap: Callable[[BaseException], BaseException]
):
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


def test_where_the_key_is_refused_it_is_said_where_one_goes():
    body = b'{"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}'
    assert refusal(401, body) == "invalid x-api-key; say a key with --key, or in ANTHROPIC_API_KEY"
    assert refusal(404, body) == "invalid x-api-key"


def test_a_long_name_is_cut():
    assert shown("n" * (LONGEST_NAME + 1)) == "n" * LONGEST_NAME + "…"
    assert shown("n" * LONGEST_NAME) == "n" * LONGEST_NAME

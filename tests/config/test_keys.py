"""Keys that seal thinking, as people write them down."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.config import ConfigError, Settings, parse_settings
from antiphon.config.keys import KEY_BYTES, key_of, keys_in

KEY = b"\xfb\xef\xbe" * 10 + b"\xff\xfe"  # base64 spells it with letters that the two alphabets write differently
STANDARD = base64.b64encode(KEY).decode()
SHORT = base64.b64encode(b"h" * 31).decode()


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES))
def test_a_key_may_be_spelled_in_either_alphabet_padded_or_not(key: bytes):
    standard, url = base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()
    for text in (standard, url, standard.rstrip("="), url.rstrip("="), f"  {standard}\r\n"):
        assert key_of(text) == key


@given(st.text(st.characters(), max_size=42))
def test_a_shorter_text_is_refused_with_a_reason(text: str):
    with pytest.raises(ValueError, match=r"^this is (not base64|base64 of \d+ bytes, not of 32)$"):
        key_of(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(STANDARD, id="one"),
        pytest.param(f"# the current one\n\n {STANDARD}  # since May\r\n", id="comments"),
        pytest.param(f"{STANDARD}\n{STANDARD}\n", id="twice"),
    ],
)
def test_a_file_holds_one_key_a_line_and_comments(text: str):
    assert keys_in(text) == (KEY,)


def test_the_order_of_a_file_is_kept():
    other = bytes(KEY_BYTES)
    assert keys_in(f"{STANDARD}\n{base64.b64encode(other).decode()}") == (KEY, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "there is no key in it", id="empty"),
        pytest.param("# nothing but words\n\n", "there is no key in it", id="comments alone"),
        pytest.param(f"{STANDARD}\nhush hush\n", "line 2: this is not base64", id="not base64"),
        pytest.param(f"\n{SHORT}", "line 2: this is base64 of 31 bytes, not of 32", id="too short"),
        pytest.param(STANDARD * 2, "line 1: this is ", id="two on a line"),
        pytest.param("hushé", "line 1: this is not base64", id="letters beyond ASCII"),
        pytest.param("hush!", "line 1: this is not base64", id="a letter that base64 has not"),
        pytest.param("A" * 45, "line 1: this is not base64", id="a length that base64 has not"),
    ],
)
def test_a_file_that_is_wrong_names_the_line_and_no_key(text: str, words: str):
    with pytest.raises(ValueError, match=words) as caught:
        keys_in(text)
    assert "hush" not in str(caught.value)
    assert SHORT not in str(caught.value)


def parsed(value: str | list[str]) -> Settings:
    if isinstance(value, str):
        return parse_settings({}, {"ANTIPHON_THINKING_KEYS": value}, {})
    return parse_settings({}, {}, {"thinking": {"keys": value}})


@pytest.mark.parametrize("value", [STANDARD, f" {STANDARD} ,{STANDARD},", [STANDARD], [STANDARD, STANDARD]], ids=repr)
def test_keys_come_from_the_variable_or_the_file_and_count_once(value: str | list[str]):
    assert parsed(value).thinking.keys == (KEY,)


@pytest.mark.promise("config.secrets-stay-out-of-errors")
@pytest.mark.parametrize("value", ["hush", f"{STANDARD},hush hush", ["hushé"], ["hush" * 11], [""]], ids=repr)
def test_an_error_about_a_key_of_thinking_does_not_quote_it(value: str | list[str]):
    with pytest.raises(ConfigError) as caught:
        parsed(value)
    text = str(caught.value)
    assert "32 bytes in base64" in text
    assert "openssl rand -base64 32" in text
    assert "hush" not in text
    assert STANDARD not in text


@pytest.mark.promise("config.secrets-stay-out-of-errors")
def test_settings_that_are_printed_show_no_key_of_thinking():
    assert repr(KEY) not in repr(parsed(STANDARD))

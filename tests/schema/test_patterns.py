"""Patterns are read as ECMA-262 has them, and where engines differ nothing doubtful is written."""

import itertools
import re
import warnings

import pytest

from antiphon.schema.patterns import UnsupportedPattern, anything_but, literal, matches, rewritten

SAME = [
    *("^a|b", "a|b$", "^(a|b)$", "(^a|b$)", "^^a", "^$", "a", "", r"\.", r"\/", "[/]", r"^a+?$", r"^a*?b", "^a{2}$"),
    *("^a{1,}$", "^a{1,2}$", "^}$", "^]$", r"^\-$", "^#a$", r"^\\$", r"^[\\a]$", r"^[\]a]$", "^[a-]$", "^[-a]$"),
    *("^(?:a|b)*$", r"^[a\-b]$", r"^\x61\u0061$", "^[[a]$", "^[a&&b]+$", "^[^a]$", r"^a\.b$", "^(?:)$", "^[a-b]{2}$"),
    *("(^|-)a(-|$)", "a($|b)", "(^a|b)(a$|b)", "(a|^b)*$", "^(a|^)?", "((^a)|b)+$", "(^)(^|a)b", "a|b(^c)"),
]
NARROWER = [
    r"^\w+$",
    r"^\W$",
    r"^\d$",
    r"^\D$",
    r"^\s$",
    r"^\S+$",
    "^.$",
    r"^[^\s/]+$",
    r"^[^\w]$",
    r"^[\s\S]$",
    r"[\D]",
]
REFUSED = {
    "^(?=a)": "look-around",
    "^(?!a)": "look-around",
    "(?<=a)b": "look-around",
    "(?<!a)b": "look-around",
    r"(a)\1": "back-references",
    r"(?<n>a)\k<n>": "back-references",
    r"\bab": "word boundaries",
    r"a\B": "word boundaries",
    "(?i)a": "flags",
    "(?P<n>a)": "flags",
    "a++": "'+' without anything to repeat",
    "*a": "'*' without anything to repeat",
    "(a": "an unclosed group",
    "a)": "an unopened group",
    "[a": "unclosed brackets",
    "[]a]": "empty brackets",
    r"[\d-a]": "a range between classes",
    r"\Aa\z": "the escape '\\A'",
    "a{2,1}": "repetitions out of order",
    "a{5000}": "more than 1000 repetitions",
    "a" * 3000: "more than 2000 characters",
    "(" * 60 + ")" * 60: "groups nested too deeply",
    "\\": "the escape '\\'",
    r"\ud800": "half of a surrogate pair",
    "a^b": "an anchor in the middle",
    "a(^b)": "an anchor in the middle",
    "(^a|b){900}": "an anchor in the middle",
}
CHARACTERS = 'ab\n/"\\-.]&[<1A_ é²٣\x85\ufeff\x1f\u2028😀'
TEXTS = [
    "",
    *CHARACTERS,
    *map("".join, itertools.product("ab-/.&[]\\", repeat=2)),
    *map("".join, itertools.product("ab\n", repeat=3)),
]


def python_finds(pattern: str, text: str) -> bool:
    # Python's `$` also matches before a last newline; ECMA-262's does not.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), text) is not None


@pytest.mark.parametrize("pattern", SAME)
def test_a_pattern_matches_what_it_says(pattern: str):
    rewrite = rewritten(pattern)
    found = [text for text in TEXTS if matches(rewrite, text)]
    assert found == [text for text in TEXTS if python_finds(pattern, text)]


@pytest.mark.promise("strict.what-is-written-satisfies-the-schema")
@pytest.mark.parametrize("pattern", NARROWER)
def test_where_engines_differ_only_what_all_of_them_match_is_matched(pattern: str):
    rewrite = rewritten(pattern)
    ecma = re.sub(r"\\([wWdD])", r"(?a:\\\1)", pattern) if "[" not in pattern else pattern
    for text in TEXTS:
        if matches(rewrite, text):
            assert python_finds(pattern, text), text
            assert python_finds(ecma, text), text


@pytest.mark.promise("strict.what-cannot-be-guaranteed-is-refused")
@pytest.mark.parametrize("pattern", REFUSED, ids=range(len(REFUSED)))
def test_a_construct_that_cannot_be_decoded_is_named(pattern: str):
    with pytest.raises(UnsupportedPattern) as refused:
        rewritten(pattern)
    assert str(refused.value) == REFUSED[pattern]


@pytest.mark.parametrize("texts", [[""], ["a"], ["a", "ab"], ["", "b", "ba"], ['é\n"', "]^-\\"], ["aa", "ab", "b"]])
def test_anything_but_some_texts_is_all_others(texts: list[str]):
    pattern = anything_but(texts)
    for text in [*TEXTS, *texts]:
        assert matches(pattern, text) is (text not in texts), text


@pytest.mark.parametrize("text", TEXTS[:40])
def test_a_literal_matches_itself_alone(text: str):
    pattern = f"^{literal(text)}$"
    assert [other for other in dict.fromkeys(TEXTS) if matches(pattern, other)] == [text]

"""The head of a SKILL.md."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.request.skills.front import MOST_HEAD, Front, front_of


def manifest(head: str) -> bytes:
    return f"---\n{head}\n---\n# How\n".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"---\nname: my-skill\ndescription: Does it.\n---\n",
        b"\xef\xbb\xbf---\r\nname: my-skill\r\ndescription: 'Does it.'\r\n---\r\nText",
        b"---\nname: my-skill\ndescription: >\n  Does\n  it.\nlicense: MIT\n---",
    ],
)
def test_the_head_says_name_and_description(data: bytes) -> None:
    assert front_of(data) == Front("my-skill", "Does it.")


def test_a_version_of_its_own_may_stand_in_the_metadata() -> None:
    head = "name: pdf\ndescription: Reads PDFs.\nmetadata:\n  version: 20251013"
    assert front_of(manifest(head)).version == "20251013"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"# How", "must start with YAML frontmatter"),
        (b"", "must start with YAML frontmatter"),
        (b"---\nname: a\n", "not closed"),
        (b"---\nname: \xff\n---\n", "not valid UTF-8"),
        (manifest("a\nb: c: d"), "not valid YAML (line "),
        (manifest("- name"), "must be a YAML mapping"),
        (manifest(""), "must be a YAML mapping"),
        (manifest("description: b"), "name: Field required"),
        (manifest("name: a"), "description: Field required"),
        (manifest("name: [a]\ndescription: b"), "name: must be text"),
        (manifest("name: a\ndescription:"), "description: must not be empty"),
        (manifest(f"name: {'a' * 65}\ndescription: b"), "name: should have at most 64"),
        (manifest("name: My_Skill\ndescription: b"), "lowercase letters, numbers, and hyphens"),
        (manifest("name: claude-helper\ndescription: b"), "reserved words"),
        (manifest(f"name: a\ndescription: {'b' * 1025}"), "description: should have at most 1024"),
        (manifest("name: a\ndescription: a <b>bold</b> one"), "cannot contain XML tags"),
        (manifest('name: a\ndescription: "a\\0b"'), "control characters"),
        (manifest('name: a\ndescription: "a\\ud800b"'), "control characters"),
        (manifest(f"name: a\ndescription: {'b' * MOST_HEAD}"), f"at most {MOST_HEAD} characters"),
        (manifest("a: &a [b]\nname: a\ndescription: b"), "anchors and aliases"),
        (manifest("name: a\ndescription: *a"), "anchors and aliases"),
        (manifest("a: " + "[" * 5000), "nested too deeply"),
        (manifest("? [a]\n: b"), "not valid YAML"),
    ],
)
def test_a_head_that_is_wrong_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        front_of(data)
    assert said in refused.value.message


def test_sixty_four_and_a_thousand_and_twenty_four_characters_are_taken() -> None:
    front = front_of(manifest(f"name: {'a' * 64}\ndescription: {'é' * 1024}"))
    assert (len(front.name), len(front.description)) == (64, 1024)


def test_reserved_names_are_an_owners_to_give() -> None:
    assert front_of(manifest("name: claude-api\ndescription: b"), reserved=False).name == "claude-api"


def test_no_tag_makes_anything_but_text() -> None:
    front = front_of(manifest("name: a\ndescription: !!python/object/apply:os.system ls"))
    assert front.description == "ls"


@given(st.text(max_size=200))
def test_whatever_stands_there_is_a_head_or_refused(head: str) -> None:
    with contextlib.suppress(InvalidRequest):
        assert front_of(b"---\n" + head.encode("utf-8", "replace") + b"\n---\n").name

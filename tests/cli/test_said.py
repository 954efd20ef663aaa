"""How sentences stand on a terminal."""

import pytest

from antiphon.cli.said import wrapped


def test_sentences_break_between_words_and_paths_stay_whole():
    path = "/home/somebody/models/" + "x" * 60 + ".gguf"
    text = wrapped(f"model nope: {path}: there is no such file. Give the path of a .gguf file.\nAnother line.", 50)
    assert text.splitlines() == [
        "model nope:",
        f"{path}:",
        "there is no such file. Give the path of a .gguf",
        "file.",
        "Another line.",
    ]


@pytest.mark.parametrize("width", [None, 20])
def test_a_pipe_and_a_sliver_get_the_line_as_it_is(width: int | None):
    text = "antiphon: 'nonsense' is neither a short name nor hf:org/repo[:file]."
    assert wrapped(text, width) == text


def test_what_follows_is_set_in_and_empty_lines_stay():
    assert wrapped("OK    port  " + "word " * 12, 60, hanging=12).splitlines()[1].startswith(" " * 12 + "word")
    assert wrapped("one\n\ntwo", 50) == "one\n\ntwo"

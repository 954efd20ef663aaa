"""Which form of a model is the best on a machine: judged by a turn, and known for that machine only."""

from pathlib import Path

import pytest

from antiphon.weights.forms import CHOICES, READ, WRITTEN, Choices, Speed

FAST_READER, FAST_WRITER = Path("/m/read.gguf"), Path("/m/write.gguf")


def test_a_turn_is_what_it_takes_to_read_it_and_to_write_it():
    assert Speed(READ / 2, WRITTEN / 3).seconds == pytest.approx(5)


@pytest.mark.promise("weights.form-by-measurement")
@pytest.mark.parametrize(
    ("writing", "best"),
    [
        pytest.param(60.0, FAST_READER, id="writing differs little"),
        pytest.param(30.0, FAST_WRITER, id="writing differs much"),
    ],
)
def test_the_form_is_kept_in_which_a_turn_takes_least(tmp_path: Path, writing: float, best: Path):
    choices = Choices(tmp_path, "a machine")
    assert choices.best([FAST_READER, FAST_WRITER]) is None
    choices.keep({FAST_READER: Speed(220, writing), FAST_WRITER: Speed(150, 80)})
    assert Choices(tmp_path, "a machine").best([FAST_WRITER, FAST_READER]) == best


@pytest.mark.promise("weights.form-by-measurement")
def test_what_was_measured_elsewhere_or_of_other_files_is_not_known_here(tmp_path: Path):
    here = Choices(tmp_path, "a machine")
    here.keep({FAST_READER: Speed(220, 60), FAST_WRITER: Speed(150, 80)})
    there = Choices(tmp_path, "another processor")
    assert there.best([FAST_READER, FAST_WRITER]) is None
    assert here.best([FAST_READER, Path("/m/third.gguf")]) is None
    there.keep({FAST_READER: Speed(220, 10), FAST_WRITER: Speed(150, 80)})
    assert (here.best([FAST_READER, FAST_WRITER]), there.best([FAST_READER, FAST_WRITER])) == (
        FAST_READER,
        FAST_WRITER,
    )


@pytest.mark.parametrize(
    "says",
    [
        "",
        "[]",
        "{",
        '{"a machine": []}',
        '{"a machine": {"/m/read.gguf": 1}}',
        '{"a machine": {"/m/read.gguf": {"reading": 0, "writing": 1}}}',
        '{"a machine": {"/m/read.gguf": {"reading": "fast", "writing": 1}}}',
    ],
)
def test_a_file_that_says_something_else_is_as_good_as_none(tmp_path: Path, says: str):
    (tmp_path / CHOICES).write_text(says)
    choices = Choices(tmp_path, "a machine")
    assert choices.best([FAST_READER]) is None
    choices.keep({FAST_READER: Speed(220, 60)})
    assert choices.best([FAST_READER]) == FAST_READER


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path):
    choices = Choices(tmp_path / "gone", "a machine")
    choices.keep({FAST_READER: Speed(220, 60)})
    assert choices.best([FAST_READER]) is None

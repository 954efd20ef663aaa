"""What is remembered of prompts that engines were lost with."""

import pytest
from msgspec.structs import replace

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import RenderedPrompt, Segment
from antiphon.engines.remote.poison import MOST_LOSSES, REMEMBERED, Poison
from antiphon.ports.engine import Generation
from tests.engines.remote.doubles import work


def seeing(data: bytes) -> Generation:
    return Generation(RenderedPrompt((Segment("", image=Image(data, 1, 1)),), (1, -1, 2)), 10)


@pytest.mark.promise("remote.poison")
def test_a_prompt_is_poison_from_its_second_loss_on_whoever_sends_it():
    poison = Poison()
    for number in range(MOST_LOSSES):
        assert not poison.holds(work(tenant="a"), 0.0)
        poison.lost(work(tenant=str(number), conversation=str(number)), 0.0)
    assert poison.holds(work(tenant="b"), 0.0)


@pytest.mark.parametrize(
    "other",
    [work((1, 2, 4)), replace(work(), grammar="start: A"), work(stops=("x",))],
    ids=["tokens", "grammar", "stop"],
)
def test_other_work_is_none(other: Generation):
    poison = Poison()
    for _ in range(MOST_LOSSES):
        poison.lost(work(), 0.0)
    assert not poison.holds(other, 0.0)


def test_a_prompt_that_another_engine_has_begun_with_is_none():
    poison = Poison()
    for _ in range(MOST_LOSSES):
        poison.lost(work(), 0.0)
        poison.survived(work())
    assert not poison.holds(work(), 0.0)


def test_pictures_tell_prompts_apart():
    poison = Poison()
    for _ in range(MOST_LOSSES):
        poison.lost(seeing(b"one"), 0.0)
    assert poison.holds(seeing(b"one"), 0.0)
    assert not poison.holds(seeing(b"two"), 0.0)


def test_it_is_tried_again_a_while_after_its_last_loss():
    poison = Poison()
    for at in range(MOST_LOSSES):
        poison.lost(work(), float(at))
    assert poison.holds(work(), MOST_LOSSES - 1 + REMEMBERED - 0.1)
    assert not poison.holds(work(), MOST_LOSSES - 1 + REMEMBERED)

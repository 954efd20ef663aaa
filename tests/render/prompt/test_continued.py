"""What is new in a prompt that goes on from another."""

import pytest

from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment
from antiphon.render.prompt.continued import behind

PICTURE = Segment("", image=Image(b"a", 1, 1))

OTHER = Segment("", image=Image(b"b", 1, 1))


def plain(text: str) -> Segment:
    return Segment(text, markup=False)


@pytest.mark.parametrize(
    ("earlier", "whole", "new"),
    [
        ([Segment("ab")], [Segment("abc")], (Segment("c"),)),
        ([Segment("a"), Segment("b")], [Segment("ab"), plain("c")], (plain("c"),)),
        ([Segment("ab")], [Segment("a"), Segment("bc"), Segment("d")], (Segment("cd"),)),
        ([Segment("ab")], [Segment("ab")], ()),
        ([], [Segment("ab")], (Segment("ab"),)),
        ([Segment("a"), PICTURE], [Segment("a"), PICTURE, Segment("b")], (Segment("b"),)),
        ([Segment("abc")], [Segment("ab")], None),
        ([Segment("ab")], [plain("abc")], None),
        ([Segment("a"), PICTURE], [Segment("a"), OTHER], None),
        ([Segment("a"), PICTURE], [Segment("ab")], None),
        ([Segment("a"), plain("b")], [Segment("ab")], None),
        ([Segment("a")], [], None),
    ],
)
def test_the_rest_is_found_however_the_prompts_are_cut(
    earlier: list[Segment], whole: list[Segment], new: tuple[Segment, ...] | None
) -> None:
    assert behind(earlier, whole) == new

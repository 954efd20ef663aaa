"""A prompt that goes on from an earlier one: what is new in it, so that an engine need not read the rest again."""

from collections.abc import Sequence

from antiphon.dialogue.rendered import Segment, join_runs


def behind(earlier: Sequence[Segment], whole: Sequence[Segment]) -> tuple[Segment, ...] | None:
    """The segments of `whole` that come behind those of `earlier`; None where it does not begin with them.

    How either is cut into segments does not count.
    """
    rest = join_runs(whole)
    for segment in join_runs(earlier):
        if not rest:
            return None
        first = rest[0]
        if segment.image is not None or first.image is not None:
            if first != segment:
                return None
            rest.pop(0)
        elif first.markup != segment.markup or not first.text.startswith(segment.text):
            return None
        else:
            left = first.text[len(segment.text) :]
            rest[:1] = [Segment(left, first.markup)] if left else []
    return tuple(rest)

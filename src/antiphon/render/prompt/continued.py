"""A prompt that goes on from an earlier one: what is new in it, so that an engine need not read the rest again."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from antiphon.dialogue.rendered import Segment


def behind(earlier: Sequence[Segment], whole: Sequence[Segment]) -> tuple[Segment, ...] | None:
    """The segments of `whole` that come behind those of `earlier`; None where it does not begin with them.

    How either is cut into segments does not count.
    """
    rest = list(_joined(whole))
    for segment in _joined(earlier):
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
            rest[:1] = [replace(first, text=left)] if left else []
    return tuple(rest)


def _joined(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments with those of one kind in one piece."""
    last: Segment | None = None
    for segment in segments:
        plain = last is not None and last.image is None and segment.image is None
        if last is not None and plain and last.markup == segment.markup:
            last = replace(last, text=last.text + segment.text)
        else:
            if last is not None:
                yield last
            last = segment
    if last is not None:
        yield last

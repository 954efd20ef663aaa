"""Images and documents over the whole request: what can be judged unread, what is to be read, what came of that.

Source: API reference, Vision; PDF support; Citations; Structured outputs.
"""

from antiphon.ports.media import MediaProblem
from antiphon.request.case import Case, Issue
from antiphon.request.media.wanted import cites, images_of, shown_files
from antiphon.request.media.wording import MOST_BYTES, media_issue
from antiphon.wire.content.blocks import DocumentBlock, SearchResultBlock
from antiphon.wire.content.sources import Base64Image

_SMALL_WINDOW = 200_000

_CITABLE = frozenset({"document", "search_result", "tool_result"})

_WITHIN = "web_fetch_tool_result"
"""In the path of a document that the server fetched, with citations or without as its tool was asked."""

_MOST_IMAGES = 600

_MOST_IMAGES_IN_A_SMALL_WINDOW = 100


def most_images(case: Case) -> Issue | None:
    """A request holds no more images than the model takes, those in tool results and documents included."""
    small = case.profile.window <= _SMALL_WINDOW
    most = _MOST_IMAGES_IN_A_SMALL_WINDOW if small else _MOST_IMAGES
    found = len(list(images_of(case)))
    return None if found <= most else Issue(f"messages: a maximum of {most} images may be provided. Found {found}.")


def no_heavy_images(case: Case) -> Issue | None:
    """No image of the request itself is larger than it may be, as it travels."""
    for path, block in images_of(case):
        if isinstance(block.source, Base64Image) and len(block.source.data) > MOST_BYTES:
            return media_issue(MediaProblem("image", "too_heavy", len(block.source.data), MOST_BYTES), path)
    return None


def no_citations_in_a_format(case: Case) -> Issue | None:
    """An answer of a given form has no room for citations."""
    if case.output_format is None:
        return None
    for path, block in shown_files(case):
        if cites(block):
            return Issue(f"{case.output_format}: structured outputs cannot be combined with citations ({path})")
    return None


def citations_of_all_or_none(case: Case) -> Issue | None:
    """All documents of a request are to be cited or none, and so are its search results; beside a web search all."""
    if case.kinds.isdisjoint(_CITABLE):
        return None
    searches = any(tool.type.startswith("web_search") for _, tool in case.definitions)
    for kind, what in ((DocumentBlock, "document"), (SearchResultBlock, "search_result")):
        brought = ((path, block) for path, block in shown_files(case) if _WITHIN not in path)
        own = [(path, cites(block)) for path, block in brought if isinstance(block, kind)]
        if len({cited for _, cited in own}) > 1:
            path = next(path for path, cited in own if not cited)
            return Issue(
                f"{path}.citations: citations must be enabled on all `{what}` blocks of a request or on none of them."
            )
        if kind is SearchResultBlock and searches and own and not own[0][1]:
            return Issue(
                f"{own[0][0]}.citations: citations must be enabled on `search_result` blocks in a request with the "
                "web search tool."
            )
    return None


def sight(case: Case) -> Issue | None:
    """Images are for models that see, and for those that pictures are described to."""
    if case.sees or case.reads:
        return None
    for path, _ in images_of(case):
        return Issue(
            f"{path}: this model does not support image input. Remove the image, or use a model that lists "
            "image_input among its capabilities.",
            advice=f"a request with pictures was refused, and they are not shown to the model: {case.blind}"
            if case.blind
            else None,
        )
    return None

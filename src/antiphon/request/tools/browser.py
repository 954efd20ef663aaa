"""A browser with tabs: the members of the toolset.

Source: API reference, Browser use tool; the official SDK's input types of the toolset's members.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from antiphon.dialogue.tools import Tool
from antiphon.request.tools.parameters import (
    Schema,
    choice,
    closed,
    numbers,
    one_of,
    seconds,
    text,
    texts,
    tool,
    whole,
)

_LONGEST_WAIT: Final = 30

_TAB: Final = text("The tab to act on; the active one without it.")

_POINT: Final = closed(
    {
        "type": {"const": "coordinate"},
        "x": whole("Pixels from the left edge of the viewport.", minimum=0),
        "y": whole("Pixels from the top edge of the viewport.", minimum=0),
    },
    ("type", "x", "y"),
)

_ELEMENT: Final = closed(
    {"type": {"const": "ref"}, "ref": text("A reference that read_page or find gave, such as ref_7.")},
    ("type", "ref"),
)

_EITHER: Final[Schema] = {"anyOf": [_POINT, _ELEMENT], "description": "A point of the viewport or an element."}

_MODIFIERS: Final = text('Keys to hold down meanwhile, such as "shift" or "ctrl+shift".')


def _member(description: str, properties: Mapping[str, Schema] | None = None, required: Sequence[str] = ()) -> Tool:
    return tool("", description, {**(properties or {}), "tab_id": _TAB}, required)


def _click(what: str) -> Tool:
    return _member(
        f"{what} a point of the page or an element.", {"target": _EITHER, "modifiers": _MODIFIERS}, ("target",)
    )


def _at_point(description: str) -> Tool:
    return _member(description, {"target": _POINT}, ("target",))


MEMBERS: Final[Mapping[str, Tool]] = {
    "navigate": _member(
        "Open an address in the browser, or move in the history.",
        {"url": text('The address, https:// if it names no protocol; or "back", "forward" or "reload".')},
        ("url",),
    ),
    "list_tabs": tool("", "List the open tabs: identifier, title and address of each.", {}, ()),
    "new_tab": tool("", "Open an empty tab and tell its identifier.", {}, ()),
    "switch_tab": tool("", "Make a tab the active one.", {"tab_id": text("The tab.")}, ("tab_id",)),
    "close_tab": tool("", "Close a tab.", {"tab_id": text("The tab.")}, ("tab_id",)),
    "read_page": _member(
        "Read the page as a tree of elements with references such as ref_7, which other actions take as targets.",
        {
            "filter": choice(
                "interactive: only what can be used; all: also what is out of sight.", "all", "interactive"
            ),
            "depth": whole("How deep the tree goes; 15 without it.", minimum=1),
            "ref": text("The element to begin with; the whole page without it."),
        },
    ),
    "get_page_text": _member("Read the text of the page, the article first."),
    "find": _member(
        "Find elements by a description in words; gives up to 20 with their references.",
        {"query": text("What to look for, such as: search field.")},
        ("query",),
    ),
    "form_input": _member(
        "Set the value of a form's element: true or false for a box to tick, an option for a list, else text.",
        {"target": _ELEMENT, "value": {"type": ["string", "number", "boolean"], "description": "The value."}},
        ("target", "value"),
    ),
    "file_upload": one_of(
        _member(
            "Put files into a file field of the page, by `paths` or by `document_ids`.",
            {
                "target": _ELEMENT,
                "paths": texts("Paths of files where the browser runs."),
                "document_ids": texts("Identifiers of files that were made ready for the browser."),
            },
            ("target",),
        ),
        ("paths",),
        ("document_ids",),
    ),
    "screenshot": _member("Take a picture of the visible part of the page."),
    "zoom": _member(
        "Take an enlarged picture of a region of the page, to read small details.",
        {"region": numbers("Left, top, right and bottom edge, in pixels of the viewport.", 4, minimum=0)},
        ("region",),
    ),
    "left_click": _click("Click"),
    "right_click": _click("Click the right button on"),
    "middle_click": _click("Click the middle button on"),
    "double_click": _click("Double-click"),
    "triple_click": _click("Triple-click"),
    "hover": _member("Move the pointer to a point or an element.", {"target": _EITHER}, ("target",)),
    "mouse_move": _at_point("Move the pointer to a point without clicking."),
    "left_mouse_down": _at_point("Press the left button at a point and keep it down."),
    "left_mouse_up": _at_point("Let the left button go at a point."),
    "left_click_drag": _member(
        "Drag from one point to another.", {"from": _POINT, "target": _POINT}, ("from", "target")
    ),
    "scroll": _member(
        "Turn the scroll wheel at a point of the page.",
        {
            "scroll_direction": choice("Where to scroll.", "up", "down", "left", "right"),
            "target": _POINT,
            "scroll_amount": whole("Notches of the wheel; 3 without it.", minimum=1, maximum=10),
        },
        ("scroll_direction", "target"),
    ),
    "scroll_to": _member("Scroll until an element can be seen.", {"target": _ELEMENT}, ("target",)),
    "type": _member("Type text where the focus is.", {"text": text("The text to type.")}, ("text",)),
    "key": _member(
        "Press keys: names such as Return, joined by + when pressed together, by spaces when one after the other.",
        {"text": text("The keys to press."), "repeat": whole("How many times; once without it.", minimum=1)},
        ("text",),
    ),
    "hold_key": _member(
        "Hold a key or several together down for some time.",
        {
            "text": text("The keys to hold, named as for key."),
            "duration": seconds("For how many seconds.", _LONGEST_WAIT),
        },
        ("text", "duration"),
    ),
    "wait": _member("Wait.", {"duration": seconds("For how many seconds.", _LONGEST_WAIT)}, ("duration",)),
    "javascript_exec": _member(
        "Run JavaScript in the page and give the value of its last expression; no `return`.",
        {"text": text("The code.")},
        ("text",),
    ),
    "read_console": _member("Read what the page has written to the console since the last time."),
    "read_network": _member("Read which requests the page has made since the last time."),
}
"""Member → what the model is told of it, without its name."""

"""A screen, a mouse and a keyboard: the single tool by its versions, and the members of the toolset.

Source: API reference, Computer use tool; the official SDK's input types of the toolset's members.
"""

from collections.abc import Mapping
from typing import Final

from antiphon.dialogue.tools import Tool
from antiphon.request.tools.parameters import Need, Schema, choice, held, numbers, text, tool, whole

_POINT: Final = numbers("Pixels from the left edge and from the top edge.", 2, minimum=0)

_START: Final = numbers("Where the drag begins: pixels from the left edge and from the top edge.", 2, minimum=0)

_HELD: Final = text('Keys to hold down meanwhile, such as "ctrl" or "ctrl+shift".')

_DIRECTION: Final = choice("Where to scroll.", "up", "down", "left", "right")

_CLICKS: Final = whole("Notches of the scroll wheel.", minimum=0)

_REGION: Final = numbers("Left, top, right and bottom edge of the region, in pixels of a screenshot.", 4, minimum=0)

_KEYS: Final = "Names are joined by +, such as Return, ctrl+s, alt+Tab or Page_Down"

_FIRST: Final[Mapping[str, str]] = {
    "key": f"press the keys of `text`. {_KEYS}",
    "type": "type the characters of `text`",
    "mouse_move": "move the pointer to `coordinate`",
    "left_click": "click the left button",
    "left_click_drag": "press the left button, move to `coordinate`, let go",
    "right_click": "click the right button",
    "middle_click": "click the middle button",
    "double_click": "double-click the left button",
    "screenshot": "take a picture of the screen",
    "cursor_position": "tell where the pointer is",
}

_SECOND: Final[Mapping[str, str]] = {
    "left_mouse_down": "press the left button and keep it down",
    "left_mouse_up": "let the left button go",
    "scroll": "turn the wheel by `scroll_amount` notches in `scroll_direction`, at `coordinate`",
    "hold_key": "hold the keys of `text` down for `duration` seconds",
    "wait": "wait for `duration` seconds",
    "triple_click": "triple-click the left button",
}

_ZOOM: Final[Mapping[str, str]] = {"zoom": "take an enlarged picture of `region`"}

_FIRST_PARAMETERS: Final[Mapping[str, Schema]] = {
    "coordinate": _POINT,
    "text": text("The characters to type, or the keys to press."),
}

_SECOND_PARAMETERS: Final[Mapping[str, Schema]] = {
    "coordinate": _POINT,
    "start_coordinate": _START,
    "text": text("The characters to type, the keys to press, or the keys to hold down while clicking or scrolling."),
    "scroll_direction": _DIRECTION,
    "scroll_amount": _CLICKS,
    "duration": whole("Seconds, for hold_key and wait.", minimum=0),
}


def computer(width: int, height: int, display: int | None, *, version: int, zoom: bool = False) -> Tool:
    """The single tool of the first, second or third version, for a screen of so many pixels."""
    actions = {**_FIRST, **(_SECOND if version > 1 else {}), **(_ZOOM if zoom else {})}
    parameters = dict(_FIRST_PARAMETERS if version == 1 else _SECOND_PARAMETERS)
    if zoom:
        parameters["region"] = _REGION
    where = "" if display is None else f" It is display number {display}."
    clicks = (
        "Clicks go where the pointer is: move it first."
        if version == 1
        else "Clicks go to `coordinate`, or where the pointer is without one."
    )
    lines = [
        f"Use a computer by its screen, mouse and keyboard. The screen is {width} pixels wide and {height} high; "
        f"coordinates are [x, y] from its top left corner.{where} Take a screenshot to see what an action did. "
        f"{clicks} Actions:",
        *(f"- {action}: {meaning}." for action, meaning in actions.items()),
    ]
    told = tool("computer", "\n".join(lines), {"action": choice("What to do.", *actions), **parameters}, ("action",))
    return held(told, "action", {action: _need(action, version) for action in actions})


_NEEDS: Final[Mapping[str, Need]] = {
    "key": (("text",), ()),
    "type": (("text",), ()),
    "mouse_move": (("coordinate",), ()),
    "left_click_drag": (("coordinate",), ("start_coordinate", "text")),
    "scroll": (("scroll_direction", "scroll_amount"), ("coordinate", "text")),
    "hold_key": (("text", "duration"), ()),
    "wait": (("duration",), ()),
    "zoom": (("region",), ()),
}


def _need(action: str, version: int) -> Need:
    must, may = _NEEDS.get(action, ((), ("coordinate", "text") if action.endswith("_click") else ()))
    return must, may if version > 1 else ()


def _click(what: str) -> Tool:
    description = f"{what} at `coordinate` of the screen, or where the pointer is without one."
    return tool("", description, {"coordinate": _POINT, "text": _HELD}, ())


MEMBERS: Final[Mapping[str, Tool]] = {
    "screenshot": tool("", "Take a picture of the computer's screen.", {}, ()),
    "zoom": tool(
        "",
        "Take an enlarged picture of a region of the screen, to read small details.",
        {"region": _REGION},
        ("region",),
    ),
    "cursor_position": tool("", "Tell where the pointer is on the screen, in pixels.", {}, ()),
    "mouse_move": tool("", "Move the pointer without clicking, to hover.", {"coordinate": _POINT}, ("coordinate",)),
    "left_click": _click("Click the left mouse button"),
    "right_click": _click("Click the right mouse button"),
    "middle_click": _click("Click the middle mouse button"),
    "double_click": _click("Double-click the left mouse button"),
    "triple_click": _click("Triple-click the left mouse button"),
    "left_click_drag": tool(
        "",
        "Drag with the left mouse button from `start_coordinate` to `coordinate`.",
        {"start_coordinate": _START, "coordinate": _POINT, "text": _HELD},
        ("start_coordinate", "coordinate"),
    ),
    "left_mouse_down": tool("", "Press the left mouse button where the pointer is and keep it down.", {}, ()),
    "left_mouse_up": tool("", "Let the left mouse button go.", {}, ()),
    "scroll": tool(
        "",
        "Turn the scroll wheel at `coordinate` of the screen, or where the pointer is without one.",
        {"scroll_direction": _DIRECTION, "scroll_amount": _CLICKS, "coordinate": _POINT, "text": _HELD},
        ("scroll_direction", "scroll_amount"),
    ),
    "type": tool("", "Type characters on the keyboard.", {"text": text("The characters to type.")}, ("text",)),
    "key": tool(
        "",
        f"Press a key or several together. {_KEYS}.",
        {"text": text("The keys to press."), "repeat": whole("How many times; once without it.", minimum=1)},
        ("text",),
    ),
    "hold_key": tool(
        "",
        "Hold a key or several together down for some time.",
        {"text": text("The keys to hold, named as for key."), "duration": whole("For how many seconds.", minimum=0)},
        ("text", "duration"),
    ),
    "wait": tool("", "Wait.", {"duration": whole("For how many seconds.", minimum=0)}, ("duration",)),
}
"""Member → what the model is told of it, without its name."""

"""Toolsets: one entry that stands for many tools with fixed names. Source: API reference, Computer and browser use.

The entry has no name and no schema of its own, and its members are switched together or one by one.
"""

from collections.abc import Mapping
from typing import Final, Literal, Self, cast

from pydantic import ValidationInfo, model_validator

from antiphon.wire.base import CacheMarker, Items, Maybe, WireModel, complaint, context_of
from antiphon.wire.gates import FINE_GRAINED_STREAMING
from antiphon.wire.tools.base import AllowedCaller

# Keys of other tools that clients try on a toolset, with the reason why they have no place there.
_REFUSED: Final[Mapping[str, str]] = {
    "name": "the member names are fixed by the dated type, and the served tool keeps the family's bare name",
    "strict": "the member schemas are fixed by the dated type",
    "input_examples": "the member schemas are fixed by the dated type",
    "defer_loading": "set it on the members, in `configs`",
}


class MemberConfig(WireModel):
    """How one member is switched. Null is silence."""

    enabled: bool | None = None
    defer_loading: bool | None = None


class ComputerConfigs(WireModel):
    """The members of the computer toolset."""

    cursor_position: MemberConfig | None = None
    double_click: MemberConfig | None = None
    hold_key: MemberConfig | None = None
    key: MemberConfig | None = None
    left_click: MemberConfig | None = None
    left_click_drag: MemberConfig | None = None
    left_mouse_down: MemberConfig | None = None
    left_mouse_up: MemberConfig | None = None
    middle_click: MemberConfig | None = None
    mouse_move: MemberConfig | None = None
    right_click: MemberConfig | None = None
    screenshot: MemberConfig | None = None
    scroll: MemberConfig | None = None
    triple_click: MemberConfig | None = None
    type: MemberConfig | None = None
    wait: MemberConfig | None = None
    zoom: MemberConfig | None = None


class BrowserConfigs(WireModel):
    """The members of the browser toolset."""

    close_tab: MemberConfig | None = None
    double_click: MemberConfig | None = None
    file_upload: MemberConfig | None = None
    find: MemberConfig | None = None
    form_input: MemberConfig | None = None
    get_page_text: MemberConfig | None = None
    hold_key: MemberConfig | None = None
    hover: MemberConfig | None = None
    javascript_exec: MemberConfig | None = None
    key: MemberConfig | None = None
    left_click: MemberConfig | None = None
    left_click_drag: MemberConfig | None = None
    left_mouse_down: MemberConfig | None = None
    left_mouse_up: MemberConfig | None = None
    list_tabs: MemberConfig | None = None
    middle_click: MemberConfig | None = None
    mouse_move: MemberConfig | None = None
    navigate: MemberConfig | None = None
    new_tab: MemberConfig | None = None
    read_console: MemberConfig | None = None
    read_network: MemberConfig | None = None
    read_page: MemberConfig | None = None
    right_click: MemberConfig | None = None
    screenshot: MemberConfig | None = None
    scroll: MemberConfig | None = None
    scroll_to: MemberConfig | None = None
    switch_tab: MemberConfig | None = None
    triple_click: MemberConfig | None = None
    type: MemberConfig | None = None
    wait: MemberConfig | None = None
    zoom: MemberConfig | None = None


# Members that are off until `configs` switches them on.
OFF_BY_DEFAULT: Final = frozenset({"file_upload", "javascript_exec", "read_console", "read_network"})


class Toolset(WireModel):
    """What both toolsets are: a type, switches for the members, and none of the keys of a single tool."""

    cache_control: CacheMarker | None = None
    allowed_callers: Maybe[Items[AllowedCaller]] = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_keys_of_tools(cls, value: object, info: ValidationInfo) -> object:
        if isinstance(value, dict):
            for key, reason in _REFUSED.items():
                if key in value:
                    raise complaint(f"{key} is not accepted on a toolset entry: {reason}")
        context = context_of(info)
        if context is not None and context.unlocks(FINE_GRAINED_STREAMING):
            (header,) = FINE_GRAINED_STREAMING
            raise complaint(f"a toolset entry cannot be combined with anthropic-beta: {header}")
        return cast("object", value)

    @model_validator(mode="after")
    def _refuse_code_as_caller(self) -> Self:
        if self.allowed_callers is not None and any(caller != "direct" for caller in self.allowed_callers):
            raise complaint("allowed_callers on a toolset entry supports 'direct' only")
        return self


class ComputerToolset20260801(Toolset):
    """A screen, a mouse and a keyboard."""

    type: Literal["computer_toolset_20260801"]
    configs: ComputerConfigs | None = None

    @model_validator(mode="after")
    def _members_agree(self) -> Self:
        _check_members(self.configs)
        return self


class BrowserToolset20260801(Toolset):
    """A browser with tabs."""

    type: Literal["browser_toolset_20260801"]
    configs: BrowserConfigs | None = None

    @model_validator(mode="after")
    def _members_agree(self) -> Self:
        _check_members(self.configs)
        return self


def _check_members(configs: ComputerConfigs | BrowserConfigs | None) -> None:
    if configs is None:
        return
    deferred: set[bool] = set()
    for name in type(configs).model_fields:
        member: MemberConfig = getattr(configs, name) or MemberConfig()
        if name not in OFF_BY_DEFAULT if member.enabled is None else member.enabled:
            deferred.add(bool(member.defer_loading))
    if not deferred:
        raise complaint("at least one member of a toolset must be enabled")
    if len(deferred) > 1:
        raise complaint("defer_loading must be the same for all enabled members of a toolset")

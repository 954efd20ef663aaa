"""What an option's value may be."""

import re
from typing import Any

import pytest

from antiphon.config.keys import SealingKeys
from antiphon.config.kinds import (
    Address,
    AllowedHosts,
    Choice,
    Host,
    Keys,
    Number,
    Pattern,
    Secret,
    Switch,
    Text,
    TextOrNone,
    Whole,
)
from antiphon.config.visitors import HostNames, Origins


@pytest.mark.parametrize(
    "kind",
    [
        Whole(0),
        Whole(0, 9),
        Number(0, 1),
        Switch(),
        Choice(("a", "b")),
        Text(),
        TextOrNone(),
        Secret(),
        Address(),
        Pattern(re.compile("[a-z]+"), "a word"),
        Host(),
        Keys(),
        AllowedHosts(),
        SealingKeys(),
        Origins(),
        HostNames(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("odd", [None, {}, [[]], b"x", ""], ids=repr)
def test_no_kind_takes_what_is_of_no_kind(kind: Any, odd: Any):
    with pytest.raises(ValueError, match=r"is not|must be"):
        kind.from_toml(odd)

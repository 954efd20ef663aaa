"""The accounting line of coding agents: out of the prompt, and nothing else with it."""

import pytest

from antiphon.request.attribution import without_attribution

LINE = "x-anthropic-billing-header: cc_version=2.1.330.7b4; cc_entrypoint=sdk-cli; cch=1a2b3;"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LINE, ""),
        (f"{LINE}\nBe brief.", "Be brief."),
        (f"{LINE}\n\nBe brief.", "\nBe brief."),
        (f"{LINE} Be brief.", "Be brief."),
        ("x-anthropic-billing-header:\nBe brief.", "Be brief."),
    ],
    ids=["alone", "before a line", "one line end only", "before words of its own line", "without entries"],
)
def test_the_line_goes_and_what_stands_behind_it_stays(text: str, told: str) -> None:
    assert without_attribution(text) == told


@pytest.mark.parametrize("text", [f"Be brief.\n{LINE}", f" {LINE}", "", "x-anthropic-billing: a=b;"])
def test_what_does_not_begin_with_the_line_is_not_touched(text: str) -> None:
    assert without_attribution(text) == text

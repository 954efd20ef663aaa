"""docs/configuration.md is made from the program's table, and is current."""

import re

import pytest

from antiphon.config import MODEL_OPTIONS, OPTIONS, WEB_FETCH_OPTIONS, WEB_SEARCH_OPTIONS
from antiphon.config.tables.models import SAMPLING_OPTIONS
from configuration import ROOT, page


@pytest.mark.promise("config.documented")
def test_the_page_of_options_is_current():
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.promise("config.documented")
def test_every_option_has_its_heading_flag_variable_and_meaning():
    text = page()
    assert re.findall(r"^### `(\w+)`$", text, re.MULTILINE) == [option.name for option in OPTIONS]
    for option in OPTIONS:
        flag = ", ".join(f"`{flag}`" for flag in (option.flag, option.off_flag) if flag) or "none"
        key = f"`{option.key}`" + (f" in `[{option.table}]`" if option.table else "")
        variables = ", ".join(f"`{name}`" for name in option.variables)
        assert f"| {flag} | {variables} | {key} |" in text
        assert option.meaning in text


def test_every_key_of_a_model_and_of_a_tool_has_its_row():
    keys = re.findall(r"^\| `(\w+)` \|", page(), re.MULTILINE)
    tables = (MODEL_OPTIONS, SAMPLING_OPTIONS, WEB_SEARCH_OPTIONS, WEB_FETCH_OPTIONS)
    assert keys == [option.name for table in tables for option in table]

"""The model list as it travels."""

import msgspec

from antiphon.wire.models import Capabilities, ModelInfo, ModelPage, Supported


def test_a_page_names_every_key_of_a_model_also_where_there_is_nothing_to_say() -> None:
    yes = Supported(supported=True)
    capabilities = Capabilities(
        batch=yes,
        citations=yes,
        code_execution=yes,
        image_input=yes,
        pdf_input=yes,
        structured_outputs=Supported(supported=False),
        compaction={},
        context_management={},
        effort={},
        server_tools={},
        thinking={},
    )
    model = ModelInfo(
        id="tiny",
        display_name="Tiny",
        created_at="2026-11-01T00:00:00Z",
        lifecycle="active",
        line=None,
        max_input_tokens=8192,
        max_tokens=4096,
        capabilities=capabilities,
    )
    page = msgspec.json.decode(
        msgspec.json.encode(ModelPage(data=[model], has_more=False, first_id="tiny", last_id="tiny"))
    )
    [told] = page.pop("data")
    assert page == {"has_more": False, "first_id": "tiny", "last_id": "tiny"}
    assert (told["type"], told["line"], told["deprecated_at"], told["retires_at"]) == ("model", None, None, None)
    assert told["capabilities"]["structured_outputs"] == {"supported": False}


def test_an_empty_page_says_so() -> None:
    page = ModelPage(has_more=False, first_id=None, last_id=None)
    assert msgspec.json.decode(msgspec.json.encode(page)) == {
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }

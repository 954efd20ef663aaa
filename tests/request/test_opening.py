"""What a reply shows before it has begun."""

from dataclasses import replace

import orjson
from msgspec import UNSET, structs

from antiphon.request.intake import parse_create
from antiphon.request.opening import opening
from antiphon.wire.reply import Diagnostics
from tests.request.requests import CATALOGUE, asked, body, context

CLEARING = "context-management-2025-06-27"


def test_it_names_the_model_and_what_was_read() -> None:
    request = parse_create(orjson.dumps(body()), context())
    message = opening(asked(request), 12, "msg_1")
    assert (message.id, message.model, message.usage.input_tokens, message.usage.output_tokens) == (
        "msg_1",
        "tiny",
        12,
        0,
    )
    assert (message.content, message.stop_reason, message.diagnostics) == ([], None, None)
    assert message.context_management is UNSET


def test_the_header_for_context_management_brings_its_key() -> None:
    request = parse_create(orjson.dumps(body()), context(CLEARING))
    assert opening(asked(request, context(CLEARING)), 12, "msg_1").context_management is None


def test_a_place_is_told_for_names_that_could_be_sent_to_one() -> None:
    request = parse_create(orjson.dumps(body()), context())
    newest = CATALOGUE.resolve("claude-opus-5")
    assert newest is not None
    assert opening(asked(request, profile=newest), 1, "msg_1").usage.inference_geo == "global"
    own = asked(request)
    own = structs.replace(own, target=replace(own.target, own=True))
    assert opening(own, 1, "msg_1").usage.inference_geo == "not_available"


def test_it_says_what_came_of_comparing_it_with_an_earlier_request() -> None:
    request = parse_create(orjson.dumps(body(diagnostics={"previous_message_id": "msg_0"})), context())
    why = Diagnostics(cache_miss_reason={"type": "unavailable"})
    assert opening(asked(request), 1, "msg_1", why).diagnostics == why

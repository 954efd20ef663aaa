"""The API's first endpoint, `POST /v1/complete`, which no model of today is offered on."""

from typing import Any, cast

import orjson

from antiphon.errors import InvalidRequest


def refuse_completion(body: bytes) -> InvalidRequest:
    """What such a request is told: which endpoint its model is on."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        return InvalidRequest(f"The request body is not valid JSON: {broken}")
    if not isinstance(document, dict):
        return InvalidRequest("The request body should be a JSON object")
    said = cast("dict[str, Any]", document)
    if "model" not in said:
        return InvalidRequest("model: Field required")
    if not isinstance(said["model"], str):
        return InvalidRequest("model: Input should be a valid string")
    return InvalidRequest(f'"{said["model"]}" is not supported on this API. Please use the Messages API instead.')

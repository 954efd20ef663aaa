"""Parameters of the vendor-typed tools, as JSON Schemas with the words that the model reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.dialogue.tools import Tool

Schema = Mapping[str, Any]


def text(description: str) -> Schema:
    """A string."""
    return {"type": "string", "description": description}


def choice(description: str, *values: str) -> Schema:
    """One of these strings."""
    return {"type": "string", "enum": list(values), "description": description}


def whole(description: str, **bounds: int) -> Schema:
    """A whole number; `bounds` are keywords of the schema."""
    return {"type": "integer", **bounds, "description": description}


def seconds(description: str, most: int) -> Schema:
    """A span of time, fractions allowed."""
    return {"type": "number", "minimum": 0, "maximum": most, "description": description}


def flag(description: str) -> Schema:
    """Yes or no."""
    return {"type": "boolean", "description": description}


def numbers(description: str, count: int, **bounds: int) -> Schema:
    """So many whole numbers."""
    items = {"type": "integer", **bounds}
    return {"type": "array", "items": items, "minItems": count, "maxItems": count, "description": description}


def texts(description: str) -> Schema:
    """Strings, at least one."""
    return {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": description}


def closed(properties: Mapping[str, Schema], required: Sequence[str], **more: Any) -> Schema:
    """An object of these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def tool(name: str, description: str, properties: Mapping[str, Schema], required: Sequence[str], **more: Any) -> Tool:
    """A tool of these parameters."""
    return Tool(name, description, closed(properties, required, **more))

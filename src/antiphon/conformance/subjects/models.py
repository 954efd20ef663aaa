"""The list of models."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from antiphon.conformance.api import Api, well
from antiphon.conformance.check import Failed, Subject, dictionary, expect, listed, text_of
from antiphon.conformance.subjects.errors import refusal

SUBJECT: Final = Subject("models", "API reference: Models", needs="models")
check = SUBJECT.check
PATH: Final = "/v1/models"


@check("list", "There is a list of models.")
def _(api: Api) -> None:
    expect(bool(items(page(api))), "it is empty")


@check("type", "Each item is of the type model.")
def _(api: Api) -> None:
    for item in items(page(api)):
        expect(item.get("type") == "model", f"type is {item.get('type')!r}")


@check("id", "Each model has an id.")
def _(api: Api) -> None:
    for item in items(page(api)):
        text_of(item.get("id"), "id")


@check("name", "Each model has a name for people.")
def _(api: Api) -> None:
    for item in items(page(api)):
        text_of(item.get("display_name"), "display_name")


@check("created", "Each model tells since when it is there.")
def _(api: Api) -> None:
    for item in items(page(api)):
        moment(item.get("created_at"), "created_at")


@check("more", "A page says whether there are more.")
def _(api: Api) -> None:
    expect(isinstance(page(api).get("has_more"), bool), f"has_more is {page(api).get('has_more')!r}")


@check("ends", "A page names its first and its last item.")
def _(api: Api) -> None:
    whole, ids = page(api), [item.get("id") for item in items(page(api))]
    said = (whole.get("first_id"), whole.get("last_id"))
    expect(said == (ids[0], ids[-1]), f"first_id and last_id are {said}")


@check("limit", "A page may be limited.")
def _(api: Api) -> None:
    found = items(page(api, "?limit=1"))
    expect(len(found) == 1, f"there are {len(found)} items")


@check("next", "What is asked behind an item does not repeat it.")
def _(api: Api) -> None:
    first = items(page(api, "?limit=1"))[0]["id"]
    ids = [item.get("id") for item in items(page(api, f"?limit=1&after_id={quote(str(first), safe='')}"))]
    expect(first not in ids, f"{first} comes again")


@check("one", "A model is found by its id.")
def _(api: Api) -> None:
    for item in items(page(api))[:1]:
        found = well(api.look("GET", f"{PATH}/{quote(str(item['id']), safe='')}"))
        expect(found.get("id") == item["id"], f"its id is {found.get('id')!r}")


@check("unknown", "A model that there is not is not found.")
def _(api: Api) -> None:
    refusal(api.look("GET", f"{PATH}/no-such-model-1999"), 404, "not_found_error")


@check("limit-zero", "A limit of no items is refused.")
def _(api: Api) -> None:
    refusal(api.look("GET", f"{PATH}?limit=0"), 400, "invalid_request_error")


@check("limit-type", "A limit that is no number is refused.")
def _(api: Api) -> None:
    refusal(api.look("GET", f"{PATH}?limit=many"), 400, "invalid_request_error")


def page(api: Api, query: str = "") -> dict[str, Any]:
    """A page of models."""
    return well(api.look("GET", PATH + query))


def items(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of a page."""
    return [dictionary(item) for item in listed(whole.get("data"))]


def moment(value: Any, what: str) -> datetime:
    """A time of RFC 3339. Raises `Failed`."""
    try:
        found = datetime.fromisoformat(text_of(value, what))
    except ValueError:
        raise Failed(f"{what} is {value!r}, no time") from None
    expect(found.tzinfo is not None, f"{what} is {value!r}, without its zone")
    return found

"""`antiphon-debug: explain` on a request to `/v1/messages`: it is told what it comes to, and no model runs."""

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from antiphon.errors import ApiError, InvalidRequest
from antiphon.service.explainer import Explained
from antiphon.web.headers import field
from antiphon.web.reached import is_here
from antiphon.words import shown

HEADER: Final = b"antiphon-debug"

EXPLAIN: Final = "explain"


def wants_explanation(request: Request) -> bool:
    """Whether the request, whose key is good, is to be explained; raises `ApiError` where it asks for that and may
    not."""
    said = field(request, HEADER)
    if said is None:
        return False
    if not is_here(request):
        raise ApiError("permission_error", "antiphon-debug: only callers on the server's own machine may send it")
    if said.strip() != EXPLAIN:
        raise InvalidRequest(f"antiphon-debug: there is 'explain', and not '{shown(said)}'")
    return True


def explained_reply(explained: Explained) -> Response:
    """What the caller is told; raises the error of a request that would not be answered."""
    if explained.refusal is not None:
        raise explained.refusal
    # As ASCII: texts of requests may hold half of a surrogate pair.
    return Response(json.dumps(explained.as_json()), media_type="application/json")

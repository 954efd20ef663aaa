"""Headers: the API's version, keys, betas, and what replies carry."""

from typing import Final

from antiphon.conformance.api import Api
from antiphon.conformance.check import LEFT_OUT, Skipped, Subject, dictionary, expect
from antiphon.conformance.subjects.errors import WRONG, refusal

SUBJECT: Final = Subject("headers", "API reference: Versions, Authentication, Beta headers")
check = SUBJECT.check


@check("request-id", "A reply has a request-id.", source="Errors: Request id")
def _(api: Api) -> None:
    expect(bool(api.post(api.request()).headers.get("request-id")), "there is no request-id")


@check("request-id-stream", "A stream has a request-id.", source="Errors: Request id")
def _(api: Api) -> None:
    expect(bool(api.post(api.request({"stream": True})).headers.get("request-id")), "there is no request-id")


@check("request-id-error", "An error has a request-id.", source="Errors: Request id")
def _(api: Api) -> None:
    expect(bool(api.post(api.request(WRONG)).headers.get("request-id")), "there is no request-id")


@check("request-id-said", "The request-id of an error stands in its body, too.", source="Errors: Error shapes")
def _(api: Api) -> None:
    answer = api.post(api.request(WRONG))
    said, sent = dictionary(answer.json).get("request_id"), answer.headers.get("request-id")
    expect(said is not None and said == sent, f"request_id is {said!r}, the header {sent!r}")


@check("request-ids-differ", "Two requests have two request-ids.", source="Errors: Request id")
def _(api: Api) -> None:
    first, second = (api.post(api.request(changes)).headers.get("request-id") for changes in ({}, WRONG))
    expect(not first or first != second, f"both are {first!r}")


@check("version-missing", "A request without anthropic-version is refused.", source="API reference: Versions")
def _(api: Api) -> None:
    refusal(api.post(api.request(), {"anthropic-version": LEFT_OUT}), 400, "invalid_request_error")


@check("version-unknown", "A version that there is not is refused.", source="API reference: Versions")
def _(api: Api) -> None:
    refusal(api.post(api.request(), {"anthropic-version": "1999-01-01"}), 400, "invalid_request_error")


@check("bearer", "A key may be sent as a bearer token.", source="API reference: Authentication")
def _(api: Api) -> None:
    api.said(headers={"x-api-key": LEFT_OUT, "authorization": f"Bearer {api.key}"})


@check("key-wrong", "A wrong key is refused.", source="Errors: authentication_error", needs="keys")
def _(api: Api) -> None:
    refusal(api.post(api.request(), {"x-api-key": "sk-no-such-key"}), 401, "authentication_error")


@check("key-missing", "A request without a key is refused.", source="Errors: authentication_error", needs="keys")
def _(api: Api) -> None:
    refusal(api.post(api.request(), {"x-api-key": LEFT_OUT}), 401, "authentication_error")


@check("beta-query", "?beta=true changes nothing.", source="Beta headers")
def _(api: Api) -> None:
    answer = api.look("POST", "/v1/messages?beta=true", api.request())
    expect(answer.status == 200, f"the status is {answer.status}: {answer.short}")


@check("beta-header", "A beta of earlier days is taken.", source="Beta headers")
def _(api: Api) -> None:
    api.said(headers={"anthropic-beta": "prompt-caching-2024-07-31,pdfs-2024-09-25"})


@check("accept", "A stream comes also to those who accept JSON.", source="Streaming Messages")
def _(api: Api) -> None:
    kind = api.post(api.request({"stream": True}), {"accept": "application/json"}).kind
    expect(kind == "text/event-stream", f"content-type is {kind!r}")


@check("charset", "A content type may name its charset.", source="API reference: Content types")
def _(api: Api) -> None:
    api.said(headers={"content-type": "application/json; charset=utf-8"})


def keys(api: Api) -> None:
    """Raise `Skipped` where a server takes any key."""
    if api.post(api.request(), {"x-api-key": "sk-no-such-key"}).status == 200:
        raise Skipped("the server takes any key")

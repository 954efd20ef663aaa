"""Requests that are wrong, and how they are refused. Wordings are not stable, statuses and types are."""

from typing import Any, Final

from antiphon.conformance.api import ABSENT, Api
from antiphon.conformance.asking import Answer
from antiphon.conformance.check import LEFT_OUT, Row, Subject, dictionary, expect, text_of
from antiphon.conformance.subjects.words import user

SUBJECT: Final = Subject("errors", "Errors; API reference: Create a Message")
check = SUBJECT.check
WRONG: Final[dict[str, Any]] = {"max_tokens": "many"}

CONTENT: Final = "API reference: Create a Message, messages"
_BODY: Final[tuple[Row, ...]] = (
    ("model-missing", "A request without a model is refused.", {"model": LEFT_OUT}),
    ("model-type", "A model that is no text is refused.", {"model": 7}),
    ("max-tokens-missing", "A request without max_tokens is refused.", {"max_tokens": LEFT_OUT}),
    ("max-tokens-type", "max_tokens that is no number is refused.", WRONG),
    ("max-tokens-negative", "Negative max_tokens are refused.", {"max_tokens": -1}),
    ("max-tokens-fraction", "max_tokens with a fraction are refused.", {"max_tokens": 1.5}),
    ("messages-missing", "A request without messages is refused.", {"messages": LEFT_OUT}),
    ("messages-empty", "An empty list of messages is refused.", {"messages": []}),
    ("messages-type", "Messages that are no list are refused.", {"messages": "Hi"}),
    ("message-type", "A message that is no object is refused.", {"messages": ["Hi"]}),
    ("role-missing", "A message without a role is refused.", {"messages": [{"content": "Hi"}]}),
    ("role-unknown", "An unknown role is refused.", {"messages": [{"role": "robot", "content": "Hi"}]}),
    ("content-missing", "A message without content is refused.", {"messages": [{"role": "user"}]}),
    ("content-type", "Content that is a number is refused.", {"messages": [{"role": "user", "content": 7}]}),
    (
        "content-empty",
        "A user's message without any content is refused.",
        {"messages": [{"role": "user", "content": []}]},
    ),
    (
        "text-empty",
        "An empty text is refused.",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]},
    ),
    ("text-blank", "A message of white space alone is refused.", user(" \n")),
    (
        "text-missing",
        "A text block without its text is refused.",
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    ),
    (
        "block-kindless",
        "A block without a type is refused.",
        {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
    ),
    (
        "block-unknown",
        "A block of an unknown type is refused.",
        {"messages": [{"role": "user", "content": [{"type": "hologram", "text": "Hi"}]}]},
    ),
    ("block-type", "A block that is no object is refused.", {"messages": [{"role": "user", "content": ["Hi"]}]}),
    (
        "block-extra",
        "An unknown key of a block is refused.",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "colour": 1}]}]},
    ),
    (
        "message-extra",
        "An unknown key of a message is refused.",
        {"messages": [{"role": "user", "content": "Hi", "mood": 1}]},
    ),
    ("extra", "An unknown key of the request is refused.", {"no_such_key": 1}),
    ("system-type", "A system prompt that is a number is refused.", {"system": 7}),
    ("system-block", "A picture in the system prompt is refused.", {"system": [{"type": "image", "source": {}}]}),
    ("stop-type", "stop_sequences that are no list are refused.", {"stop_sequences": "STOP"}),
    ("stop-item", "A stop sequence that is a number is refused.", {"stop_sequences": [7]}),
    ("stop-blank", "A stop sequence of white space alone is refused.", {"stop_sequences": [" "]}),
    ("temperature-high", "A temperature above 1 is refused.", {"temperature": 1.5}),
    ("temperature-low", "A negative temperature is refused.", {"temperature": -0.1}),
    ("temperature-type", "A temperature that is a text is refused.", {"temperature": "warm"}),
    ("top-p", "top_p above 1 is refused.", {"top_p": 1.5}),
    ("top-k", "A negative top_k is refused.", {"top_k": -2}),
    ("stream-type", "stream that is no boolean is refused.", {"stream": "perhaps"}),
    ("metadata-type", "metadata that is no object is refused.", {"metadata": "me"}),
    ("metadata-extra", "An unknown key of metadata is refused.", {"metadata": {"user_name": "me"}}),
    ("tier", "An unknown service_tier is refused.", {"service_tier": "golden"}),
    (
        "document-kind",
        "A document of an unknown kind of source is refused.",
        {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "tape"}}]}]},
    ),
    (
        "user-calls",
        "A call in a user's message is refused.",
        {
            "messages": [
                {"role": "user", "content": [{"type": "tool_use", "id": "toolu_1", "name": "x", "input": {}}]}
            ]
        },
    ),
)
for _name, _sentence, _changes in _BODY:
    SUBJECT.refuses(_name, _sentence, _changes)

SUBJECT.refuses(
    "model-unknown", "A model that there is not is not found.", {"model": "no-such-model-1999"}, status=404
)


@check("status", "A wrong request is a 400.")
def _(api: Api) -> None:
    expect(wrong(api).status == 400, f"the status is {wrong(api).status}")


@check("json", "An error is application/json.")
def _(api: Api) -> None:
    expect(wrong(api).kind == "application/json", f"content-type is {wrong(api).kind!r}")


@check("envelope", "An error is an object of the type error.")
def _(api: Api) -> None:
    said = dictionary(wrong(api).json)
    expect(said.get("type") == "error", f"type is {said.get('type')!r}")


@check("type", "An error names its type.")
def _(api: Api) -> None:
    text_of(dictionary(dictionary(wrong(api).json).get("error")).get("type"), "error.type")


@check("message", "An error says what is wrong.")
def _(api: Api) -> None:
    text_of(dictionary(dictionary(wrong(api).json).get("error")).get("message"), "error.message")


@check("names-the-key", "An error names the key that is wrong.")
def _(api: Api) -> None:
    message = str(dictionary(dictionary(wrong(api).json).get("error")).get("message"))
    expect("max_tokens" in message, f"the message is {message!r}")


@check("broken-json", "A body that is no JSON is refused.")
def _(api: Api) -> None:
    refusal(api.post(b'{"model": '), 400, "invalid_request_error")


@check("body-type", "A body that is a list is refused.")
def _(api: Api) -> None:
    refusal(api.post(b"[]"), 400, "invalid_request_error")


@check("body-empty", "An empty body is refused.")
def _(api: Api) -> None:
    refusal(api.post(b""), 400, "invalid_request_error")


@check("path", "A path that there is not is not found.")
def _(api: Api) -> None:
    refusal(api.look("POST", "/v1/no_such_thing", {}), 404, "not_found_error")


@check("method", "A message is not fetched with GET.")
def _(api: Api) -> None:
    status = api.look("GET", "/v1/messages").status
    expect(status in ABSENT, f"the status is {status}")


def wrong(api: Api) -> Answer:
    """The answer to a wrong request."""
    return api.post(api.request(WRONG))


def refusal(answer: Answer, status: int, kind: str) -> None:
    """An answer is an error of this status and type."""
    expect(answer.status == status, f"the status is {answer.status}, not {status}: {answer.short}")
    said = dictionary(dictionary(answer.json).get("error")).get("type")
    expect(said == kind, f"error.type is {said!r}, not {kind!r}")

"""By which URL a client has reached the server, with and without a proxy that says so."""

import pytest
from starlette.requests import Request

from antiphon.web.headers import FIELDS, by_name
from antiphon.web.reached import base_url


def asked(**fields: str) -> Request:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    scope = {"type": "http", "scheme": "http", "server": ("127.0.0.1", 8484), "headers": headers}
    return Request({**scope, FIELDS: by_name(headers)})


@pytest.mark.promise("batches.results-url")
@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "localhost:8484"}, "http://localhost:8484"),
        ({"host": "[::1]:8484"}, "http://[::1]:8484"),
        ({}, "http://127.0.0.1:8484"),
        ({"host": "a b{c}"}, "http://127.0.0.1:8484"),
        ({"host": "inside", "x_forwarded_proto": "https"}, "https://inside"),
        (
            {"host": "inside", "x_forwarded_proto": "https, http", "x_forwarded_host": "api.example, inside"},
            "https://api.example",
        ),
        ({"host": "a", "x_forwarded_prefix": "/llm/"}, "http://a/llm"),
        ({"host": "a", "x_forwarded_prefix": "//evil"}, "http://a"),
        ({"host": "a", "x_forwarded_proto": "ftp"}, "http://a"),
    ],
)
def test_the_url_is_the_one_that_the_client_has_called(fields: dict[str, str], url: str) -> None:
    assert base_url(asked(**fields)) == url

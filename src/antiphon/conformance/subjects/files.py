"""Files: uploaded, described, listed, named in requests, deleted."""

from typing import Any, Final

from antiphon.conformance.api import Api, well
from antiphon.conformance.check import LEFT_OUT, Subject, expect, text_of
from antiphon.conformance.subjects.errors import refusal
from antiphon.conformance.subjects.models import items, moment
from antiphon.conformance.subjects.words import shown

SUBJECT: Final = Subject("files", "Files API", needs="files")
check = SUBJECT.check
PATH: Final = "/v1/files"
TEXT: Final = b"The sky is blue. Grass is green."
_BOUNDARY: Final = "antiphon-conformance"
HEADERS: Final = {"content-type": f"multipart/form-data; boundary={_BOUNDARY}"}


def form(name: str = "file", filename: str = "colours.txt") -> bytes:
    """A form with a file in it."""
    head = f'content-disposition: form-data; name="{name}"; filename="{filename}"\r\ncontent-type: text/plain'
    return f"--{_BOUNDARY}\r\n{head}\r\n\r\n".encode() + TEXT + f"\r\n--{_BOUNDARY}--\r\n".encode()


def uploaded(api: Api) -> dict[str, Any]:
    """The file of this run."""
    return well(api.look("POST", PATH, form(), HEADERS))


@check("id", "A file that was uploaded has an id.")
def _(api: Api) -> None:
    text_of(uploaded(api).get("id"), "id")


@check("type", "A file is of the type file.")
def _(api: Api) -> None:
    expect(uploaded(api).get("type") == "file", f"type is {uploaded(api).get('type')!r}")


@check("name", "A file keeps its name.")
def _(api: Api) -> None:
    expect(uploaded(api).get("filename") == "colours.txt", f"filename is {uploaded(api).get('filename')!r}")


@check("mime", "A file keeps its type.")
def _(api: Api) -> None:
    expect(uploaded(api).get("mime_type") == "text/plain", f"mime_type is {uploaded(api).get('mime_type')!r}")


@check("size", "A file tells its size.")
def _(api: Api) -> None:
    expect(uploaded(api).get("size_bytes") == len(TEXT), f"size_bytes is {uploaded(api).get('size_bytes')!r}")


@check("created", "A file tells when it came.")
def _(api: Api) -> None:
    moment(uploaded(api).get("created_at"), "created_at")


@check("found", "A file is found by its id.")
def _(api: Api) -> None:
    found = well(api.ask("GET", f"{PATH}/{uploaded(api)['id']}"))
    expect(found.get("id") == uploaded(api)["id"], f"its id is {found.get('id')!r}")


@check("listed", "A file is listed.")
def _(api: Api) -> None:
    ids = [item.get("id") for item in items(well(api.ask("GET", f"{PATH}?limit=100")))]
    expect(uploaded(api)["id"] in ids, "it is not")


@check("named", "A request may name a file as its document.")
def _(api: Api) -> None:
    source = {"type": "file", "file_id": uploaded(api)["id"]}
    api.said(shown({"type": "document", "source": source}, {"type": "text", "text": "What is this?"}))


@check("not-downloadable", "A file that was uploaded cannot be downloaded.", source="Files API: Download a file")
def _(api: Api) -> None:
    status = api.ask("GET", f"{PATH}/{uploaded(api)['id']}/content").status
    expect(status in (400, 403), f"the status is {status}")


@check("unknown", "A file that there is not is not found.")
def _(api: Api) -> None:
    refusal(api.look("GET", f"{PATH}/file_000000000000000000000000"), 404, "not_found_error")


@check("refused-no-file", "An upload without a file is refused.")
def _(api: Api) -> None:
    refusal(api.look("POST", PATH, form(name="other"), HEADERS), 400, "invalid_request_error")


@check("refused-unknown", "A request that names a file that there is not is refused.")
def _(api: Api) -> None:
    source = {"type": "file", "file_id": "file_000000000000000000000000"}
    status = api.post(api.request(shown({"type": "document", "source": source}))).status
    expect(status in (400, 404), f"the status is {status}")


@check("deleted", "A file can be deleted, and is not found then.")
def _(api: Api) -> None:
    path = f"{PATH}/{uploaded(api)['id']}"
    gone = well(api.ask("DELETE", path, headers={"content-type": LEFT_OUT}))
    expect(gone.get("type") == "file_deleted", f"type is {gone.get('type')!r}")
    expect(api.ask("GET", path).status == 404, "it is still there")

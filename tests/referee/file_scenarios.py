"""What an application does with files through the official Python SDK's public API only, in any line of it.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon. FRONTS: servers that calls go to in turn.
FOLDER: has `bill.pdf` and `chart.png`. MADE: the id of a file that a tool has made.
"""

import itertools
import json
import os
import sys
import traceback
from pathlib import Path

import anthropic

FOLDER = Path(os.environ["FOLDER"])
FRONTS = os.environ["FRONTS"].split(",")
clients = itertools.cycle([anthropic.Anthropic(base_url=front, max_retries=0) for front in FRONTS])
MODEL = "claude-opus-4-8"


def client():
    return next(clients)


def told(file):
    # 0.x knows no `expires_at` of the beta.
    return [file.filename, file.mime_type, file.size_bytes, file.downloadable, file.type, file.id[:5]]


def uploads():
    files = client().files
    with (FOLDER / "bill.pdf").open("rb") as opened:
        return {
            "bytes": told(files.upload(file=b"Some words.")),
            "tuple": told(files.upload(file=("notes.md", b"# Notes", "text/markdown"))),
            "pair": told(client().files.upload(file=("a/b/c.csv", b"1,2"))),
            "path": told(client().files.upload(file=FOLDER / "chart.png")),
            "open": told(files.upload(file=opened)),
            "beta": told(client().beta.files.upload(file=("beta.txt", b"beta", "text/plain"))),
        }


def lives():
    file = client().files.upload(file=("short.txt", b"a", "text/plain"), expires_in_seconds=3600)
    again = client().files.retrieve_metadata(file.id)
    lasting = client().files.upload(file=("long.txt", b"a", "text/plain"))
    return {
        "seconds": round((file.expires_at - file.created_at).total_seconds()),
        "same": again.to_dict() == file.to_dict(),
        "never": lasting.expires_at is None,
        "error": error(lambda: client().files.upload(file=b"a", expires_in_seconds=3599)),
    }


def pagers():
    for file in client().files.list(limit=1000):
        if not file.downloadable:
            client().files.delete(file.id)
    ids = [client().files.upload(file=(f"{n}.txt", b"a", "text/plain")).id for n in range(8)][::-1]
    new, beta = list(client().files.list(limit=3)), list(client().beta.files.list(limit=3))
    old = list(client().beta.files.list(limit=3, extra_headers={"anthropic-beta": "files-api-2025-04-14"}))
    made = os.environ["MADE"]
    return {
        "new": [file.id for file in new if file.id != made] == ids,
        "beta": [file.id for file in beta if file.id != made] == ids,
        # Its pager is made for one shape, in every line of the SDK.
        "old": [file.id for file in old if file.id != made] in (ids, ids[:3]),
        "pages": sum(1 for _ in client().files.list(limit=3).iter_pages()),
        "ids": [file.id for file in client().files.list(ids=[ids[4], "file_unknown", ids[2]])] == [ids[2], ids[4]],
    }


def deleting_while_walking():
    for n in range(7):
        client().files.upload(file=(f"{n}.txt", b"a", "text/plain"))
    files = client()
    walked = (file.id for file in files.beta.files.list(limit=3))
    deleted = [client().beta.files.delete(id_).type for id_ in walked if id_ != os.environ["MADE"]]
    left = [file.id for file in client().files.list(limit=100)]
    return {"deleted": set(deleted) == {"file_deleted"}, "left": left == [os.environ["MADE"]]}


def documents():
    answers = {}
    for name, kind, mime in (
        ("bill.pdf", "document", "application/pdf"),
        ("bill.txt", "document", "text/plain"),
        ("chart.png", "image", "image/png"),
    ):
        file = client().files.upload(file=(name, (FOLDER / name).read_bytes(), mime))
        block = {"type": kind, "source": {"type": "file", "file_id": file.id}}
        content = [block, {"type": "text", "text": "How much was it?"}]
        asked = {"model": MODEL, "messages": [{"role": "user", "content": content}]}
        reply = client().messages.create(max_tokens=50, **asked)
        count = client().messages.count_tokens(**asked)
        beta = client().beta.messages.create(max_tokens=50, betas=["files-api-2025-04-14"], **asked)
        answers[name] = [reply.content[0].text, beta.content[0].text, count.input_tokens == reply.usage.input_tokens]
        client().files.delete(file.id)
        answers[f"{name} deleted"] = error(lambda asked=asked: client().messages.create(max_tokens=50, **asked))
    return answers


def downloads():
    upload = client().files.upload(file=b"mine")
    made = os.environ["MADE"]
    content = client().files.download(made)
    return {
        "made": content.read().decode(),
        "beta": client().beta.files.download(made).read().decode(),
        "type": content.headers["content-type"]
        if hasattr(content, "headers")
        else content.response.headers["content-type"],
        "upload": error(lambda: client().files.download(upload.id)),
        "unknown": error(lambda: client().files.retrieve_metadata("file_unknown")),
        "told": client().files.retrieve_metadata(made).downloadable,
    }


def error(call):
    try:
        call()
    except anthropic.APIStatusError as problem:
        body = problem.body["error"]
        return [problem.status_code, body["type"], (body.get("details") or {}).get("error_code")]
    return "no error"


SCENARIOS = [uploads, lives, documents, downloads, pagers, deleting_while_walking]


def main():
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = scenario()
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc()}
    json.dump(results, sys.stdout)


main()

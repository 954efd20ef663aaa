"""What a broken client may ask of everything but messages: lists, files, skills, batches, reports.

The same number gives the same request again, where the same was kept before.
"""

import copy
import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.web.batches import params
from tests.web.files_app import BOUNDARY, form, part
from tests.web.fuzzing import ATOMS, changed, written
from tests.web.skills_app import files, manifest

ROOTS: Final = {
    "models": "/v1/models",
    "batches": "/v1/messages/batches",
    "files": "/v1/files",
    "skills": "/v1/skills",
    "reports": "/v1/organizations/usage_report/messages",
    "costs": "/v1/organizations/cost_report",
    "limits": "/v1/organizations/rate_limits",
    "workspaces": "/v1/organizations/workspaces",
}
BETAS: Final = (
    "files-api-2025-04-14",
    "skills-2025-10-02",
    "message-batches-2024-09-24",
    "fast-mode-2026-02-01",
    "x",
)
_IDS: Final = (
    *("", ".", "..", "\x00", "a\x00b", "é\u2028", "\ud7ff", "'", '"', "%", "_", "*", "a" * 3000, "9" * 400, "-1"),
    *("file_", "file_011CNha8iCJcU1wXNR6q4V8w", "msgbatch_x", "skill_x", "default", "null", "1e9", "claude-opus-4-8"),
)
_TIMES: Final = (
    *("2026-02-02T00:00:00Z", "2026-02-02", "2026-02-02T00:00:00+25:00", "0001-01-01T00:00:00Z", "now", "0", "-1"),
    *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-02-02T24:00:00.1234567Z"),
)
_SAID: Final[dict[str, tuple[str, ...]]] = {
    "limit": ("0", "1", "2", "1000", "1001", "-1", "x", "9" * 30, "²", "1.5", "", " 1"),
    "after_id": _IDS,
    "before_id": _IDS,
    "page": (*_IDS, "page_", "cGFnZQ==", "page_" + "A" * 60),
    "scope_id": _IDS,
    "source": ("custom", "anthropic", "", "x"),
    "lifecycle": ("active", "retired", "x"),
    "starting_at": _TIMES,
    "ending_at": _TIMES,
    "bucket_width": ("1d", "1h", "1m", "", "1y", "d"),
    "group_by[]": ("model", "api_key_id", "workspace_id", "service_tier", "context_window", "description", "x", ""),
    "models[]": _IDS,
    "workspace_ids[]": _IDS,
    "api_key_ids[]": _IDS,
    "service_tiers[]": ("standard", "batch", "x"),
    "group_type": ("model_group", "batch", "x", ""),
    "model": _IDS,
    "include_inherited": ("true", "false", "1", ""),
}
_METHODS: Final = ("GET", "GET", "GET", "POST", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "X")
_TAILS: Final = ("content", "cancel", "results", "versions", "rate_limits", "x", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str | None]


def asked(root: str, seed: int, number: int, known: list[str]) -> Asked:
    """The request with this number. `known`: ids of what is there."""
    dice = Random(f"{root}/{seed}/{number}")
    method, path = dice.choice(_METHODS), ROOTS[root]
    if dice.random() < 0.5:
        path += "/" + _id(dice, known)
        for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
            path += "/" + (dice.choice(_TAILS) if dice.random() < 0.6 else _id(dice, known))
    headers: dict[str, str | None] = {"anthropic-beta": dice.choice(BETAS) if dice.random() < 0.7 else None}
    body = b""
    if method in ("POST", "PUT", "PATCH") or dice.random() < 0.05:
        body, headers["content-type"] = _body(dice, root, known)
    return Asked(method, path, _query(dice, root, known), body, headers)


def _id(dice: Random, known: list[str]) -> str:
    return dice.choice(known) if known and dice.random() < 0.6 else dice.choice(_IDS)


def _query(dice: Random, root: str, known: list[str]) -> str:
    pairs: list[str] = []
    if root in ("reports", "costs") and dice.random() < 0.8:
        # Without it no report says anything.
        pairs.append(f"starting_at={dice.choice(_TIMES[:2]) if dice.random() < 0.8 else dice.choice(_TIMES)}")
    for _ in range(dice.choice((0, 1, 1, 2, 3, 6))):
        name = dice.choice(list(_SAID))
        value = _id(dice, known) if name.endswith("_id") and dice.random() < 0.5 else dice.choice(_SAID[name])
        pairs.append(f"{name}={_quoted(dice, value)}")
    if dice.random() < 0.05:
        pairs.append(dice.choice(("=", "&&", "%", "%zz", "limit", "a" * 5000, "%ff=%fe", "[]=1")))
    return "&".join(pairs)


def _quoted(dice: Random, value: str) -> str:
    harmless = "".join(c if c.isascii() and c.isalnum() else "".join(f"%{b:02X}" for b in c.encode()) for c in value)
    # A raw byte beyond ASCII is no URL, and comes all the same.
    return harmless if dice.random() < 0.9 else value.replace("&", "").replace("#", "")


def _body(dice: Random, root: str, known: list[str]) -> tuple[bytes, str]:
    if root == "batches":
        rows: list[Any] = [{"custom_id": f"r{n}", "params": params()} for n in range(dice.choice((0, 1, 1, 2, 5)))]
        whole: dict[str, Any] = {"requests": rows}
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            whole = changed(dice, whole)
        return written(dice, whole), "application/json"
    if root not in ("files", "skills"):
        return json.dumps(copy.deepcopy(dice.choice(ATOMS[:20]))).encode("utf-8", "surrogatepass"), "application/json"
    return _form(dice, root)


def _form(dice: Random, root: str) -> tuple[bytes, str]:
    given = files() if dice.random() < 0.7 else {dice.choice(_IDS) + "/SKILL.md": manifest(dice.choice(_IDS)[:80])}
    parts = [part("files[]", data, path, "application/octet-stream") for path, data in given.items()]
    if root == "files":
        parts = [part("file", b"%PDF-1.7" if dice.random() < 0.2 else b"text", _name(dice), "text/plain")]
    for name in ("display_title", "expires_in_seconds", "downloadable", "x"):
        if dice.random() < 0.2:
            parts.append(part(name, dice.choice(_IDS).encode("utf-8", "replace")))
    dice.shuffle(parts)
    sent = bytearray(form(*parts))
    for _ in range(dice.choice((0, 0, 0, 1, 2))):
        at = dice.randrange(len(sent))
        match dice.randrange(3):
            case 0:
                del sent[at:]
            case 1:
                sent[at] = dice.randrange(256)
            case _:
                sent[at:at] = dice.choice((b"\r\n", b"--" + BOUNDARY.encode(), b"\x00" * 9, b'"', b"\xff" * 70000))
        if not sent:
            break
    kinds = (
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 300,
        "",
    )
    kind = f"multipart/form-data; boundary={BOUNDARY}" if dice.random() < 0.85 else dice.choice(kinds)
    return bytes(sent), kind


def _name(dice: Random) -> str:
    return dice.choice(_IDS) if dice.random() < 0.5 else "a.txt"

"""Fallback credit: what a refusal leaves its client to send with the same request to another model, under seal.

Nothing of it is kept here. It says whose request was refused, by which model, and how much of it that model had in
its cache; another model then charges that much as read. The request has to be the same in all that shapes the prompt,
or to go on from what the refused reply had said. Source: Fallback credit page; official SDK.
"""

from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any, Final, Literal, cast

import msgspec

from antiphon.profiles import Profile
from antiphon.request.case import Issue, Request
from antiphon.seals import Seals
from antiphon.wire.base import WireContext
from antiphon.wire.content.blocks import CompactionBlock, McpToolUseBlock, ServerToolUseBlock, TextBlock
from antiphon.wire.gates import FALLBACK, FALLBACK_CREDIT
from antiphon.wire.request import CreateMessage, InputMessage

LIFETIME: Final = 300.0
"""Seconds."""

Reason = Literal[
    "body_mismatch",
    "continuation_excluded",
    "continuation_only",
    "expired",
    "invalid_target_model",
    "wrong_workspace",
]

_SAME: Final = (
    *("system", "tools", "tool_choice", "thinking", "cache_control", "output_config", "output_format"),
    *("mcp_servers", "context_management", "container"),
)
_PATH: Final = "fallback_credit_token"


@dataclass(frozen=True, slots=True)
class Credit:
    """What a token holds. `model`: who has refused; `tenant`: whose request; `until`: when it expires. `betas` and
    `body`: digests of what has to be the same. `said`: one of what the reply had said, None where nobody may go on
    from that; `continues`: it can only be gone on from. `warm`: tokens that the model had in its cache."""

    model: str
    tenant: str
    until: float
    betas: str
    body: str
    said: str | None
    continues: bool
    warm: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """What came of a token. `problem`: why nothing did; None: it is redeemed. `tokens`: so many are charged as read.
    `continues`: the request goes on from what the refused reply had said."""

    problem: Reason | None = None
    tokens: int = 0
    continues: bool = False

    def told(self) -> dict[str, Any]:
        """The reply's `usage.fallback_credit`."""
        if self.problem is None:
            return {"status": {"type": "redeemed"}}
        return {"status": {"type": "not_applied", "reason": self.problem}}


def minted(
    request: CreateMessage,
    context: WireContext,
    said: InputMessage | None,
    *,
    model: str,
    now: float,
    ran: bool,
    warm: int,
) -> Credit:
    """What the refusal of a request leaves. `said`: by the reply, None where nobody may go on from it; `ran`: tools
    of the server's have run for it."""
    told = [] if said is None else _said(said)
    return Credit(
        model,
        context.tenant,
        now + LIFETIME,
        _betas(context),
        _body(request, request.messages),
        _digest(told) if told else None,
        ran,
        warm,
    )


def sealed(credit: Credit, seals: Seals, nonce: bytes) -> str:
    """The token."""
    return seals.seal_credit(msgspec.json.encode(credit).decode(), nonce)


def redeem(
    request: Request, profile: Profile, context: WireContext, seals: Seals, now: float
) -> Issue | Redemption | None:
    """What comes of a request's token for the model that it is sent to; None where it has none."""
    asked = request.fallback_credit_token if isinstance(request, CreateMessage) else None
    if asked is None:
        return None
    request = cast("CreateMessage", request)
    if request.fallbacks is not None:
        return Issue(f"{_PATH}: cannot be combined with `fallbacks`")
    token, mode = (asked, None) if isinstance(asked, str) else (asked.token, asked.mode)
    credit = _opened(token, seals)
    if credit is None:
        return Issue(f"{_PATH}: invalid or malformed")
    judged = _judged(credit, request, profile, context, now)
    if not isinstance(judged, str):
        return judged
    return Redemption(judged) if mode == "best_effort" else Issue(_wording(judged, request.model))


def _opened(token: str, seals: Seals) -> Credit | None:
    text = seals.open_credit(token)
    try:
        return None if text is None else msgspec.json.decode(text, type=Credit)
    except msgspec.MsgspecError:
        return None


def _judged(
    credit: Credit, request: CreateMessage, profile: Profile, context: WireContext, now: float
) -> Redemption | Reason:
    if credit.tenant != context.tenant:
        return "wrong_workspace"
    if now >= credit.until:
        return "expired"
    if credit.model == profile.id:
        return "invalid_target_model"
    messages = request.messages
    if credit.betas != _betas(context):
        return "body_mismatch"
    if credit.body == _body(request, messages):
        return "continuation_only" if credit.continues else Redemption(tokens=credit.warm)
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant" or credit.body != _body(request, messages[:-1]):
        return "body_mismatch"
    if credit.said is None:
        return "continuation_excluded"
    if credit.said != _digest(_said(last)):
        return "body_mismatch"
    return Redemption(tokens=credit.warm, continues=True)


def _wording(reason: Reason, model: str) -> str:
    match reason:
        case "wrong_workspace":
            return f"{_PATH}: does not belong to this workspace"
        case "expired":
            return f"{_PATH}: has expired"
        case "invalid_target_model":
            return f"{_PATH}: is not valid for model '{model}'"
        case "continuation_only":
            return f"{_PATH}: must be redeemed by continuing the partial response"
        case "continuation_excluded":
            return f"{_PATH}: cannot be redeemed by continuing the partial response"
        case "body_mismatch":
            return f"{_PATH}: the request body of the retry does not match that of the refused request"


def _betas(context: WireContext) -> str:
    """Of the headers all but the two families that may differ."""
    exempt = ("server-side-fallback-", "fallback-credit-")
    return _digest(sorted(beta for beta in context.betas - FALLBACK - FALLBACK_CREDIT if not beta.startswith(exempt)))


def _body(request: CreateMessage, messages: list[InputMessage]) -> str:
    said = request.model_dump(by_alias=True, exclude_none=True, include=set(_SAME))
    return _digest([said, [message.model_dump(by_alias=True, exclude_none=True) for message in messages]])


def _said(message: InputMessage) -> list[list[str]]:
    """What a reply says, as far as clients bring it back in one form: its text, and what the server ran for it."""
    content = message.content
    blocks = [TextBlock(type="text", text=content)] if isinstance(content, str) else content
    answered = {getattr(block, "tool_use_id", None) for block in blocks}
    told: list[list[str]] = []
    for block in blocks:
        if isinstance(block, TextBlock) and told and told[-1][0] == "text":
            told[-1][1] += block.text
        elif isinstance(block, TextBlock):
            told.append(["text", block.text])
        elif isinstance(block, ServerToolUseBlock | McpToolUseBlock) and block.id in answered:
            told.append(["call", block.id])
        elif isinstance(block, CompactionBlock):
            told.append(["summary", block.content or ""])
    if told and told[-1][0] == "text":
        told[-1][1] = told[-1][1].rstrip()
    return [one for one in told if one[1]]


def _digest(value: object) -> str:
    # The standard library's: whole numbers of any size come back from clients.
    return sha256(dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

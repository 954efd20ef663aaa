"""The encoder: what happens in a reply → the events of its stream, in an order that cannot be wrong.

Theory of operation. A reply is in one of seven phases, and each input moves it along `TRANSITIONS`; a pair that is
not in the table is the error (a bug of ours, never of the client). Nothing else decides order: a block opens when
the phase becomes one that has an open block, closes when the phase leaves it, and `index` counts blocks up. So
blocks cannot overlap, a delta cannot land in another kind of block, and a second run of reasoning gets a
block of its own.

Text that is only white space opens no block: a client would send it back, and the API refuses blank text.
It waits for text that is more, and is forgotten when none comes.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from antiphon.dialogue.events import (
    Begun,
    CallArguments,
    CallEnd,
    CallStart,
    Charge,
    CiteEnd,
    CiteStart,
    CodeCall,
    Compacted,
    FellBack,
    Finish,
    Iteration,
    Listed,
    ReasoningDelta,
    ReasoningEnd,
    RedactedReasoning,
    ReplyEvent,
    ServerAnswer,
    TextDelta,
)
from antiphon.errors import ApiError
from antiphon.stream.blocks import begun, called, served
from antiphon.wire.events import (
    CitationsDeltaBody,
    CompactionDeltaBody,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    DeltaBody,
    ErrorEvent,
    Event,
    InputJsonDeltaBody,
    MessageDelta,
    MessageDeltaBody,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDeltaBody,
    TextDeltaBody,
    ThinkingDeltaBody,
)
from antiphon.wire.reply import (
    CacheCreation,
    DeltaUsage,
    IterationUsage,
    Message,
    OutputTokensDetails,
    ReplyBlock,
    ReplyCompaction,
    ReplyRedactedThinking,
    ReplyText,
    ReplyThinking,
    ServerToolUsage,
    Usage,
)


class Phase(Enum):
    """Where a reply is."""

    __hash__ = object.__hash__  # there is one of each; by its name it would be hashed in Python

    READY = "nothing sent"
    BETWEEN = "no block open"
    TEXT = "in a text block"
    CITED = "in a text block that cites"
    REASONING = "in a thinking block"
    CALL = "in a tool_use, server_tool_use or mcp_tool_use block"
    OVER = "complete, or failed"


TRANSITIONS: Mapping[tuple[Phase, type], Phase] = MappingProxyType(
    {
        (Phase.READY, MessageStart): Phase.BETWEEN,
        **{(phase, TextDelta): Phase.TEXT for phase in (Phase.BETWEEN, Phase.TEXT)},
        **{(phase, CiteStart): Phase.CITED for phase in (Phase.BETWEEN, Phase.TEXT, Phase.CITED)},
        (Phase.CITED, TextDelta): Phase.CITED,
        (Phase.CITED, CiteEnd): Phase.BETWEEN,
        **{(phase, ReasoningDelta): Phase.REASONING for phase in (Phase.BETWEEN, Phase.TEXT, Phase.REASONING)},
        (Phase.REASONING, ReasoningEnd): Phase.BETWEEN,
        **{(phase, RedactedReasoning): Phase.BETWEEN for phase in (Phase.BETWEEN, Phase.TEXT)},
        **{(phase, CallStart): Phase.CALL for phase in (Phase.BETWEEN, Phase.TEXT)},
        (Phase.CALL, CallArguments): Phase.CALL,
        (Phase.CALL, CallEnd): Phase.BETWEEN,
        **{(phase, kind): Phase.BETWEEN for phase in (Phase.BETWEEN, Phase.TEXT) for kind in (ServerAnswer, Listed)},
        **{(phase, CodeCall): Phase.BETWEEN for phase in (Phase.BETWEEN, Phase.TEXT)},
        # A reply of nothing but such calls is all in its first event.
        (Phase.READY, CodeCall): Phase.OVER,
        (Phase.BETWEEN, Compacted): Phase.BETWEEN,
        **{(phase, FellBack): Phase.BETWEEN for phase in (Phase.BETWEEN, Phase.TEXT, Phase.CITED)},
        **{(phase, Finish): Phase.OVER for phase in (Phase.BETWEEN, Phase.TEXT, Phase.CITED)},
        **{
            (phase, ErrorEvent): Phase.OVER
            for phase in (Phase.BETWEEN, Phase.TEXT, Phase.CITED, Phase.REASONING, Phase.CALL)
        },
    }
)

# Looked up once: in Python 3.11 that takes as long as all the rest of a text's way through here.
_TEXT, _CITED = Phase.TEXT, Phase.CITED
_OPEN_PHASES = frozenset({Phase.TEXT, Phase.CITED, Phase.REASONING, Phase.CALL})


class EncoderError(Exception):
    """An input came in a phase that does not take it."""


class Encoder:
    """Turns one reply's happenings into its events. `opening` is the reply as `message_start` shows it.

    `estimates`: the client's beta gives thinking deltas the key for an estimate of tokens. `details`: the usage
    tells the tokens of thoughts also where nothing was thought. `whole`: the events are put together to one body.
    """

    def __init__(
        self,
        opening: Message,
        context_management: dict[str, Any] | UnsetType = UNSET,
        *,
        estimates: bool = False,
        details: bool = False,
        whole: bool = False,
    ) -> None:
        self._opening = opening
        self._whole = whole
        self._context_management = context_management
        self._estimates = estimates
        self._details = details
        self._phase = Phase.READY
        self._index = -1
        self._blank = ""
        self._silent = False

    @property
    def phase(self) -> Phase:
        """Where the reply is."""
        return self._phase

    def begin(self, charge: Charge | None = None, opening: Message | None = None) -> list[Event]:
        """Open the reply. `charge`: what reading the prompt comes to, where that is not the opening's own usage.
        `opening`: the reply as it opens, where that was not known before."""
        self._move(MessageStart)
        self._opening = opening or self._opening
        if charge is not None:
            usage = replace(self._opening.usage, **_charged(charge), cache_creation=_kept(charge))
            self._opening = replace(self._opening, usage=usage)
        return [MessageStart(message=self._opening)]

    def feed(self, event: ReplyEvent) -> list[Event]:
        """The events that one happening adds to the stream; often none."""
        match event:
            case TextDelta(text=text):
                return self._text(text)
            case Begun():
                # Said when the reply opens; what further work begins with is summed up at the end.
                return []
            case CiteStart() | CiteEnd():
                return self._cite(event)
            case ReasoningDelta():
                shown = self._thinking(event) if event.text or event.tokens is not None else None
                return self._delta(event, ReplyThinking(thinking="", signature=""), shown)
            case ReasoningEnd(signature=signature):
                index = self._index
                self._move(ReasoningEnd)
                # A thought of which nothing was shown is said to be empty before it is sealed.
                said: list[DeltaBody] = [self._thinking(ReasoningDelta(""))] if self._silent else []
                said.append(SignatureDeltaBody(signature=signature))
                return [
                    *(ContentBlockDelta(index=index, delta=delta) for delta in said),
                    ContentBlockStop(index=index),
                ]
            case RedactedReasoning(data=data):
                opened = self._open(event, ReplyRedactedThinking(data=data))
                return [*opened, ContentBlockStop(index=self._index)]
            case CallStart() | CallArguments() | CallEnd():
                return self._call(event)
            case ServerAnswer() | Listed() | CodeCall() | FellBack():
                block = called(event) if isinstance(event, CodeCall) else served(event)
                return [*self._open(event, block), ContentBlockStop(index=self._index)]
            case Compacted():
                return self._compacted(event)
            case Finish():
                return self._finish(event)

    def filled(self, calls: Sequence[CodeCall], finish: Finish) -> list[Event]:
        """All of a reply for which no model was asked: code calls again. As recorded, it opens with all it has."""
        self._move(CodeCall)
        opening = self._opening
        counted = UNSET if finish.tool_uses is None else ServerToolUsage(**finish.tool_uses)
        message = replace(
            opening,
            content=[called(call) for call in calls],
            stop_reason=finish.reason,
            container=None if finish.container is None else dict(finish.container),
            usage=Usage(
                input_tokens=0,
                output_tokens=0,
                server_tool_use=counted,
                service_tier=opening.usage.service_tier,
                inference_geo=opening.usage.inference_geo,
                fallback_credit=opening.usage.fallback_credit,
            ),
        )
        return [MessageStart(message=message), MessageStop()]

    def fail(self, error: ApiError, request_id: str) -> list[Event]:
        """End the stream with an error: the open block is closed first. Nothing may follow."""
        closing = self._close(self._phase)
        self._move(ErrorEvent)
        return [*closing, ErrorEvent(error=error.body(request_id)["error"], request_id=request_id)]

    def _text(self, text: str) -> list[Event]:
        phase = self._phase
        if phase is _TEXT or phase is _CITED:
            # The table's own answer, without the detour: nearly every event of a stream comes by here.
            return [ContentBlockDelta(index=self._index, delta=TextDeltaBody(text=text))]
        text = self._blank + text
        if not text.strip():
            self._check(TextDelta)
            self._blank = text
            return []
        return self._delta(TextDelta(text), ReplyText(text=""), TextDeltaBody(text=text))

    def _cite(self, event: CiteStart | CiteEnd) -> list[Event]:
        if isinstance(event, CiteEnd):
            self._move(CiteEnd)
            return [ContentBlockStop(index=self._index)]
        delta = CitationsDeltaBody(citation=event.citation)
        if self._phase is _CITED:
            return [ContentBlockDelta(index=self._index, delta=delta)]
        blank = self._blank
        opened = self._open(event, ReplyText(text="", citations=[]))
        opened.append(ContentBlockDelta(index=self._index, delta=delta))
        # The space between two texts that cite is part of what is said.
        said = ContentBlockDelta(index=self._index, delta=TextDeltaBody(text=blank))
        return [*opened, said] if blank else opened

    def _call(self, event: CallStart | CallArguments | CallEnd) -> list[Event]:
        if isinstance(event, CallStart):
            return self._delta(event, begun(event), InputJsonDeltaBody(partial_json=""))
        self._move(type(event))
        if isinstance(event, CallEnd):
            return [ContentBlockStop(index=self._index)]
        delta = InputJsonDeltaBody(partial_json=event.partial_json)
        return [ContentBlockDelta(index=self._index, delta=delta)]

    def _thinking(self, event: ReasoningDelta) -> ThinkingDeltaBody:
        return ThinkingDeltaBody(thinking=event.text, estimated_tokens=event.tokens if self._estimates else UNSET)

    def _delta(self, event: ReplyEvent, empty_block: ReplyBlock, delta: DeltaBody | None) -> list[Event]:
        goes_on = self._check(type(event)) is self._phase
        opened = [] if goes_on else self._open(event, empty_block)
        self._silent = delta is None and (self._silent or not goes_on)
        return opened if delta is None else [*opened, ContentBlockDelta(index=self._index, delta=delta)]

    def _open(self, event: ReplyEvent, block: ReplyBlock) -> list[Event]:
        closing = self._close(self._phase)
        self._move(type(event))
        self._blank = ""
        self._index += 1
        opened: list[Event] = [*closing, ContentBlockStart(index=self._index, content_block=block)]
        return opened if self._index else [*opened, Ping()]

    def _compacted(self, event: Compacted) -> list[Event]:
        changes = UNSET if event.tool_changes is None else event.tool_changes
        if event.signature is not None:
            # A summary that was asked for is complete in its first event.
            block = ReplyCompaction(content=event.content, signature=event.signature, tool_changes=changes)
            return [*self._open(event, block), ContentBlockStop(index=self._index)]
        return [
            *self._open(event, ReplyCompaction(content=None, tool_changes=changes)),
            ContentBlockDelta(index=self._index, delta=CompactionDeltaBody(content=event.content)),
            ContentBlockStop(index=self._index),
        ]

    def _finish(self, finish: Finish) -> list[Event]:
        closing = self._close(self._phase)
        self._move(Finish)
        charge = finish.charge
        if charge is None and finish.iterations:
            charge = sum((one.charge for one in finish.iterations if one.kind == "message"), Charge(0))
        charge = charge or self._opened()
        credit = self._opening.usage.fallback_credit
        usage = DeltaUsage(**_charged(charge), output_tokens=finish.output_tokens, fallback_credit=credit)
        if self._whole:
            usage = replace(usage, cache_creation=_kept(charge))
        if self._details or finish.thinking_tokens is not None:
            details = OutputTokensDetails(thinking_tokens=finish.thinking_tokens or 0)
            usage = replace(usage, output_tokens_details=details)
        if finish.tool_uses is not None:
            usage = replace(usage, server_tool_use=ServerToolUsage(**finish.tool_uses))
        if finish.iterations:
            usage = replace(usage, iterations=[_iteration(one) for one in finish.iterations])
        ending = MessageDeltaBody(
            stop_reason=finish.reason,
            stop_sequence=finish.stop_sequence,
            stop_details=finish.stop_details,
            container=None if finish.container is None else dict(finish.container),
        )
        edited = self._context_management if finish.context_management is None else dict(finish.context_management)
        return [
            *closing,
            MessageDelta(
                delta=ending,
                usage=usage,
                context_management=edited,
                input_transformations=list(changed)
                if (changed := finish.input_transformations) is not None
                else UNSET,
            ),
            MessageStop(),
        ]

    def _opened(self) -> Charge:
        usage = self._opening.usage
        kept = usage.cache_creation
        return Charge(
            usage.input_tokens,
            usage.cache_read_input_tokens,
            kept.ephemeral_5m_input_tokens,
            kept.ephemeral_1h_input_tokens,
        )

    def _close(self, phase: Phase) -> list[Event]:
        return [ContentBlockStop(index=self._index)] if phase in _OPEN_PHASES else []

    def _check(self, kind: type) -> Phase:
        try:
            return TRANSITIONS[self._phase, kind]
        except KeyError:
            raise EncoderError(f"{kind.__name__} cannot come when the reply is {self._phase.value}") from None

    def _move(self, kind: type) -> Phase:
        self._phase = self._check(kind)
        return self._phase


def _charged(charge: Charge) -> dict[str, Any]:
    """The counts that the beginning and the end of a stream have in common."""
    return {
        "input_tokens": charge.input,
        "cache_creation_input_tokens": charge.written,
        "cache_read_input_tokens": charge.read,
    }


def _kept(charge: Charge) -> CacheCreation:
    return CacheCreation(ephemeral_5m_input_tokens=charge.brief, ephemeral_1h_input_tokens=charge.lasting)


def _iteration(one: Iteration) -> IterationUsage:
    return IterationUsage(
        type=one.kind,
        model=UNSET if one.model is None else one.model,
        **_charged(one.charge),
        output_tokens=one.output_tokens,
        cache_creation=_kept(one.charge),
    )

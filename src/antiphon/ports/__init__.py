"""What the core asks of the outside: model engines, readers of media, time, dice. Protocols and values, no code.

An engine is fed a rendered prompt and streams raw model text back. It knows nothing of the protocol.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from antiphon.dialogue.media import STANDARD, Image, Tier
from antiphon.dialogue.prompt import Sampling


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of prompt text. In `markup` the model's special tokens are read as such; elsewhere a text
    that looks like one stays plain text, so that a user cannot write control tokens.

    `image`: the model sees this picture here; `text` is empty then."""

    text: str
    markup: bool = True
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt ready for an engine: its segments in order, and their tokens as the engine's tokenizer made them.

    A picture stands in `tokens` as so many negative numbers as it takes places in the model's window.
    """

    segments: tuple[Segment, ...]
    tokens: tuple[int, ...]

    @property
    def text(self) -> str:
        """The prompt as one string (for logs and scripted engines; `tokens` is what the model reads)."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What an engine knows of the model that it serves.

    `window`: tokens one conversation may hold, prompt and reply together. `chat_template`: the model's own
    Jinja template, None if it has none. `special_tokens`: the texts that the tokenizer reads as control tokens.
    `sampling`: the model's recommended settings where a request is silent. `sees`: the model takes pictures.
    """

    id: str
    name: str
    window: int
    chat_template: str | None = None
    bos_token: str = ""
    eos_token: str = ""
    special_tokens: frozenset[str] = frozenset()
    sampling: Sampling = field(default_factory=Sampling)
    origin: str = ""
    created: int = 0
    sees: bool = False


@dataclass(frozen=True, slots=True)
class Generation:
    """One piece of work for an engine. `max_tokens` ≥ 0; 0 reads the prompt into the KV cache and writes nothing.

    `grammar`: what the model may write, as an llguidance grammar in its Lark syntax, checked by the caller; the
    engine enforces it by decoding. `visible`: control tokens to show in the text instead of hiding them. `stops`:
    texts that end the work where the model writes one of them; the text itself is not part of any `Piece`. `plain`:
    the conversation has neither tools nor thoughts, so that what was made for those may stay out of the model.
    """

    prompt: RenderedPrompt
    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    grammar: str | None = None
    visible: frozenset[str] = frozenset()
    stops: tuple[str, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class PrefillProgress:
    """`done` of `total` prompt tokens are in the KV cache, `cached` of them from earlier work."""

    done: int
    total: int
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """More raw model text: whole code points, control tokens invisible; may be empty (a token without text).

    `output_tokens` is how many tokens the model has written so far, this piece included. `tokens`: the piece's own,
    so that a prompt can go on from them without being tokenized anew; only of work with `stops`, and empty where the
    piece ends inside of a token.
    """

    text: str
    output_tokens: int
    tokens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The engine is finished: the model ended its turn (`end`), `max_tokens` was reached (`length`), or the model
    wrote one of the work's `stops` (`stop`): `matched`, whose tokens count in `output_tokens`."""

    reason: Literal["end", "length", "stop"]
    output_tokens: int
    cached_tokens: int = 0
    matched: str | None = None


EngineOutput = PrefillProgress | Piece | Done


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """`ready` only when a model can answer now. `detail` says why not, in words for the owner."""

    ready: bool
    detail: str = ""


class Engine(Protocol):
    """A model behind a raw-text door.

    Every method raises `EngineFault` kinds only. `generate` yields any number of `PrefillProgress` and `Piece`
    and then exactly one `Done`; closing the iterator early (`aclose`) stops the work and frees the engine
    within a second, also during prefill. Several generations may run at once and share the engine's batch.
    """

    @property
    def card(self) -> ModelCard:
        """The model's card; complete once `start` has returned."""
        ...

    async def start(self) -> None:
        """Load the model and be ready to answer; raises `EngineFault` with a reason that an owner understands."""
        ...

    async def tokenize(self, segments: Sequence[Segment], *, begins: bool = True) -> tuple[int, ...]:
        """The tokens of the segments, in order, with the beginning-of-text token where the model wants one.

        `begins=False`: the segments go on from others, and nothing is put before them.
        """
        ...

    def generate(self, work: Generation) -> AsyncGenerator[EngineOutput, None]:
        """Run the model on the work."""
        ...

    async def health(self) -> EngineHealth:
        """Whether a model can answer now; never raises."""
        ...

    async def aclose(self) -> None:
        """Stop the engine and everything it started; may be called more than once."""
        ...


class FetchFault(Exception):  # noqa: N818
    """A file could not be had from its URL. `message` is the API's wording, for the client; `reason` is for the
    owner's log and names what the client must not learn, such as inner addresses."""

    message: ClassVar[str] = "Unable to download the file. Please verify the URL and try again."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotHttps(FetchFault):
    """The URL is of another scheme than https."""

    message = "Only HTTPS URLs are supported."


class NotAllowed(FetchFault):
    """The server does not go there: not a URL, not a public address, a port or a name that is not for it."""


class RobotsDisallow(FetchFault):
    """The host asks not to be read."""

    message = "This URL is disallowed by the website's robots.txt file."


class Unreachable(FetchFault):
    """Nothing whole came: no such host, no answer in time, a broken one, or a status other than success."""


class Throttled(Unreachable):
    """The host has had too many questions of late (status 429)."""


class TooLarge(FetchFault):
    """The file is larger than the caller takes."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file from another host. `url`: where it was in the end. `media_type`: as declared there, in lower case and
    without parameters, or empty; `charset` likewise. Nobody has looked into `data`."""

    url: str
    media_type: str
    charset: str
    data: bytes


class Fetcher(Protocol):
    """The way to files of other hosts."""

    async def fetch(self, url: str, *, max_bytes: int, accept: Sequence[str] = ("*/*",)) -> Fetched:
        """The file at the URL, at most `max_bytes` long (also unpacked), in bounded time.

        `accept`: the media types to ask for; what comes may be of another. Raises kinds of `FetchFault` only.
        """
        ...


@dataclass(frozen=True, slots=True)
class ImageLimit:
    """What a picture may be, and what becomes of it.

    `side`: pixels of either side at most. `weight`: bytes of its base64 at most. `tier`: how large the model sees it;
    a larger picture is scaled down to that, or refused where `downsize` is False.
    """

    side: int
    weight: int
    tier: Tier = STANDARD
    downsize: bool = True


@dataclass(frozen=True, slots=True)
class PdfLimit:
    """What a PDF may be: `pages` at most. `pictures`: each page is drawn too, as large as `tier` sees it."""

    pages: int
    pictures: bool = True
    tier: Tier = STANDARD


@dataclass(frozen=True, slots=True)
class PdfPage:
    """One page: its text in the order in which the file has it, empty where it has none, and its picture."""

    text: str
    image: Image | None = None


@dataclass(frozen=True, slots=True)
class Pdf:
    """A PDF's pages, one at least, and the title that it gives itself."""

    pages: tuple[PdfPage, ...]
    title: str | None = None


Medium = Literal["image", "pdf", "page"]

MediaKind = Literal[
    "empty",
    "unreadable",
    "timeout",
    "crashed",
    "wrong_type",
    "too_heavy",
    "too_large",
    "oversized",
    "broken",
    "locked",
    "too_many_pages",
]


class MediaProblem(Exception):  # noqa: N818 - reads as what happened
    """A file cannot be taken, and the client is to blame. `parts` are the facts of the kind:

    `empty`, `unreadable`, `timeout` (it takes too long to read), `crashed` (it broke the reader): none.
    Of images only: `wrong_type` (declared, actual); `too_heavy` (bytes of base64, most); `too_large` (width, height,
    longest side); `oversized` (width, height, and what it would be scaled down to: width, height).
    Of PDFs only: `broken`, `locked` (a password is needed): none; `too_many_pages` (pages, most).
    """

    def __init__(self, medium: Medium, kind: MediaKind, *parts: int | str) -> None:
        super().__init__(f"{medium}: {kind} {parts}" if parts else f"{medium}: {kind}")
        self.medium: Medium = medium
        self.kind: MediaKind = kind
        self.parts = parts


class MediaUnavailable(Exception):  # noqa: N818 - reads as what happened
    """No file can be read now, and the client is not to blame: too many wait (`busy`), or the reader is closed or
    cannot start. The text is for the owner's log."""

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class MediaReader(Protocol):
    """Reads files that nobody can trust. Both readings raise `MediaProblem` or `MediaUnavailable`, and nothing else;
    a reading that is cancelled leaves nothing running."""

    async def image(self, data: bytes, declared: str | None, limit: ImageLimit) -> Image:
        """The picture in a JPEG, PNG, GIF or WebP file, upright, on white, at the size that the model sees.

        Of an animation it is the first frame. `declared`: the media type that the file must have; None takes any.
        """
        ...

    async def pdf(self, data: bytes, limit: PdfLimit) -> Pdf:
        """The pages of a PDF."""
        ...

    async def aclose(self) -> None:
        """Stop everything that was started; may be called more than once."""
        ...


class Clock(Protocol):
    """Time as the service sees it."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class Entropy(Protocol):
    """Dice."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        ...

"""A model's tokenizer on this side of the wire, from the files that Hugging Face models come with.

An engine's own `/tokenize` reads the texts of control tokens in what a user wrote, and costs a round trip. Here they
are read in markup only, by one of two tokenizers made of the same file; the other keeps them plain.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self, cast

from tokenizers import Tokenizer

from antiphon.dialogue.conversation import Sampling
from antiphon.dialogue.media import Image
from antiphon.dialogue.rendered import Segment, join_runs, looks_like_markup
from antiphon.engines.remote.tokens.pieces import TokenBytes
from antiphon.errors import EngineFault, EngineRefused

_PROBE: Final = "a"


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """What lies beside a model: `tokenizer` is tokenizer.json's text; the others are read where they are there."""

    tokenizer: str
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    generation: Mapping[str, Any] = field(default_factory=dict[str, Any])
    model: Mapping[str, Any] = field(default_factory=dict[str, Any])
    template: str | None = None

    @classmethod
    def read(cls, place: Path) -> Self:
        """The files in a directory, or beside a tokenizer.json. Raises `EngineFault`."""
        directory = place if place.is_dir() else place.parent
        file = place / "tokenizer.json" if place.is_dir() else place
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise EngineFault(f"the tokenizer {file} cannot be read: {problem}") from problem
        jinja = directory / "chat_template.jinja"
        return cls(
            tokenizer=text,
            config=_object(directory / "tokenizer_config.json"),
            generation=_object(directory / "generation_config.json"),
            model=_object(directory / "config.json"),
            template=jinja.read_text("utf-8") if jinja.is_file() else None,
        )


class LocalTokenizer:
    """Segments → tokens, and a token → its bytes. Raises `EngineFault` for files that it cannot make sense of.

    `control`: the control tokens by their text. `special_tokens`: all texts that a user must not be able to write as
    one token; `marks`: these tokens. `ends`: the tokens that end a reply. `opening`: the tokens that the model wants
    before a prompt. `sampling`: what the model's makers recommend. `digest`, `template_digest`: tell tokenizers and
    templates apart.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        described = _described(files.tokenizer)
        self._markup, self._markup_on = _pair(described, plain=False)
        self._plain, self._plain_on = _pair(described, plain=True)
        self._bytes = TokenBytes(described.get("decoder"))
        added = cast("list[Mapping[str, Any]]", described.get("added_tokens") or [])
        self.control: Mapping[str, int] = {token["content"]: int(token["id"]) for token in added if token["special"]}
        self.bos_token, self.eos_token = (
            _text_of(files.config.get("bos_token")),
            _text_of(files.config.get("eos_token")),
        )
        like_markup = {token["content"] for token in added if looks_like_markup(token["content"])}
        ends = {text for text in (self.bos_token, self.eos_token) if text and self._id(text) is not None}
        self.special_tokens = frozenset(self.control) | like_markup | ends
        self.marks = frozenset(one for text in self.special_tokens if (one := self._id(text)) is not None)
        self.chat_template = files.template or _template(files.config.get("chat_template"))
        self.ends = self._find_ends(files)
        self.opening = self._find_opening(files.config.get("add_bos_token"))
        self.sampling = Sampling(
            _number(files.generation, "temperature"), _number(files.generation, "top_p"), _top_k(files.generation)
        )
        self.digest = _digest(files.tokenizer)
        self.template_digest = _digest(self.chat_template or "")
        self.piece = lru_cache(maxsize=None)(self._piece)

    @classmethod
    def load(cls, place: Path) -> Self:
        """The tokenizer of the files in a directory, or of a tokenizer.json and what lies beside it."""
        return cls(TokenizerFiles.read(place))

    def tokens(
        self,
        segments: Sequence[Segment],
        *,
        begins: bool = True,
        pictures: Mapping[Image, tuple[int, ...]] | None = None,
    ) -> tuple[int, ...]:
        """See `Engine.tokenize`. A template that writes the beginning-of-text token itself gets no second one.

        `pictures`: what stands for each picture.
        """
        runs = join_runs(segments)
        found: list[int] = []
        for run in runs:
            if run.image is not None:
                if pictures is None:
                    raise EngineRefused(
                        "the prompt has pictures, and the model is not asked to see any through this engine"
                    )
                found += pictures[run.image]
                continue
            goes_on = bool(found) or not begins
            if run.markup:
                tokenizer = self._markup_on if goes_on else self._markup
            else:
                tokenizer = self._plain_on if goes_on else self._plain
            found += _ids(tokenizer, run.text)
        return (*(self.opening if begins and not self._is_opened(runs) else ()), *found)

    def read(self, text: str) -> tuple[int, ...]:
        """The tokens of a text in which control tokens are read, with nothing before them."""
        return tuple(_ids(self._markup, text))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, control tokens in their own, half characters left out."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "ignore")

    def _piece(self, token: int) -> bytes:
        text: str | None = self._markup.id_to_token(token)
        # Engines pad vocabularies: a token without a text is written by a model that has gone astray.
        return b"" if text is None else self._bytes.of(text)

    def _id(self, text: str) -> int | None:
        return self._markup.token_to_id(text)

    def _find_ends(self, files: TokenizerFiles) -> tuple[int, ...]:
        told = files.generation.get("eos_token_id", files.model.get("eos_token_id"))
        listed: list[object] = cast("list[object]", told) if isinstance(told, list) else [told]
        found = [token for token in listed if isinstance(token, int) and self._markup.id_to_token(token) is not None]
        own = self._id(self.eos_token) if self.eos_token else None
        named = found if own is None else [own, *found]
        ends = tuple(dict.fromkeys(named))
        if not ends:
            raise EngineFault(
                "the tokenizer's files name no token that ends a reply: give a directory with tokenizer_config.json "
                "or generation_config.json beside tokenizer.json"
            )
        return ends

    def _find_opening(self, adds: object) -> tuple[int, ...]:
        """What stands before a text. The model's settings say it where they say anything, else the tokenizer does."""
        bos = self._id(self.bos_token) if self.bos_token else None
        if adds is False:
            return ()
        if adds is True and bos is not None:
            return (bos,)
        bare = _ids(self._markup, _PROBE)
        dressed = self._markup.encode(_PROBE).ids
        return tuple(dressed[: dressed.index(bare[0])]) if bare and bare[0] in dressed else ()

    def _is_opened(self, runs: Sequence[Segment]) -> bool:
        return bool(self.bos_token and runs and runs[0].markup and runs[0].text.startswith(self.bos_token))


def _described(text: str) -> dict[str, Any]:
    try:
        described: object = json.loads(text)
    except ValueError as problem:
        raise EngineFault(f"tokenizer.json is not valid JSON: {problem}") from problem
    if not isinstance(described, dict) or "model" not in described:
        raise EngineFault("tokenizer.json is not a file of the tokenizers library: it describes no model")
    return cast("dict[str, Any]", described)


def _pair(described: Mapping[str, Any], *, plain: bool) -> tuple[Tokenizer, Tokenizer]:
    """The tokenizer for a text's beginning, and the one for what goes on behind other tokens."""
    first = _made(described, plain=plain)
    going_on = _going_on(described)
    return first, first if going_on is described else _made(going_on, plain=plain)


def _made(described: Mapping[str, Any], *, plain: bool) -> Tokenizer:
    if plain:
        # A vocabulary may forget to call its markup special: then a user could write it.
        tokens = cast("list[dict[str, Any]]", described.get("added_tokens") or [])
        added: list[dict[str, Any]] = [
            {**token, "special": token["special"] or looks_like_markup(token["content"])} for token in tokens
        ]
        described = {**described, "added_tokens": added}
    try:
        made = Tokenizer.from_str(json.dumps(described))
    except Exception as problem:  # the library raises nothing more special
        raise EngineFault(f"tokenizer.json cannot be read by the tokenizers library: {problem}") from problem
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = plain
    return made


def _going_on(described: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tokenizer without the blank that some put before every text; itself where it puts none."""
    normalizer, splitter = described.get("normalizer"), described.get("pre_tokenizer")
    bare = {**described, "normalizer": _without_prefix(normalizer), "pre_tokenizer": _without_prefix(splitter)}
    return described if (bare["normalizer"], bare["pre_tokenizer"]) == (normalizer, splitter) else bare


def _without_prefix(step: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if step is None:
        return None
    match step.get("type"):
        case "Prepend":
            return None
        case "Metaspace":
            rest = {key: value for key, value in step.items() if key != "add_prefix_space"}
            return {**rest, "prepend_scheme": "never"}
        case "ByteLevel":
            return {**step, "add_prefix_space": False}
        case "Sequence":
            key = "normalizers" if "normalizers" in step else "pretokenizers"
            inner = [bare for each in step.get(key, []) if (bare := _without_prefix(each)) is not None]
            return {**step, key: inner}
        case _:
            return step


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    except (TypeError, UnicodeEncodeError) as problem:  # half of a character that takes two
        raise EngineRefused("the prompt cannot be sent to the engine: it has half a character in it") from problem


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _object(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    try:
        value: object = json.loads(file.read_text("utf-8"))
    except ValueError as problem:
        raise EngineFault(f"{file} is not valid JSON: {problem}") from problem
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _text_of(token: object) -> str:
    """A token's text, which files write plainly or with properties around it."""
    if isinstance(token, dict):
        token = cast("dict[str, object]", token).get("content")
    return token if isinstance(token, str) else ""


def _template(value: object) -> str | None:
    """The chat template; of several the one that is called default."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        named = {str(each["name"]): str(each["template"]) for each in cast("list[dict[str, object]]", value)}
        return named.get("default")
    return None


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _top_k(values: Mapping[str, Any]) -> int | None:
    value = values.get("top_k")
    return value if isinstance(value, int) and not isinstance(value, bool) else None

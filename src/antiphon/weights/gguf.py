"""The header of a GGUF file: what a model or an adapter says about itself, and where its tensors lie.

Own code, because the reader of the `gguf` package takes 5.0 s to open the default model: it builds an array view for
each of the vocabulary's 49,152 tokens and 48,900 merges. This reader walks the header once and decodes the few tokens
that are special: some 40 ms for the same file.

A file may be hostile or cut short. Every length is checked against the bytes that are there, at most `MAX_HEADER`
bytes are read, and each element of an array costs at least one of them, so the work is bounded too.

Source: the GGUF specification (ggml, docs/gguf.md), versions 2 and 3, little-endian.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from antiphon.dialogue.rendered import looks_like_markup
from antiphon.weights.errors import WeightsError

MAX_HEADER: Final = 128 * 1024 * 1024
_FIRST_READ: Final = 16 * 1024 * 1024
_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_MAX_DEPTH: Final = 4
_STRING: Final = 8
_ARRAY: Final = 9
_LETTERS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_SCALARS: Final = {kind: struct.Struct(f"<{letter}") for kind, letter in _LETTERS.items()}
_U32: Final = _SCALARS[4]
_U64: Final = _SCALARS[10]
_TOKENS: Final = "tokenizer.ggml.tokens"
_TOKEN_TYPE: Final = "tokenizer.ggml.token_type"
_CONTROL: Final = 3
_USER_DEFINED: Final = 4
_MAX_DIMENSIONS: Final = 4
_START: Final = len(_MAGIC) + 4 + 8 + 8
"""Where the values begin: behind the magic, the version, and the numbers of tensors and of values."""
_ALIGNMENT: Final = 32
_RECURRENT: Final = ("ssm.state_size", "ssm.conv_kernel", "wkv.head_size", "shortconv.l_cache")

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a model file says about itself.

    `context_length`: tokens that the model was trained on, 0 where the file is silent. `bos_token`, `eos_token`:
    their texts, empty where there is none. `add_bos`: whether prompts begin with `bos_token`, None where the file
    leaves it to the tokenizer. `control_tokens`, `user_defined_tokens`: the texts of the vocabulary's types 3 and 4.
    `split_count`: files that the model is split into. `size`: bytes of this file. `kv_bytes_per_token`: what a token
    of a conversation takes in a KV cache of 16-bit floats, None where the header does not say enough.
    `embedding_length`: numbers that stand for a token inside of the model, 0 where the file is silent. `projector`:
    the kind of projector that turns pictures into tokens of `projects_to` such numbers, empty where the file is none.
    `adapter`: the kind of adapter ("lora") that changes a model of this architecture, empty where the file is none;
    `adapter_scope`: what it says it is for, in a key of our own, empty where it says nothing; `adapter_alpha`: its
    strength, which is divided by its rank, 0 where it says none. `sliding_window`: the tokens that the attention of
    some layers reaches back, 0 where it is silent. `recurrent`: some layers keep a summary of what was read instead
    of the tokens.
    """

    architecture: str
    name: str
    context_length: int
    chat_template: str | None
    bos_token: str
    eos_token: str
    add_bos: bool | None
    control_tokens: frozenset[str]
    user_defined_tokens: frozenset[str]
    split_count: int
    size: int
    kv_bytes_per_token: int | None = None
    embedding_length: int = 0
    projector: str = ""
    projects_to: int = 0
    adapter: str = ""
    adapter_scope: str = ""
    adapter_alpha: float = 0.0
    sliding_window: int = 0
    recurrent: bool = False

    @property
    def special_tokens(self) -> frozenset[str]:
        """The texts that a user must not be able to write as control tokens.

        User-defined tokens count where they look like markup: llama.cpp makes control tokens of those that a
        conversion forgot to mark. The others (runs of blanks and line ends, in some vocabularies) are plain text.
        """
        like_markup = set(filter(looks_like_markup, self.user_defined_tokens))
        ends = {text for text in (self.bos_token, self.eos_token) if text}
        return self.control_tokens | like_markup | ends


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's place: its shape, inputs before outputs as GGUF has it, the number of its type, and where its bytes
    begin behind those of `Layout.data`."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out. `values`: the bytes of all that it says about itself, `count` things; `data`: where the
    tensors' bytes begin, each at a multiple of `alignment` from there."""

    version: int
    count: int
    values: bytes
    tensors: tuple[Tensor, ...]
    data: int
    alignment: int


def read_header(path: Path) -> GgufHeader:
    """The header of the file at `path`; raises `WeightsError` for one that is missing, cut short or not GGUF."""
    return _read(path, _parse)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in the file at `path`, inputs before outputs as GGUF has it; raises `WeightsError`."""
    return {tensor.name: tensor.shape for tensor in read_layout(path).tensors}


def read_layout(path: Path) -> Layout:
    """How the file at `path` is laid out; raises `WeightsError`."""
    return _read(path, _layout)


def _read(path: Path, parse: Callable[[bytes, int], _Read]) -> _Read:
    size = 0
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            data = file.read(_FIRST_READ)
            try:
                return parse(data, size)
            except _ShortError:
                data += file.read(MAX_HEADER - len(data))
            return parse(data, size)
    except _ShortError as problem:
        raise WeightsError(f"{path}: {_too_short(size)}") from problem
    except _MalformedError as problem:
        raise WeightsError(f"{path}: {problem}") from problem
    except OSError as problem:
        raise WeightsError(f"{path}: cannot be read: {problem.strerror or problem}.") from problem


def _too_short(size: int) -> str:
    if size > MAX_HEADER:
        return f"the header claims to be longer than {MAX_HEADER} bytes: the file is damaged. Get it again."
    return f"the file ends after {size} bytes, inside its own header: it is incomplete or damaged. Get it again."


class _ShortError(Exception):
    """The bytes at hand end before the header does."""


class _MalformedError(Exception):
    """The bytes are not a header that this reader knows."""


@dataclass(frozen=True, slots=True)
class _Array:
    """An array left where it lies: the type of its elements, their number, and the offset of the first."""

    kind: int
    count: int
    offset: int


_Value = int | float | bool | str | _Array


class _Reader:
    """Walks the header's bytes; raises `_ShortError` at their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, shape: struct.Struct) -> int | float | bool:
        """One number of the given shape."""
        (number,) = shape.unpack_from(self.data, self.skip(shape.size))
        return number

    def count(self, shape: struct.Struct = _U64) -> int:
        """A length, a count or a type."""
        return int(self.number(shape))

    def string(self) -> str:
        """A length and that many bytes of UTF-8."""
        length = self.count()
        start = self.skip(length)
        return self.data[start : start + length].decode("utf-8", "replace")

    def value(self, kind: int, depth: int = 0) -> _Value:
        """A value of any type; an array is walked over, not read."""
        shape = _SCALARS.get(kind)
        if shape is not None:
            return self.number(shape)
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY or depth > _MAX_DEPTH:
            raise _MalformedError(f"not a valid GGUF header: a value of type {kind} at byte {self.at}.")
        array = _Array(self.count(_U32), self.count(), self.at)
        shape = _SCALARS.get(array.kind)
        if shape is not None:
            self.skip(array.count * shape.size)
        elif array.kind == _STRING:
            self._skip_strings(array.count)
        else:
            for _ in range(array.count):
                self.value(array.kind, depth + 1)
        return array

    def skip(self, length: int) -> int:
        """Step over `length` bytes; where they begin."""
        start = self.at
        if length > len(self.data) - start:
            raise _ShortError
        self.at = start + length
        return start

    def _skip_strings(self, count: int) -> None:
        # The one hot loop: vocabularies and merges, hundreds of thousands of strings.
        data, at, unpack, end = self.data, self.at, _U64.unpack_from, len(self.data) - _U64.size
        for _ in range(count):
            if at > end:
                raise _ShortError
            at += _U64.size + unpack(data, at)[0]
        self.at = at
        self.skip(0)


def _values(reader: _Reader) -> tuple[int, dict[str, _Value]]:
    """The number of tensors, and what the header says by key; the reader stands before the tensors' shapes then."""
    _check_start(reader)
    tensors = reader.count()
    values: dict[str, _Value] = {}
    for _ in range(reader.count()):
        key = reader.string()
        values[key] = reader.value(reader.count(_U32))
    return tensors, values


def _layout(data: bytes, size: int) -> Layout:
    reader = _Reader(data)
    count, values = _values(reader)
    begin, end = _START, reader.at
    tensors: list[Tensor] = []
    for _ in range(count):
        name, dimensions = reader.string(), reader.count(_U32)
        if dimensions > _MAX_DIMENSIONS:
            raise _MalformedError(
                f"not a valid GGUF header: a tensor of {dimensions} dimensions at byte {reader.at}."
            )
        shape = tuple(reader.count() for _ in range(dimensions))
        tensors.append(Tensor(name, shape, reader.count(_U32), reader.count()))
    alignment = _integer(values, "general.alignment") or _ALIGNMENT
    version = _U32.unpack_from(data, len(_MAGIC))[0]
    place = reader.at + -reader.at % alignment
    said = _U64.unpack_from(data, _START - _U64.size)[0]
    return Layout(version, said, data[begin:end], tuple(tensors), place, alignment)


def _parse(data: bytes, size: int) -> GgufHeader:
    reader = _Reader(data)
    _, values = _values(reader)
    architecture = _text(values, "general.architecture")
    if not architecture:
        raise _MalformedError("the file does not name its architecture (general.architecture): not a model.")
    add_bos = values.get("tokenizer.ggml.add_bos_token")
    return GgufHeader(
        architecture=architecture,
        name=_text(values, "general.name"),
        context_length=_integer(values, f"{architecture}.context_length"),
        chat_template=_text(values, "tokenizer.chat_template") or None,
        bos_token=_token(reader, values, "tokenizer.ggml.bos_token_id"),
        eos_token=_token(reader, values, "tokenizer.ggml.eos_token_id"),
        add_bos=add_bos if isinstance(add_bos, bool) else None,
        control_tokens=_tokens_of_type(reader, values, _CONTROL),
        user_defined_tokens=_tokens_of_type(reader, values, _USER_DEFINED),
        split_count=max(1, _integer(values, "split.count")),
        size=size,
        kv_bytes_per_token=_kv_bytes(values, architecture),
        embedding_length=_integer(values, f"{architecture}.embedding_length"),
        projector=_projector(values),
        projects_to=_integer(values, "clip.vision.projection_dim"),
        adapter=_text(values, "adapter.type") if _text(values, "general.type") == "adapter" else "",
        adapter_scope=_text(values, "antiphon.adapter.scope"),
        adapter_alpha=_number(values, "adapter.lora.alpha"),
        recurrent=any(f"{architecture}.{key}" in values for key in _RECURRENT),
        sliding_window=_integer(values, f"{architecture}.attention.sliding_window"),
    )


def _projector(values: dict[str, _Value]) -> str:
    # A file for pictures and sounds names one kind for each; one for sounds alone is no projector here.
    if values.get("clip.has_vision_encoder") is not True:
        return ""
    return _text(values, "clip.vision.projector_type") or _text(values, "clip.projector_type")


def _kv_bytes(values: dict[str, _Value], architecture: str) -> int | None:
    """Keys and values of every layer, 2 bytes a number; models whose layers differ say no single number."""

    def of(name: str) -> int:
        return _integer(values, f"{architecture}.{name}")

    heads = of("attention.head_count")
    differ = isinstance(values.get(f"{architecture}.attention.head_count_kv"), _Array)
    if differ or not (heads and of("block_count") and of("embedding_length")):
        return None
    per_head = of("embedding_length") // heads
    width = (of("attention.key_length") or per_head) + (of("attention.value_length") or per_head)
    return of("block_count") * (of("attention.head_count_kv") or heads) * width * 2


def _check_start(reader: _Reader) -> None:
    start = reader.data[: len(_MAGIC)]
    if start != _MAGIC[: len(start)]:
        raise _MalformedError(f"not a GGUF file: it begins with {start!r}, not {_MAGIC!r}.")
    reader.skip(len(_MAGIC))
    version = reader.count(_U32)
    if version in _VERSIONS:
        return
    if version and version % 0x10000 == 0:
        raise _MalformedError("a big-endian GGUF file, which this machine cannot run. Get the little-endian one.")
    raise _MalformedError(f"GGUF version {version} is not supported (2 and 3 are). Convert the model again.")


def _text(values: dict[str, _Value], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _integer(values: dict[str, _Value], key: str) -> int:
    value = values.get(key)
    return value if isinstance(value, int) and value > 0 else 0


def _number(values: dict[str, _Value], key: str) -> float:
    value = values.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _vocabulary(reader: _Reader, values: dict[str, _Value]) -> _Array | None:
    tokens = values.get(_TOKENS)
    return tokens if isinstance(tokens, _Array) and tokens.kind == _STRING else None


def _token(reader: _Reader, values: dict[str, _Value], key: str) -> str:
    """The text of the token that `key` names; empty where there is none."""
    vocabulary, number = _vocabulary(reader, values), values.get(key)
    if vocabulary is None or not isinstance(number, int) or not 0 <= number < vocabulary.count:
        return ""
    return _texts_at(reader, vocabulary, {number})[number]


def _tokens_of_type(reader: _Reader, values: dict[str, _Value], wanted: int) -> frozenset[str]:
    vocabulary, types = _vocabulary(reader, values), values.get(_TOKEN_TYPE)
    if vocabulary is None or not isinstance(types, _Array) or types.kind not in _SCALARS:
        return frozenset()
    shape = _SCALARS[types.kind]
    lying = reader.data[types.offset : types.offset + types.count * shape.size]
    numbers = {at for at, (kind,) in enumerate(shape.iter_unpack(lying)) if kind == wanted and at < vocabulary.count}
    return frozenset(_texts_at(reader, vocabulary, numbers).values())


def _texts_at(reader: _Reader, array: _Array, numbers: set[int]) -> dict[int, str]:
    """The strings with the given numbers in an array of strings."""
    texts: dict[int, str] = {}
    if not numbers:
        return texts
    data, at, unpack = reader.data, array.offset, _U64.unpack_from
    for number in range(max(numbers) + 1):
        length: int = unpack(data, at)[0]
        at += _U64.size
        if number in numbers:
            texts[number] = data[at : at + length].decode("utf-8", "replace")
        at += length
    return texts

"""Sealing and opening what others carry for us: thoughts, compactions, texts of searches, places of citations,
conversations, credit.

A seal is a version byte, a nonce and AES-GCM over the whole: what was not made here does not open."""

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from antiphon.config.keys import KEY_BYTES

NONCE_BYTES: Final = 12

NAME_BYTES: Final = 16

MAX_PAYLOAD: Final = 64 * 1024 * 1024
"""Bytes that a payload may inflate to: more than any model thinks."""

_VERSION: Final = b"\x01"

_ID_BYTES: Final = 4

_TAG_BYTES: Final = 16

_HEAD_BYTES: Final = len(_VERSION) + _ID_BYTES

_LEAST_BYTES: Final = _HEAD_BYTES + NONCE_BYTES + _TAG_BYTES

_LEVEL: Final = 1  # a reply waits for it

_PAYLOAD: Final = msgspec.msgpack.Decoder(tuple[str, str, int, bytes, bytes])

_Domain = Literal[b"signature", b"redacted", b"compaction", b"found", b"index", b"thread", b"credit"]


@dataclass(frozen=True, slots=True)
class Thought:
    """A thought to be sealed. `text`: all of it. `model`: the binding name of the model that thought it, in `tokens`
    tokens. `shown`: what the client got as `thinking`. `prefix`: a digest of the conversation before it."""

    text: str
    model: str
    tokens: int
    shown: str
    prefix: bytes = b""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A thought that came back as it was sealed."""

    text: str
    model: str
    tokens: int
    shown_digest: bytes
    prefix: bytes

    def shows(self, text: str) -> bool:
        """Whether this is exactly what the client was shown."""
        return hmac.compare_digest(self.shown_digest, _digest(text))


class Seals:
    """Seals thoughts with the first of its keys, and opens what any of them sealed.

    Keys are `KEY_BYTES` long, `ValueError` otherwise and for no key at all. A nonce is `NONCE_BYTES` of chance and
    never used twice; a key is good for 2^32 of them.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"seals need one key or more, of {KEY_BYTES} bytes each")
        self._keys = [(_key_id(key), AESGCM(key)) for key in dict.fromkeys(keys)]
        self._names = hmac.digest(keys[0], b"antiphon names", "sha256")

    def name(self, of: bytes) -> bytes:
        """16 bytes that stand for a text, the same under the same first key; they tell of neither."""
        return hmac.digest(self._names, of, "sha256")[:NAME_BYTES]

    def seal(self, thought: Thought, nonce: bytes) -> str:
        """The `signature` of a thinking block; `ValueError` for a thought over `MAX_PAYLOAD`."""
        return self._close(thought, nonce, b"signature")

    def seal_redacted(self, thought: Thought, nonce: bytes) -> str:
        """The `data` of a redacted_thinking block; as `seal`."""
        return self._close(thought, nonce, b"redacted")

    def seal_summary(self, summary: Thought, nonce: bytes) -> str:
        """The `signature` of a compaction block; as `seal`. A summary is sealed as a thought: `shown` is its content,
        `text` what is kept beside it."""
        return self._close(summary, nonce, b"compaction")

    def open(self, signature: str) -> Sealed | None:
        """What the signature seals; None if it is not ours or was changed. Never raises."""
        return self._open(signature, b"signature")

    def open_redacted(self, data: str) -> Sealed | None:
        """What the data seals; None if it is not ours or was changed. Never raises."""
        return self._open(data, b"redacted")

    def open_summary(self, signature: str) -> Sealed | None:
        """What the signature of a summary seals; None if it is not ours or was changed. Never raises."""
        return self._open(signature, b"compaction")

    def seal_found(self, text: str, page: str, nonce: bytes) -> str:
        """The `encrypted_content` of a search result; as `seal`. `page`: what the client is shown beside it."""
        return self._close(Thought(text, "", 0, page), nonce, b"found")

    def seal_index(self, place: str, page: str, nonce: bytes) -> str:
        """The `encrypted_index` of a citation of such a page; as `seal_found`."""
        return self._close(Thought(place, "", 0, page), nonce, b"index")

    def open_found(self, sealed: str, page: str) -> str | None:
        """The text that was found; None if the seal is not ours, was changed or is another page's. Never raises."""
        return _beside(self._open(sealed, b"found"), page)

    def open_index(self, sealed: str, page: str) -> str | None:
        """The place that is cited; as `open_found`."""
        return _beside(self._open(sealed, b"index"), page)

    def seal_thread(self, conversation: str, place: str, nonce: bytes) -> str:
        """A conversation that is kept in a store of others; as `seal`. `place`: where it is kept."""
        return self._close(Thought(conversation, "", 0, place), nonce, b"thread")

    def open_thread(self, sealed: str, place: str) -> str | None:
        """The conversation; None if the seal is not ours, was changed or is of another place. Never raises."""
        return _beside(self._open(sealed, b"thread"), place)

    def seal_credit(self, credit: str, nonce: bytes) -> str:
        """What a refusal leaves its client; as `seal`."""
        return self._close(Thought(credit, "", 0, ""), nonce, b"credit")

    def open_credit(self, token: str) -> str | None:
        """What was left; None if the seal is not ours or was changed. Never raises."""
        return _beside(self._open(token, b"credit"), "")

    def _close(self, thought: Thought, nonce: bytes, domain: _Domain) -> str:
        if len(nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
        key_id, cipher = self._keys[0]
        payload = msgspec.msgpack.encode(
            (thought.text, thought.model, thought.tokens, _digest(thought.shown), thought.prefix)
        )
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"a thought of {len(payload)} bytes is more than the {MAX_PAYLOAD} that can be sealed")
        head = _VERSION + key_id
        closed = cipher.encrypt(nonce, zlib.compress(payload, _LEVEL), head + domain)
        return base64.b64encode(head + nonce + closed).decode("ascii")

    def _open(self, text: str, domain: _Domain) -> Sealed | None:
        raw = _canonical(text)
        if len(raw) < _LEAST_BYTES or not raw.startswith(_VERSION):
            return None
        head, nonce, closed = raw[:_HEAD_BYTES], raw[_HEAD_BYTES:][:NONCE_BYTES], raw[_HEAD_BYTES + NONCE_BYTES :]
        for key_id, cipher in self._keys:
            if head == _VERSION + key_id:
                try:
                    return _unpacked(cipher.decrypt(nonce, closed, head + domain))
                except InvalidTag:
                    continue  # two keys may share an id
        return None


def _beside(sealed: Sealed | None, page: str) -> str | None:
    return sealed.text if sealed is not None and sealed.shows(page) else None


def _unpacked(deflated: bytes) -> Sealed | None:
    """The payload read; None for one that another release, or the owner of the key, made otherwise."""
    inflater = zlib.decompressobj()
    try:
        payload = inflater.decompress(deflated, MAX_PAYLOAD + 1)  # one more, so that the end of a full one is seen
        if not inflater.eof or inflater.unused_data:
            return None
        return Sealed(*_PAYLOAD.decode(payload))
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _canonical(text: str) -> bytes:
    """The bytes that a text spells in the one way that base64 has for them; none for any other text."""
    if len(text) > 2 * MAX_PAYLOAD:
        return b""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw) == text.encode("ascii") else b""


def _key_id(key: bytes) -> bytes:
    return hmac.digest(key, b"antiphon key id", "sha256")[:_ID_BYTES]


def _digest(shown: str) -> bytes:
    # What comes back may hold what no text of ours does: a lone surrogate only makes it another text.
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()

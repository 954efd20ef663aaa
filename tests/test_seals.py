"""The seal on a thought: it gives back what was sealed, and opens for nothing else."""

import base64
import string
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from antiphon import seals
from antiphon.seals import KEY_BYTES, NONCE_BYTES, Sealed, Seals, Thought

KEY, OTHER = bytes(range(32)), bytes(range(100, 132))

NONCE = b"a dozen byte"

THOUGHT = Thought("Seven times six is 42.\n", "writer", 9, "Multiplying.", b"before")

SEALS = Seals([KEY])

SIGNATURE = SEALS.seal(THOUGHT, NONCE)

# Where the parts of a seal begin: version, key id, nonce, ciphertext, tag.
NONCE_AT = 1 + 4

CIPHERTEXT_AT = NONCE_AT + NONCE_BYTES

BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"

texts = st.text(st.characters(exclude_categories=["Cs"]))

nonces = st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES)

keys = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)

thoughts = st.builds(Thought, texts, texts, st.integers(0, 1 << 24), texts, st.binary(max_size=64))


def matches(opened: Sealed | None, thought: Thought) -> bool:
    return opened is not None and (
        (opened.text, opened.model, opened.tokens, opened.prefix)
        == (thought.text, thought.model, thought.tokens, thought.prefix)
        and opened.shows(thought.shown)
    )


def spelled(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def sealed_by_hand(plain: bytes) -> str:
    """A seal with our key over bytes that `seal` would not write."""
    head = base64.b64decode(SIGNATURE)[:NONCE_AT]
    return spelled(head + NONCE + AESGCM(KEY).encrypt(NONCE, plain, head + b"signature"))


@pytest.mark.promise("thinking.seal-holds-all")
@given(thoughts, keys, nonces)
def test_what_was_sealed_comes_back_whole(thought: Thought, key: bytes, nonce: bytes):
    seals = Seals([key])
    assert matches(seals.open(seals.seal(thought, nonce)), thought)
    assert matches(seals.open_redacted(seals.seal_redacted(thought, nonce)), thought)


@given(thoughts, texts)
def test_another_text_is_not_what_was_shown(thought: Thought, other: str):
    opened = SEALS.open(SEALS.seal(thought, NONCE))
    assert opened is not None
    assert opened.shows(other) == (other == thought.shown)
    assert not opened.shows(thought.shown + " ")
    assert not opened.shows("\ud800")


def test_the_form_of_a_seal_is_the_documented_one():
    raw = base64.b64decode(SIGNATURE, validate=True)
    assert (raw[:1], raw[NONCE_AT:CIPHERTEXT_AT]) == (b"\x01", NONCE)
    plain = AESGCM(KEY).decrypt(NONCE, raw[CIPHERTEXT_AT:], raw[:NONCE_AT] + b"signature")
    text, model, tokens, digest, prefix = msgspec.msgpack.decode(zlib.decompress(plain))
    assert (text, model, tokens, len(digest), prefix) == (
        THOUGHT.text, THOUGHT.model, THOUGHT.tokens, 32, THOUGHT.prefix,
    )  # fmt: skip


@pytest.mark.promise("thinking.seal-hides")
def test_a_seal_is_standard_base64_and_shows_nothing_of_the_thought():
    long = SEALS.seal(replace(THOUGHT, text="secret words " * 500), NONCE)
    assert set(long) <= {*BASE64, "="}
    assert b"secret" not in base64.b64decode(long)
    assert len(long) < 1000, "it is deflated"


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
def test_no_byte_of_a_seal_can_be_any_other_byte():
    raw = base64.b64decode(SIGNATURE)
    for at in range(len(raw)):
        for change in range(1, 256):
            changed = bytearray(raw)
            changed[at] ^= change
            assert SEALS.open(spelled(bytes(changed))) is None, (at, change)


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
@pytest.mark.parametrize("text", ["", "a", "ab"], ids=["no padding", "one", "two"])
def test_no_letter_of_a_signature_can_be_any_other_letter(text: str):
    signature = SEALS.seal(Thought(text, "m", 1, "s"), NONCE)
    for at in range(len(signature)):
        for letter in {*BASE64, *"=-_ \n\x00é"} - {signature[at]}:
            assert SEALS.open(signature[:at] + letter + signature[at + 1 :]) is None, (at, letter)


def test_the_three_lengths_of_padding_are_among_those_signatures():
    lengths = {SEALS.seal(Thought(text, "m", 1, "s"), NONCE).count("=") for text in ("", "a", "ab")}
    assert lengths == {0, 1, 2}


def misspellings(signature: str) -> Iterator[tuple[str, str]]:
    """The same bytes, spelled otherwise."""
    yield "white space before", " " + signature
    yield "white space behind", signature + "\n"
    yield "white space within", signature[:40] + "\r\n" + signature[40:]
    yield "no padding", signature.rstrip("=")
    yield "more padding", signature + "="
    yield "padding twice", signature + "===="
    yield "the URL's alphabet", signature.translate(str.maketrans("+/", "-_"))
    yield "wide letters", "".join(chr(ord(letter) + 0xFEE0) for letter in signature)
    last = BASE64.index(signature.rstrip("=")[-1])
    yield "bits that no byte has", signature.rstrip("=")[:-1] + BASE64[last ^ 1] + "=" * signature.count("=")


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
@pytest.mark.parametrize("name", [name for name, _ in misspellings(SIGNATURE)])
def test_the_same_bytes_in_another_spelling_do_not_open(name: str):
    # One with padding and with both letters that the URL's alphabet spells otherwise.
    signature = next(
        made
        for count in range(1000)
        if {*"+/="} <= set(made := SEALS.seal(replace(THOUGHT, tokens=count), NONCE)) and SEALS.open(made)
    )
    changed = dict(misspellings(signature))[name]
    assert changed != signature
    assert SEALS.open(changed) is None


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
def test_a_signature_cut_or_grown_at_any_place_does_not_open():
    raw = base64.b64decode(SIGNATURE)
    for length in range(len(SIGNATURE)):
        assert SEALS.open(SIGNATURE[:length]) is None
        assert SEALS.open(SIGNATURE[length + 1 :]) is None
    for length in range(len(raw)):
        assert SEALS.open(spelled(raw[:length])) is None
        assert SEALS.open(spelled(raw[:length] + b"\x00" + raw[length:])) is None
    assert SEALS.open(spelled(raw + b"\x00")) is None
    assert SEALS.open(SIGNATURE + SIGNATURE) is None


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
def test_parts_of_two_seals_do_not_make_a_third():
    first = base64.b64decode(SIGNATURE)
    second = base64.b64decode(SEALS.seal(replace(THOUGHT, text=THOUGHT.text[::-1]), NONCE[::-1]))
    for at in range(1, len(first)):
        mixed = first[:at] + second[at:]
        assert mixed in (first, second) or SEALS.open(spelled(mixed)) is None, at
    middle = len(first) // 2
    assert SEALS.open(spelled(first[middle:] + first[:middle])) is None


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
@pytest.mark.parametrize(
    ("close", "open_"),
    [
        pytest.param(SEALS.seal, SEALS.open_redacted, id="a signature is not a data"),
        pytest.param(SEALS.seal_redacted, SEALS.open, id="a data is not a signature"),
    ],
)
def test_a_seal_of_one_kind_is_not_one_of_the_other(
    close: Callable[[Thought, bytes], str], open_: Callable[[str], Sealed | None]
):
    assert open_(close(THOUGHT, NONCE)) is None


def test_a_credit_opens_as_nothing_else_and_nothing_else_as_one():
    token = SEALS.seal_credit("what is left", NONCE)
    assert SEALS.open_credit(token) == "what is left"
    assert SEALS.open(token) is None
    assert SEALS.open_credit(SIGNATURE) is None
    assert Seals([OTHER]).open_credit(token) is None


@given(
    st.one_of(
        st.text(st.characters()),
        st.just("\ud800" * 60),
        st.binary().map(spelled),
        st.text(BASE64 + "="),
        st.text(BASE64).map("AQ".__add__),
    )
)
def test_garbage_opens_nothing_and_raises_nothing(garbage: str):
    assert SEALS.open(garbage) is None
    assert SEALS.open_redacted(garbage) is None


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"not deflated", id="not deflated"),
        pytest.param(zlib.compress(b"\xc1"), id="not MessagePack"),
        pytest.param(zlib.compress(msgspec.msgpack.encode(["text", "model"])), id="too few fields"),
        pytest.param(zlib.compress(msgspec.msgpack.encode([1, "m", 1, b"", b""])), id="fields of other kinds"),
        pytest.param(zlib.compress(b"\x95\xa1\xff\xa0\x01\xc4\x00\xc4\x00"), id="text that is not UTF-8"),
        pytest.param(zlib.compress(msgspec.msgpack.encode(["t", "m", 1, b"", b""]))[:-1], id="cut short"),
        pytest.param(zlib.compress(msgspec.msgpack.encode(["t", "m", 1, b"", b""])) + b"x", id="more behind"),
    ],
)
def test_a_payload_of_some_other_make_opens_as_nothing(plain: bytes):
    assert SEALS.open(sealed_by_hand(plain)) is None


def test_the_hand_that_makes_such_payloads_makes_good_ones_too():
    good = zlib.compress(msgspec.msgpack.encode(["t", "m", 1, b"", b""]))
    assert SEALS.open(sealed_by_hand(good)) == Sealed("t", "m", 1, b"", b"")


def test_a_payload_that_inflates_beyond_the_bound_opens_as_nothing(monkeypatch: pytest.MonkeyPatch):
    full = replace(THOUGHT, text="0" * 100_000)
    larger = msgspec.msgpack.encode([full.text + "00", "writer", 9, bytes(32), b"before"])
    room = len(larger) - 2
    monkeypatch.setattr(seals, "MAX_PAYLOAD", room)
    assert matches(SEALS.open(SEALS.seal(full, NONCE)), full)
    with pytest.raises(ValueError, match=f"more than the {room} that can be sealed"):
        SEALS.seal(replace(full, text=full.text + "0"), NONCE)
    assert SEALS.open(sealed_by_hand(zlib.compress(larger))) is None


def test_a_signature_longer_than_any_seal_is_not_even_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seals, "MAX_PAYLOAD", len(SIGNATURE) // 2 - 1)
    assert SEALS.open(SIGNATURE) is None


@pytest.mark.promise("thinking.seal-keys-rotate")
def test_the_first_key_seals_and_every_key_opens():
    rotated = Seals([OTHER, KEY])
    assert matches(rotated.open(SIGNATURE), THOUGHT)
    fresh = rotated.seal(THOUGHT, NONCE)
    assert matches(Seals([OTHER]).open(fresh), THOUGHT)
    assert SEALS.open(fresh) is None


@pytest.mark.promise("thinking.seal-opens-unchanged-only")
def test_another_key_opens_nothing_even_under_the_same_id(monkeypatch: pytest.MonkeyPatch):
    assert Seals([OTHER]).open(SIGNATURE) is None

    def same_id(key: bytes) -> bytes:
        return b"same"

    monkeypatch.setattr(seals, "_key_id", same_id)
    signature = Seals([KEY]).seal(THOUGHT, NONCE)
    assert Seals([OTHER]).open(signature) is None
    assert matches(Seals([OTHER, KEY]).open(signature), THOUGHT), "the second key is tried too"


def test_a_seal_does_not_say_its_key():
    raw = base64.b64decode(SIGNATURE)
    assert raw[1:NONCE_AT] != base64.b64decode(Seals([OTHER]).seal(THOUGHT, NONCE))[1:NONCE_AT]
    assert raw[1:NONCE_AT] not in KEY
    assert KEY.hex() not in repr(vars(SEALS))


@pytest.mark.parametrize("wrong", [[], [b""], [KEY[:-1]], [KEY + b"x"], [KEY, KEY[:16]]], ids=repr)
def test_keys_of_another_length_are_refused_without_being_named(wrong: list[bytes]):
    with pytest.raises(ValueError, match="32 bytes each") as caught:
        Seals(wrong)
    assert repr(KEY[:16]) not in str(caught.value)


@pytest.mark.parametrize("nonce", [b"", NONCE[:-1], NONCE + b"x"])
def test_a_nonce_of_another_length_is_refused(nonce: bytes):
    with pytest.raises(ValueError, match="a nonce has 12 bytes"):
        SEALS.seal(THOUGHT, nonce)

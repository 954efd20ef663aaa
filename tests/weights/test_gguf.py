"""What a model file says about itself is read quickly, and a bad file says what is bad about it."""

import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.weights import WeightsError, read_header, resolve
from antiphon.weights.gguf import MAX_HEADER
from tests.weights.gguf_files import ARRAY, MODEL, STRING, UINT64, Raw, Value, gguf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def test_a_header_says_what_the_file_says(file: Path):
    file.write_bytes(gguf(MODEL))
    header = read_header(file)
    assert (header.architecture, header.name, header.context_length) == ("llama", "Tiny", 2048)
    assert (header.bos_token, header.eos_token, header.add_bos) == ("<s>", "</s>", True)
    assert header.chat_template == "{{ messages }}"
    assert header.control_tokens == {"<s>", "</s>"}
    assert header.user_defined_tokens == {"<think>", "\n\n"}
    assert header.split_count == 1
    assert header.size == file.stat().st_size


def test_tokens_that_are_only_blanks_are_not_special(file: Path):
    file.write_bytes(gguf(MODEL))
    assert read_header(file).special_tokens == {"<s>", "</s>", "<think>"}


def test_the_order_of_the_keys_does_not_matter(file: Path):
    file.write_bytes(gguf(dict(reversed(list(MODEL.items())))))
    assert read_header(file).control_tokens == {"<s>", "</s>"}


def test_a_header_that_says_little_is_enough(file: Path):
    file.write_bytes(gguf({"general.architecture": "llama"}, version=2))
    header = read_header(file)
    assert (header.name, header.context_length, header.chat_template) == ("", 0, None)
    assert (header.bos_token, header.eos_token, header.add_bos) == ("", "", None)
    assert header.special_tokens == frozenset()
    assert header.kv_bytes_per_token is None


@pytest.mark.parametrize(
    ("extra", "bytes_per_token"),
    [
        pytest.param({}, 2 * 4 * (8 + 8) * 2, id="heads share nothing"),
        pytest.param({"llama.attention.head_count_kv": 2}, 2 * 2 * (8 + 8) * 2, id="heads share keys and values"),
        pytest.param(
            {"llama.attention.key_length": 16, "llama.attention.value_length": 4},
            2 * 4 * (16 + 4) * 2,
            id="own widths",
        ),
        pytest.param({"llama.attention.head_count_kv": [2, 4]}, None, id="layers differ"),
        pytest.param({"llama.attention.head_count": 0}, None, id="no heads"),
    ],
)
def test_the_memory_of_a_conversation_is_known_before_loading(
    file: Path, extra: dict[str, Value], bytes_per_token: int | None
):
    shape = {"llama.block_count": 2, "llama.embedding_length": 32, "llama.attention.head_count": 4}
    file.write_bytes(gguf(dict(MODEL) | shape | extra))
    assert read_header(file).kv_bytes_per_token == bytes_per_token


def test_a_vocabulary_beyond_the_first_read_is_found(file: Path):
    padding = "x" * (17 * 1024 * 1024)
    file.write_bytes(gguf({"padding": padding, **MODEL}))
    assert read_header(file).control_tokens == {"<s>", "</s>"}


@pytest.mark.promise("weights.header-fast")
def test_the_default_models_header_is_read_in_a_fraction_of_a_second():
    path = resolve("builtin").path
    taken: list[float] = []
    for _ in range(5):
        start = time.process_time()
        assert read_header(path).context_length == 8192
        taken.append(time.process_time() - start)
    # 0.04 on a machine of its own; the gguf package's reader takes 5.
    assert min(taken) < 0.5


CASES = [
    pytest.param(b"", "ends after 0 bytes", id="empty"),
    pytest.param(b"GG", "ends after 2 bytes", id="shorter than the magic"),
    pytest.param(b"PK\x03\x04 a zip", "begins with b'PK", id="another format"),
    pytest.param(gguf(MODEL, version=1), "GGUF version 1 is not supported", id="old version"),
    pytest.param(gguf(MODEL, version=99), "GGUF version 99 is not supported", id="future version"),
    pytest.param(gguf(MODEL, version=3 << 24), "big-endian", id="big-endian"),
    pytest.param(gguf(MODEL, count=2**63), "ends after", id="absurd number of keys"),
    pytest.param(gguf({"general.name": "no model"}), "does not name its architecture", id="no architecture"),
    pytest.param(gguf({"k": Raw(STRING, struct.pack("<Q", 2**62))}), "ends after", id="absurd string"),
    pytest.param(gguf({"k": Raw(ARRAY, struct.pack("<IQ", STRING, 2**62))}), "ends after", id="absurd string array"),
    pytest.param(gguf({"k": Raw(ARRAY, struct.pack("<IQ", UINT64, 2**62))}), "ends after", id="absurd number array"),
    pytest.param(gguf({"k": Raw(99, b"")}), "a value of type 99", id="unknown type"),
    pytest.param(
        gguf({"k": Raw(ARRAY, struct.pack("<IQ", ARRAY, 1) * 40 + struct.pack("<IQ", UINT64, 0))}),
        "a value of type 9",
        id="arrays without end",
    ),
]


@pytest.mark.promise("weights.bad-file")
@pytest.mark.parametrize(("data", "words"), CASES)
def test_a_bad_file_is_named_with_what_is_wrong(file: Path, data: bytes, words: str):
    file.write_bytes(data)
    with pytest.raises(WeightsError) as raised:
        read_header(file)
    assert str(file) in str(raised.value)
    assert words in str(raised.value)


@pytest.mark.promise("weights.bad-file")
def test_a_file_cut_anywhere_in_its_header_says_so(file: Path):
    whole = gguf(MODEL)
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(WeightsError, match="incomplete or damaged"):
            read_header(file)


def test_a_header_that_claims_too_much_of_a_large_file_is_not_believed(file: Path):
    with file.open("wb") as sparse:
        sparse.write(gguf({"k": Raw(STRING, struct.pack("<Q", 2**40))}))
        sparse.truncate(MAX_HEADER + 1)
    with pytest.raises(WeightsError, match="claims to be longer"):
        read_header(file)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path):
    with pytest.raises(WeightsError, match="No such file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(WeightsError, match="Is a directory"):
        read_header(tmp_path)


@given(data=st.binary(max_size=400), honest=st.integers(0, 300))
def test_whatever_the_bytes_the_error_is_ours(tmp_path_factory: pytest.TempPathFactory, data: bytes, honest: int):
    file = tmp_path_factory.getbasetemp() / "hostile.gguf"
    file.write_bytes(gguf(MODEL)[:honest] + data)
    try:
        header = read_header(file)
    except WeightsError:
        return
    assert header.architecture

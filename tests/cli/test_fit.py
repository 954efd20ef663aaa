"""Whether a model fits is said in numbers, before anything is fetched."""

import pytest

from antiphon.cli.fit import before_download, need, verdict
from antiphon.cli.machine import Memory
from antiphon.config import parse_settings
from antiphon.config.short import SHORT_NAMES

KNOWN = SHORT_NAMES["qwen3-8b"]
FILE = KNOWN.source.rpartition(":")[2]
GB = 1_000_000_000


def test_a_model_needs_its_weights_and_the_cache_of_full_conversations():
    assert need(KNOWN, 1000, 2) == 5_030_000_000 + 2000 * 147_456 + 100_000_000
    assert need(KNOWN) == need(KNOWN, 8192, 4)


@pytest.mark.parametrize(
    ("memory", "word"),
    [(Memory(9, 9), "yes"), (Memory(9, 5), "tight"), (Memory(5, 5), "no"), (None, "unknown")],
)
def test_a_word_says_whether_it_fits(memory: Memory | None, word: str):
    assert verdict(8, memory) == word


@pytest.mark.promise("models.fits")
@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (Memory(32 * GB, 20 * GB), "and 20.00 GB are free: it fits."),
        (Memory(32 * GB, 6 * GB), "and 6.00 GB are free of 32.00 GB: it fits if other programs make room."),
        (Memory(6 * GB, 4 * GB), "and 4.00 GB are free of 6.00 GB: it does not fit, unless a GPU takes most of it."),
        (None, "and this system does not say how much it has."),
    ],
)
def test_the_line_counts_the_settings_conversations(memory: Memory | None, said: str):
    settings = parse_settings({"model": "qwen3-8b", "context": "4096", "parallel": "2"}, {}, {})
    line = before_download(settings, FILE, 123, memory)
    assert line.startswith(
        f"{FILE}: 5.03 GB to fetch; with 2 conversations of 4096 tokens it needs about 6.34 GB, {said}"
    )


def test_of_a_model_without_a_short_name_only_the_file_is_known():
    settings = parse_settings({"model": "hf:org/x:y.gguf"}, {}, {})
    line = before_download(settings, "y.gguf", 2 * GB, Memory(9 * GB, 8 * GB))
    assert line == "y.gguf: 2.00 GB to fetch; it needs more memory than 2.10 GB, and 8.00 GB are free: it fits."

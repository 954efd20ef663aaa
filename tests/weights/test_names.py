"""Which name of a model people are shown."""

import pytest

from antiphon.weights.names import better_name


@pytest.mark.promise("models.shown-by-their-names")
@pytest.mark.parametrize(
    ("said", "place", "shown"),
    [
        ("Smollm2 135M 8k Lc100K Mix1 Ep2", "SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2 135M Instruct"),
        ("Checkpoint 5000", "writer-8b-q4_k_m.gguf", "writer 8b"),
        ("A1B2C3D4E5F60718293A4B5C6D7E8F9012345678", "Llama-3.1-8B-GGUF", "Llama 3.1 8B"),
        ("", "big-IQ4_XS-00001-of-00002.gguf", "big"),
        ("models", "Qwen3_8B.BF16.gguf", "Qwen3 8B"),
        ("/mnt/run/out", "Phi-4-UD-Q4_K_XL.gguf", "Phi 4"),
    ],
)
def test_a_model_that_calls_itself_by_its_training_is_shown_as_its_file_or_repository(
    said: str, place: str, shown: str
):
    assert better_name(said, place) == shown


@pytest.mark.promise("models.shown-by-their-names")
@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("Qwen2.5 7B Instruct", "x.gguf"),
        ("Meta Llama 3.1 8B Instruct", "x.gguf"),
        ("Mixtral 8x7B v0.1", "x.gguf"),
        ("DeepSeek R1 Distill Llama 8B", "x.gguf"),
        ("Step 3", "x.gguf"),
        ("gpt-oss-20b", "x.gguf"),
        ("Facade Decade 2", "x.gguf"),
        ("Ep2", "sha256-a1b2c3d4e5f60718293a4b5c6d7e8f90.gguf"),
        ("", "model.gguf"),
    ],
)
def test_a_name_that_says_something_stays_and_a_place_that_says_nothing_is_no_name(said: str, place: str):
    assert better_name(said, place) == ""

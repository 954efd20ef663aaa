"""What a batch does not offer. In which words it is refused: see the tests of the web."""

import pytest

from antiphon.request.batches.refused import refused


@pytest.mark.promise("batches.refused")
@pytest.mark.parametrize("key", ["speed", "thread", "fallbacks"])
def test_keys_that_say_nothing_are_not_refused(key: str) -> None:
    assert refused({key: None}) is None
    assert refused({key: "x"}) is not None


@pytest.mark.parametrize("most", [1, False, None, "0", 0.0])
def test_only_a_whole_zero_asks_for_nothing(most: object) -> None:
    assert refused({"max_tokens": most}) is None


@pytest.mark.parametrize("policy", [None, 1, {}, {"bill_to": "self"}])
def test_who_pays_for_itself_is_let_through(policy: object) -> None:
    assert refused({"billing_policy": policy}) is None


def test_a_stream_that_is_not_wanted_is_let_through() -> None:
    assert refused({"stream": False}) is None

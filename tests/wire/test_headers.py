"""The protocol version and the beta features of a request, from its headers."""

from typing import Literal, get_args, get_origin

import pytest
from anthropic.types import AnthropicBetaParam

from antiphon.errors import InvalidRequest
from antiphon.wire.gates import (
    BILLING_POLICY,
    BLOCK_BINDING,
    CACHE_SCOPE,
    CLEAR_AT,
    FALLBACK_CREDIT,
    FALLBACK_DEFAULT,
    FINE_GRAINED_STREAMING,
    LOCKED_TAGS,
    MCP_SERVER_TOOLS,
    OUTPUT_FORMAT,
    TASK_BUDGET,
    THINKING_UPDATES,
    THREADS,
    TURN_OUTPUT_CONFIG,
)
from antiphon.wire.headers import KNOWN_BETAS, parse_betas, parse_version


@pytest.mark.promise("intake.version-header")
@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_both_versions_of_the_protocol_are_spoken(version: str):
    assert parse_version(version) == version


@pytest.mark.promise("intake.version-header")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(None, "anthropic-version: header is required", id="A missing"),
        pytest.param("2025-04-14", 'anthropic-version: "2025-04-14" is not a valid version', id="A unknown"),
        pytest.param("", 'anthropic-version: "" is not a valid version', id="empty"),
        pytest.param("2023-06-01 ", 'anthropic-version: "2023-06-01 " is not a valid version', id="with a space"),
    ],
)
def test_another_version_or_none_is_refused(value: str | None, message: str):
    with pytest.raises(InvalidRequest) as caught:
        parse_version(value)
    assert caught.value.message == message


@pytest.mark.promise("intake.beta-header")
@pytest.mark.parametrize(
    ("values", "names"),
    [
        pytest.param([], set[str](), id="none"),
        pytest.param(["pdfs-2024-09-25"], {"pdfs-2024-09-25"}, id="one"),
        pytest.param(["a,b", " c , ,d "], {"a", "b", "c", "d"}, id="lists, repeated"),
        pytest.param(["", ","], set[str](), id="nothing in them"),
    ],
)
def test_the_beta_header_is_a_list_and_may_be_repeated(values: list[str], names: set[str]):
    assert parse_betas(values, strict=False) == names


@pytest.mark.promise("intake.beta-header")
def test_an_unknown_beta_is_refused_only_where_the_owner_wants_it():
    values = ["pdfs-2024-09-25, invalid-beta-name", "other,other"]
    assert "invalid-beta-name" in parse_betas(values, strict=False)
    with pytest.raises(InvalidRequest) as caught:
        parse_betas(["invalid-beta-name"], strict=True)
    assert caught.value.message == (
        "Unexpected value(s) `invalid-beta-name` for the `anthropic-beta` header. Please consult our documentation "
        "at platform.claude.com/docs or try again without the header."
    )
    with pytest.raises(InvalidRequest, match=r"^Unexpected value\(s\) `invalid-beta-name`, `other` for"):
        parse_betas(values, strict=True)


@pytest.mark.promise("headers.empty-beta")
@pytest.mark.parametrize("values", [[""], [" "], [",", "pdfs-2024-09-25"]])
def test_a_beta_header_that_names_nothing_is_an_unknown_value(values: list[str]):
    assert "" not in parse_betas(values, strict=False)
    with pytest.raises(InvalidRequest, match=r"^Unexpected value\(s\) `` for the `anthropic-beta` header\. "):
        parse_betas(values, strict=True)


@pytest.mark.promise("headers.empty-beta")
def test_an_empty_part_of_a_list_of_betas_is_none():
    assert parse_betas(["pdfs-2024-09-25,, ,"], strict=True) == {"pdfs-2024-09-25"}


@pytest.mark.promise("intake.beta-header")
@pytest.mark.parametrize(
    "name",
    [
        # deprecated, and still accepted
        "prompt-caching-2024-07-31",
        "pdfs-2024-09-25",
        "token-counting-2024-11-01",
        "token-efficient-tools-2025-02-19",
        "extended-cache-ttl-2025-04-11",
        "cache-diagnosis-2026-04-07",
        "ce-user-management-2026-07-13",
        # recorded as accepted
        "web-fetch-2025-09-10",
        "tools-2024-04-04",
        # of the newest SDKs
        "efs-2026-10-01",
        "google-managed-data-controls-2026-09-01",
    ],
)
def test_a_beta_that_needs_nothing_is_known(name: str):
    assert parse_betas([name], strict=True) == {name}


@pytest.mark.promise("intake.beta-header")
def test_every_known_beta_passes_the_strict_check():
    assert parse_betas([",".join(KNOWN_BETAS)], strict=True) == KNOWN_BETAS


@pytest.mark.promise("intake.beta-header")
def test_every_beta_that_the_sdk_names_is_a_known_one():
    [named] = [one for one in get_args(AnthropicBetaParam) if get_origin(one) is Literal]
    assert set(get_args(named)) - KNOWN_BETAS == set()


def test_every_header_that_unlocks_something_is_a_known_one():
    gates = [
        BILLING_POLICY,
        BLOCK_BINDING,
        CACHE_SCOPE,
        CLEAR_AT,
        FALLBACK_CREDIT,
        FALLBACK_DEFAULT,
        FINE_GRAINED_STREAMING,
        MCP_SERVER_TOOLS,
        OUTPUT_FORMAT,
        TASK_BUDGET,
        THINKING_UPDATES,
        THREADS,
        TURN_OUTPUT_CONFIG,
        *LOCKED_TAGS.values(),
    ]
    assert frozenset[str]().union(*gates) <= KNOWN_BETAS

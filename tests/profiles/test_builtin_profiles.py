"""The built-in data against the model pages, row by row."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from antiphon.profiles import Profile
from antiphon.profiles.fields import READERS
from tests.profiles.builtin import builtin_catalogue, builtin_data, profile

FIVE = ("low", "medium", "high", "xhigh", "max")
FOUR = ("low", "medium", "high", "max")
THREE = ("low", "medium", "high")

# id: window, output limit, thinking default, thinking types, display, efforts, default effort, sampling, prefill,
# forced tool_choice, system role, smallest cacheable prefix.
# fmt: off
ROWS = {
    "claude-fable-5-2": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 0, 1, 512),
    "claude-mythos-5-2": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 0, 1, 512),
    "claude-fable-5-1": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 0, 1, 512),
    "claude-mythos-5-1": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 0, 1, 512),
    "claude-fable-5": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 1, 1, 512),
    "claude-mythos-5": (1000, 128, "always", "adaptive", "omitted", FIVE, "high", "default_only", 0, 1, 1, 512),
    "claude-mythos-preview": (1000, 128, "always", "adaptive enabled", "omitted", FOUR, "high", "default_only", 0, 0, 0, 2048),
    "claude-opus-5-5": (1000, 128, "always", "adaptive", "omitted", FIVE, "medium", "default_only", 0, 0, 1, 512),
    "claude-opus-5": (1000, 128, "on", "adaptive disabled", "omitted", FIVE, "high", "default_only", 0, 1, 1, 512),
    "claude-opus-4-8": (1000, 128, "off", "adaptive disabled", "omitted", FIVE, "high", "default_only", 0, 1, 1, 1024),
    "claude-opus-4-7": (1000, 128, "off", "adaptive disabled", "omitted", FIVE, "high", "default_only", 0, 1, 0, 2048),
    "claude-opus-4-6": (1000, 128, "off", "adaptive enabled disabled", "summarized", FOUR, "high", "free", 0, 1, 0, 4096),
    "claude-sonnet-5-5": (1000, 128, "on", "adaptive between_tools", "omitted", FIVE, "high", "default_only", 0, 0, 1, 512),
    "claude-sonnet-5": (1000, 128, "on", "adaptive disabled", "omitted", FIVE, "high", "default_only", 0, 1, 0, 1024),
    "claude-sonnet-4-6": (1000, 128, "off", "adaptive enabled disabled", "summarized", FOUR, "high", "free", 0, 1, 0, 1024),
    "claude-haiku-5-5": (1000, 128, "on", "adaptive disabled", "omitted", FIVE, "medium", "default_only", 0, 1, 1, 512),
    "claude-opus-4-5-20251101": (200, 64, "off", "enabled disabled", "summarized", THREE, "high", "one_of", 1, 1, 0, 4096),
    "claude-sonnet-4-5-20250929": (200, 64, "off", "enabled disabled", "summarized", (), None, "one_of", 1, 1, 0, 1024),
    "claude-haiku-4-5-20251001": (200, 64, "off", "enabled disabled", "summarized", (), None, "one_of", 1, 1, 0, 4096),
    "claude-opus-4-1-20250805": (200, 32, "off", "enabled disabled", "summarized", (), None, "one_of", 1, 1, 0, 1024),
    "claude-3-7-sonnet-20250219": (200, 64, "off", "enabled disabled", "summarized", (), None, "free", 1, 1, 0, 1024),
}
# fmt: on

# Old names: each has its successor's rules.
SONNET_3 = {
    "claude-3-7-sonnet-20250219",
    "claude-3-5-sonnet-20241022",
    "claude-3-5-sonnet-20240620",
    "claude-3-5-haiku-20241022",
    "claude-3-opus-20240229",
    "claude-3-sonnet-20240229",
    "claude-3-haiku-20240307",
    "claude-2.1",
    "claude-2.0",
    "claude-instant-1.2",
}
BEFORE_4_5 = SONNET_3 | {"claude-opus-4-1-20250805", "claude-opus-4-20250514", "claude-sonnet-4-20250514"}

# What holds of these models and of no others.
ONLY = {
    "overflow refuse": BEFORE_4_5,
    "effort capped without thinking": {"claude-opus-5", "claude-sonnet-5-5", "claude-haiku-5-5"},
    "interleaving by header": {
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
        *(BEFORE_4_5 - SONNET_3),
        "claude-sonnet-4-6",
    },
    "thinking not kept": {
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
        *BEFORE_4_5,
    },
    "images at the standard tier": {
        "claude-mythos-preview",
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
        *BEFORE_4_5,
    },
    "no inference_geo": {
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
        *BEFORE_4_5,
    },
    "fast mode": {"claude-opus-5-5", "claude-opus-5", "claude-opus-4-8"},
    "task budgets": {"claude-opus-5", "claude-fable-5", "claude-mythos-5", "claude-opus-4-8", "claude-opus-4-7"},
    "bound signatures": {
        "claude-fable-5-1",
        "claude-fable-5-2",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
    },
    "no old computer tool": {"claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"},
    "retired": {"claude-mythos-preview", "claude-sonnet-4-5-20250929", *BEFORE_4_5},
    "deprecated": {"claude-opus-4-5-20251101"},
    "no compaction": {
        "claude-opus-4-5-20251101",
        "claude-sonnet-4-5-20250929",
        "claude-haiku-4-5-20251001",
        *BEFORE_4_5,
    },
}
HOLDS: dict[str, Callable[[Profile], bool]] = {
    "overflow refuse": lambda p: p.overflow == "refuse",
    "effort capped without thinking": lambda p: p.disabled_max_effort is not None,
    "interleaving by header": lambda p: p.interleaving in ("header", "both"),
    "thinking not kept": lambda p: not p.keeps_thinking,
    "images at the standard tier": lambda p: p.image_tier == "standard",
    "no inference_geo": lambda p: not p.inference_geo,
    "fast mode": lambda p: p.fast_mode,
    "task budgets": lambda p: p.task_budget,
    "bound signatures": lambda p: p.prefix_bound,
    "no old computer tool": lambda p: "computer_20251124" in p.refused_tools,
    "retired": lambda p: p.lifecycle == "retired",
    "deprecated": lambda p: p.lifecycle == "deprecated",
    "no compaction": lambda p: not p.compaction,
}


@pytest.mark.promise("models.alias-rules")
@pytest.mark.parametrize("name", ROWS)
def test_a_profile_says_what_the_model_page_says(name: str) -> None:
    p = profile(name)
    assert (
        p.window // 1000,
        p.max_output // 1000,
        p.thinking_default,
        p.thinking,
        p.thinking_display,
        p.efforts,
        p.effort_default,
        p.sampling,
        p.prefill,
        p.forced_tool_choice,
        p.system_role,
        p.min_cache_tokens,
    ) == (*ROWS[name][:3], frozenset(ROWS[name][3].split()), *ROWS[name][4:])


@pytest.mark.promise("models.alias-rules")
@pytest.mark.parametrize("fact", ONLY)
def test_a_rule_beside_the_table_holds_for_the_named_models_alone(fact: str) -> None:
    assert {p.id for p in builtin_catalogue().all() if HOLDS[fact](p)} == ONLY[fact]


@pytest.mark.promise("models.every-documented-name")
@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("claude-opus-4-8", "claude-opus-4-8"),
        ("claude-opus-4-7", "claude-opus-4-7"),
        ("claude-opus-4-6", "claude-opus-4-6"),
        ("claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("claude-opus-4-5-20251101", "claude-opus-4-5-20251101"),
        ("claude-opus-4-5", "claude-opus-4-5-20251101"),
        ("claude-3-7-sonnet-latest", "claude-3-7-sonnet-20250219"),
        ("claude-opus-4-1", "claude-opus-4-1-20250805"),
        ("claude-opus-4-0", "claude-opus-4-20250514"),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514"),
        ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
        ("claude-3-opus-latest", "claude-3-opus-20240229"),
    ],
)
def test_an_alias_resolves_to_the_dated_id(asked: str, answered: str) -> None:
    assert profile(asked).id == answered


@pytest.mark.promise("models.old-names")
@pytest.mark.parametrize(
    ("old", "successor"),
    [
        ("claude-sonnet-4-20250514", "claude-3-7-sonnet-20250219"),
        ("claude-opus-4-20250514", "claude-opus-4-1-20250805"),
        *((name, "claude-3-7-sonnet-20250219") for name in sorted(SONNET_3)),
    ],
)
def test_a_retired_name_has_the_rules_of_what_came_after_it(old: str, successor: str) -> None:
    named, after = profile(old), profile(successor)
    assert named.lifecycle == "retired"
    assert (named.prefill, named.forced_tool_choice, named.thinking) == (True, True, after.thinking)
    assert (named.window, named.max_output, named.sampling) == (after.window, after.max_output, "free")


@pytest.mark.promise("models.lifecycle")
@pytest.mark.parametrize(
    ("name", "lifecycle", "retires_at"),
    [
        ("claude-opus-4-5", "deprecated", "2027-01-22T00:00:00Z"),
        ("claude-sonnet-4-5", "retired", "2026-11-30T00:00:00Z"),
        ("claude-mythos-preview", "retired", "2026-06-30T00:00:00Z"),
        ("claude-3-haiku-20240307", "retired", "2026-04-20T00:00:00Z"),
        ("claude-haiku-4-5", "active", None),
        ("claude-sonnet-4-6", "active", None),
        ("claude-fable-5-2", "active", None),
    ],
)
def test_a_name_says_where_it_is_in_its_life(name: str, lifecycle: str, retires_at: str | None) -> None:
    assert (profile(name).lifecycle, profile(name).retires_at) == (lifecycle, retires_at)


def test_every_model_id_that_the_official_sdk_knows_resolves() -> None:
    from typing import get_args

    from anthropic.types.model import Model

    known = [name for member in get_args(Model) for name in get_args(member)]
    assert len(known) > 20
    assert [name for name in known if builtin_catalogue().resolve(name) is None] == []


def test_an_unknown_name_resolves_to_nothing() -> None:
    assert builtin_catalogue().resolve("claude-x") is None
    assert builtin_catalogue().resolve("") is None


def test_all_lists_every_profile_once_newest_first() -> None:
    every = builtin_catalogue().all()
    assert len({p.id for p in every}) == len(every) == len(builtin_data()["profiles"])
    assert [p.created_at for p in every] == sorted((p.created_at for p in every), reverse=True)


def test_a_model_on_its_way_out_says_since_when() -> None:
    for p in builtin_catalogue().all():
        assert (p.lifecycle == "active") == (p.deprecated_at is None) == (p.retires_at is None), p.id


def test_every_field_of_a_profile_has_a_reader() -> None:
    assert {"id", *READERS} == {f.name for f in fields(Profile)}

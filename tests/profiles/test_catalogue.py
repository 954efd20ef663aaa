"""An owner's profiles and aliases over the built-in ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from antiphon.profiles import ProfileError, parse_catalogue
from tests.profiles.builtin import builtin_catalogue, builtin_data, profile

WHOLE: dict[str, Any] = {
    "display_name": "House model",
    "created_at": "2026-10-01T00:00:00Z",
    "aliases": ["house"],
    "lifecycle": "active",
    "line": "none",
    "window": 8192,
    "max_output": 4096,
    "thinking": ["disabled"],
    "thinking_default": "off",
    "thinking_display": "summarized",
    "disabled_max_effort": "none",
    "efforts": [],
    "effort_default": "none",
    "sampling": "free",
    "prefill": True,
    "forced_tool_choice": True,
    "system_role": True,
    "min_cache_tokens": 0,
    "overflow": "stop",
    "interleaving": "none",
    "keeps_thinking": False,
    "image_tier": "standard",
    "inference_geo": True,
    "fast_mode": False,
    "task_budget": False,
    "compaction": False,
}


def error(profiles: dict[str, Any], aliases: dict[str, str] | None = None) -> str:
    """What the owner is told of wrong data."""
    with pytest.raises(ProfileError) as caught:
        parse_catalogue(builtin_data(), profiles, aliases or {})
    return str(caught.value)


@pytest.mark.promise("models.owner-profiles")
def test_an_owner_profile_extends_another_and_overrides_single_fields() -> None:
    own = {"support-bot": {"extends": "claude-opus-4-8", "prefill": True, "max_output": 2000, "aliases": ["bot"]}}
    mine = parse_catalogue(builtin_data(), own).resolve("bot")
    base = profile("claude-opus-4-8")
    assert mine is not None
    assert (mine.id, mine.display_name, mine.prefill, mine.max_output) == ("support-bot", "support-bot", True, 2000)
    assert (mine.window, mine.thinking, mine.sampling) == (base.window, base.thinking, base.sampling)


@pytest.mark.promise("models.owner-profiles")
def test_an_owner_table_under_a_built_in_id_changes_that_profile_alone() -> None:
    changed = parse_catalogue(builtin_data(), {"claude-opus-4-5-20251101": {"prefill": False}})
    alias = changed.resolve("claude-opus-4-5")
    assert alias is not None
    assert (alias.prefill, alias.display_name) == (False, "Claude Opus 4.5")
    # The built-in Sonnet 4.5 is written as an extension of it and keeps its own rules.
    other = changed.resolve("claude-sonnet-4-5")
    assert other is not None
    assert other.prefill is True


def test_an_owner_profile_may_extend_another_of_the_owner_s_in_any_order() -> None:
    own = {"second": {"extends": "first", "prefill": True}, "first": {"extends": "claude-opus-5", "window": 500_000}}
    second = parse_catalogue(builtin_data(), own).resolve("second")
    assert second is not None
    assert (second.window, second.prefill) == (500_000, True)


def test_an_owner_profile_without_a_base_sets_every_key() -> None:
    house = parse_catalogue(builtin_data(), {"house-1": WHOLE}).resolve("house")
    assert house is not None
    assert (house.id, house.line, house.effort_default, house.refused_tools) == ("house-1", None, None, ())


def test_a_retirement_date_is_not_taken_over_by_a_profile_that_lives_on() -> None:
    own = {"old-faithful": {"extends": "claude-opus-4-1-20250805", "lifecycle": "active"}}
    living = parse_catalogue(builtin_data(), own).resolve("old-faithful")
    assert living is not None
    assert (living.deprecated_at, living.retires_at) == (None, None)


def test_a_date_may_be_a_toml_date() -> None:
    own = {"house-1": {**WHOLE, "created_at": datetime(2026, 10, 1, 2, 0, tzinfo=UTC)}}
    house = parse_catalogue(builtin_data(), own).resolve("house-1")
    assert house is not None
    assert house.created_at == "2026-10-01T02:00:00Z"


def test_an_owner_alias_names_a_profile_or_another_alias() -> None:
    aliases = {"fast": "claude-haiku-4-5", "best": "claude-opus-5"}
    catalogue = parse_catalogue(builtin_data(), {}, aliases)
    assert [getattr(catalogue.resolve(name), "id", None) for name in aliases] == [
        "claude-haiku-4-5-20251001",
        "claude-opus-5",
    ]


def test_an_owner_alias_wins_over_a_built_in_alias() -> None:
    moved = parse_catalogue(builtin_data(), {}, {"claude-opus-4-1": "claude-opus-5"}).resolve("claude-opus-4-1")
    assert moved is not None
    assert moved.id == "claude-opus-5"


def test_an_owner_alias_may_name_a_model_of_the_server_s_own() -> None:
    catalogue = parse_catalogue(builtin_data(), {}, {"mine": "tiny"}, local_ids=["tiny"])
    local = catalogue.with_local("tiny", "Tiny", 2048, "2026-10-01T00:00:00Z").resolve("mine")
    assert local is not None
    assert local.id == "tiny"


@pytest.mark.promise("models.local-profile")
def test_a_local_model_answers_under_its_own_id_and_refuses_little() -> None:
    catalogue = builtin_catalogue().with_local("tiny", "Tiny", 2048, "2026-12-01T00:00:00Z")
    local = catalogue.resolve("tiny")
    assert local is not None
    assert (local.window, local.max_output, local.overflow, local.sampling) == (2048, 2048, "stop", "free")
    assert local.thinking == {"enabled", "adaptive", "disabled"}
    assert local.efforts == ("low", "medium", "high", "xhigh", "max")
    assert (local.prefill, local.forced_tool_choice, local.system_role) == (True, True, True)
    assert catalogue.all()[0] is local
    assert builtin_catalogue().resolve("tiny") is None


@pytest.mark.parametrize("name", ["claude-opus-5", "claude-opus-4-5"])
def test_a_local_model_cannot_take_the_name_of_a_profile(name: str) -> None:
    with pytest.raises(ProfileError, match="already the name of a profile"):
        builtin_catalogue().with_local(name, "Tiny", 2048, "2026-12-01T00:00:00Z")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (
        {"x": {"extends": "claude-opus-5", "prefil": True}},
        'profiles."x".prefil is not a key of a profile; the keys are: extends, display_name, ',
    ),
    "unknown base": (
        {"x": {"extends": "claude-opus-9"}},
        """profiles."x".extends must be the id of another profile, not 'claude-opus-9'; there are: claude-2.0, """,
    ),
    "an alias as base": (
        {"x": {"extends": "claude-opus-4-5"}},
        """must be the id of another profile, not 'claude-opus-4-5'""",
    ),
    "circle": (
        {"a": {"extends": "b"}, "b": {"extends": "a"}},
        'profiles."a".extends goes round in a circle: a → b → a',
    ),
    "itself": ({"a": {"extends": "a"}}, 'profiles."a".extends goes round in a circle: a → a'),
    "missing keys": (
        {"x": {"window": 100}},
        'profiles."x".display_name is missing; set it, or start from another profile with extends = "<its id>" (also missing: created_at, ',
    ),
    "flag": (
        {"x": {"extends": "claude-opus-5", "prefill": "yes"}},
        """profiles."x".prefill must be true or false, not 'yes'""",
    ),
    "tokens": (
        {"x": {"extends": "claude-opus-5", "window": 0}},
        'profiles."x".window must be a whole number of tokens, 1 or more, not 0',
    ),
    "a flag for tokens": (
        {"x": {"extends": "claude-opus-5", "window": True}},
        "must be a whole number of tokens, 1 or more, not True",
    ),
    "choice": (
        {"x": {"extends": "claude-opus-5", "sampling": "some"}},
        """profiles."x".sampling must be one of "free", "one_of", "default_only", not 'some'""",
    ),
    "choices": (
        {"x": {"extends": "claude-opus-5", "thinking": ["adaptive", "deep"]}},
        """profiles."x".thinking may hold "enabled", "adaptive", "disabled", "between_tools", not 'deep'""",
    ),
    "list": ({"x": {"extends": "claude-opus-5", "aliases": "a"}}, """profiles."x".aliases must be a list, not 'a'"""),
    "text": (
        {"x": {"extends": "claude-opus-5", "aliases": [""]}},
        """profiles."x".aliases[0] must be a text that is not empty, not ''""",
    ),
    "moment": (
        {"x": {"extends": "claude-opus-5", "created_at": "yesterday"}},
        """profiles."x".created_at must be a moment such as "2026-01-31T00:00:00Z", not 'yesterday'""",
    ),
    "moment without zone": (
        {"x": {"extends": "claude-opus-5", "created_at": "2026-01-31"}},
        "must be a moment such as",
    ),
    "output over window": (
        {"x": {"extends": "claude-opus-5", "window": 1000}},
        'profiles."x".max_output (128000) must not be larger than window (1000)',
    ),
    "off but not disabled": (
        {"x": {"extends": "claude-fable-5", "thinking_default": "off"}},
        'profiles."x".thinking_default "off" needs "disabled" among the thinking types',
    ),
    "always but disabled": (
        {"x": {"extends": "claude-opus-5", "thinking_default": "always"}},
        'profiles."x".thinking_default "always" does not go with the thinking type "disabled"',
    ),
    "default effort not among efforts": (
        {"x": {"extends": "claude-opus-5", "efforts": ["low"]}},
        'profiles."x".effort_default must be one of efforts: low',
    ),
    "default effort without efforts": (
        {"x": {"extends": "claude-opus-5", "efforts": []}},
        'profiles."x".effort_default must be "none" where efforts is empty',
    ),
    "alias is an id": (
        {"x": {"extends": "claude-opus-5", "aliases": ["claude-fable-5"]}},
        'profiles."x".aliases: "claude-fable-5" is itself the id of a profile',
    ),
}


@pytest.mark.promise("models.owner-profiles")
@pytest.mark.parametrize("case", BAD)
def test_a_wrong_profile_is_refused_with_the_key_and_what_is_allowed(case: str) -> None:
    profiles, text = BAD[case]
    assert text in error(profiles)


@pytest.mark.parametrize(
    ("aliases", "text"),
    [
        (
            {"mine": "nothing"},
            'aliases."mine" must name a model, not "nothing"; there are: claude-2.0, claude-2.1, ',
        ),
        (
            {"claude-opus-5": "claude-opus-4-8"},
            'aliases."claude-opus-5" is itself the id of a model; to change its rules',
        ),
    ],
)
def test_a_wrong_alias_is_refused(aliases: dict[str, str], text: str) -> None:
    assert text in error({}, aliases)

"""`[routes]`: one model or several for a name."""

import tomllib

import pytest

from antiphon.config import ConfigError, Settings, parse_settings
from antiphon.config.routes import targets

MODELS = 'model = "big"\n[models.big]\nsource = "a.gguf"\n[models.small]\nsource = "b.gguf"\n'


def settings(routes: str) -> Settings:
    return parse_settings({}, {}, tomllib.loads(f"{MODELS}[routes]\n{routes}\n"))


@pytest.mark.promise("routes.second-choice")
def test_a_name_may_go_to_several_models_and_to_the_builtin_one_among_them() -> None:
    parsed = settings('claude-opus-4-8 = ["big", "small", "smollm2-135m-instruct"]\nsmall = ["small", "big"]')
    assert parsed.routes["claude-opus-4-8"] == ("big", "small", "smollm2-135m-instruct")
    assert parsed.routes["small"] == ("small", "big")
    assert "smollm2-135m-instruct" in parsed.models


@pytest.mark.promise("routes.second-choice")
@pytest.mark.parametrize(
    ("route", "said"),
    [
        ('claude-opus-4-8 = ["big", "smal"]', "'smal' is not a served model; did you mean 'small'?"),
        ('claude-opus-4-8 = ["big", "big"]', "big stands there twice"),
        ("claude-opus-4-8 = []", "this must be the id of a served model, or a list of ids"),
        ('claude-opus-4-8 = ["big", 3]', "this must be the id of a served model, or a list of ids"),
        ('claude-opus-4.8 = "big"', "a name with dots goes in quotes"),
        ('small = ["big"]', 'which is asked for itself first: write ["small", "big"]'),
        ('big = "small"\nsmall = "big"', 'which is asked for itself first: write ["big", "small"]'),
    ],
)
def test_a_route_that_goes_nowhere_or_round_in_a_circle_is_named(route: str, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        settings(route)
    assert "antiphon.toml, [routes] " in str(wrong.value)
    assert said in str(wrong.value)


@pytest.mark.promise("routes.patterns")
def test_a_name_of_its_own_goes_before_patterns_and_the_first_pattern_that_fits_counts() -> None:
    routes = {
        "claude-*": ("a",),
        "claude-opus-*": ("b",),
        "claude-opus-4-8": ("c", "d"),
        "claude-haiku-4-5-x": ("e",),
    }

    def ids(name: str, profile: str | None = None) -> tuple[str, ...]:
        return targets(routes, "rest", name, profile or name)

    assert ids("claude-opus-4-8") == ("c", "d")
    assert ids("latest", "claude-opus-4-8") == ("c", "d")
    assert ids("claude-haiku-4-5", "claude-haiku-4-5-x") == ("e",)
    assert ids("claude-opus-4-7") == ("a",)
    assert ids("mine", "claude-opus-4-7") == ("a",)
    assert ids("mine") == ("rest",)

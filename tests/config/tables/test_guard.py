"""`[guard]`: rules a table each, and a model that judges."""

import tomllib

import pytest

from antiphon.config import ConfigError, GuardRule, GuardSettings, Settings, parse_settings

RULE = "[guard.lynx]\nmatch = ['(?i)lynx']\n"


def settings(toml: str) -> Settings:
    return parse_settings({}, {}, tomllib.loads(toml))


def test_a_rule_says_only_what_it_declines():
    assert settings(RULE).guard == (GuardRule("lynx", ("(?i)lynx",)),)


def test_a_rule_may_say_all_of_it():
    toml = RULE + 'of = "reply"\ncategory = "bio"\nexplanation = "No."\nmodels = ["claude-*"]\n'
    assert settings(toml).guard == (GuardRule("lynx", ("(?i)lynx",), "reply", "bio", "No.", ("claude-*",)),)


def test_a_model_judges_beside_the_rules():
    parsed = settings(
        '[guard]\nmodel = "small"\nfailure = "allow"\nmodels = ["m"]\n[models.small]\nsource = "s.gguf"\n' + RULE
    )
    assert parsed.guard_model == GuardSettings(model="small", failure="allow", models=("m",))
    assert [rule.name for rule in parsed.guard] == ["lynx"]


@pytest.mark.promise("guard.rules-are-checked")
@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[guard.a]\n", "[guard.a]: match is missing"),
        ("[guard.a]\nmatch = []\n", "[guard.a] match: the value is not a list of regular expressions"),
        ("[guard.a]\nmatch = [1]\n", "[guard.a] match: the value is not a list of regular expressions"),
        ('[guard.a]\nmatch = ["x"]\ncategory = "rude"\n', "[guard.a] category: 'rude' is not one of"),
        (
            '[guard.a]\nmatch = ["x"]\nmodels = "m"\n',
            "[guard.a] models: the value is not a list of names or patterns",
        ),
        ('[guard."a b"]\nmatch = ["x"]\n', "the name of a rule has up to 40"),
        ('[guard]\nmodel = "none"\n', "'none' is not a served model"),
    ],
)
def test_what_is_wrong_is_named(toml: str, said: str):
    with pytest.raises(ConfigError) as caught:
        settings(toml)
    assert said in str(caught.value)

"""`[limits]`: the tables inside it."""

from typing import Any

import pytest

from antiphon.config import ConfigError, LimitRule, parse_settings


def test_each_table_is_a_limit():
    toml: dict[str, Any] = {
        "limits": {
            "store": "redis://127.0.0.1/0",
            "opus": {"models": ["claude-opus-*"], "per": "workspace", "requests_per_minute": 5},
            "uploads": {"of": "files", "requests_per_minute": 6},
        }
    }
    settings = parse_settings({}, {}, toml)
    assert settings.limit_store.store == "redis://127.0.0.1/0"
    assert settings.limits == (
        LimitRule("opus", "workspace", "model_group", ("claude-opus-*",), requests_per_minute=5),
        LimitRule("uploads", group="files", requests_per_minute=6),
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"a": {}}, "[limits.a]: nothing is limited"),
        ({"a": {"requests_per_minute": 0}}, "[limits.a] requests_per_minute: 0 is not a whole number from 1"),
        ({"a": {"per": "person"}}, "[limits.a] per: 'person' is not one of organization, workspace, key"),
        ({"a": {"of": "files", "concurrency": 1}}, "[limits.a]: concurrency is for messages alone"),
        ({"a": {"dollars_per_month": 5}}, "[limits.a]: dollars_per_month needs prices"),
        ({"a": {"of": "files", "dollars_per_month": 5}}, "[limits.a]: dollars_per_month is for messages alone"),
        ({"a": {"models": "x", "concurrency": 1}}, "[limits.a] models: the value is not a list"),
        ({"a b": {"concurrency": 1}}, "the name of a limit has up to 40 letters"),
    ],
)
def test_what_is_wrong_with_one_is_said(table: dict[str, Any], said: str):
    with pytest.raises(ConfigError) as refused:
        parse_settings({}, {}, {"limits": table})
    assert said in str(refused.value)


def test_several_workers_count_together_or_not_at_all():
    limits: dict[str, Any] = {"a": {"requests_per_minute": 5}}
    with pytest.raises(ConfigError, match="2 workers would each count for itself"):
        parse_settings({}, {}, {"workers": 2, "limits": limits})
    assert parse_settings({}, {}, {"workers": 2, "limits": {"store": "redis://h", **limits}}).limits

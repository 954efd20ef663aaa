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


def test_who_limits_money_keeps_what_was_spent_and_needs_no_other_place_to_count():
    said: dict[str, Any] = {"workers": 2, "prices": {"*": {"input": 1}}, "limits": {"a": {"dollars_per_month": 5}}}
    assert parse_settings({}, {}, said).limits == (LimitRule("a", dollars_per_month=5.0),)
    for nowhere in ({"usage": {"days": 31}}, {"stores": {"data": "off"}}):
        with pytest.raises(ConfigError, match=r"needs what was spent in the month to be kept"):
            parse_settings({}, {}, {**said, **nowhere})


def test_what_is_in_batches_has_limits_of_its_own():
    tables = {
        "rows": {"of": "batch_requests", "output_tokens_per_minute": 5},
        "queue": {"of": "batches", "enqueued_batch_requests": 7},
    }
    assert parse_settings({}, {}, {"limits": tables}).limits == (
        LimitRule("rows", group="batch_requests", output_tokens_per_minute=5),
        LimitRule("queue", group="batch", enqueued_batch_requests=7),
    )
    for wrong in ({"of": "batch_requests", "concurrency": 1}, {"enqueued_batch_requests": 1}):
        with pytest.raises(ConfigError, match=r"\[limits\.a\]"):
            parse_settings({}, {}, {"limits": {"a": wrong}})

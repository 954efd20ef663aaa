"""Limits as the official SDK meets them."""

from contextlib import ExitStack
from pathlib import Path

import anthropic
import pytest

from tests.referee.live import live_process

CONFIG = """
model = "script:{script}"
[limits.all]
input_tokens_per_minute = 60000
"""
SCRIPT = "[[reply]]\ntext = 'Yes.'\n"


@pytest.mark.promise("limits.refused", "limits.listed", "limits.of-workspaces")
def test_the_sdk_waits_as_long_as_it_is_told_and_succeeds(tmp_path: Path) -> None:
    (tmp_path / "script.toml").write_text(SCRIPT * 3, "utf-8")
    config = tmp_path / "antiphon.toml"
    config.write_text(CONFIG.format(script=tmp_path / "script.toml"), "utf-8")
    with live_process("--config", str(config)) as live, ExitStack() as clients:
        client = clients.enter_context(anthropic.Anthropic(base_url=live.url, api_key="any", max_retries=3))

        def ask(words: int) -> int:
            reply = client.messages.with_raw_response.create(
                model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "word " * words}]
            )
            assert reply.headers["anthropic-ratelimit-input-tokens-limit"] == "60000"
            return reply.retries_taken

        assert ask(61_000) == 0
        with pytest.raises(anthropic.RateLimitError) as refused:
            client.with_options(max_retries=0).messages.create(
                model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "hi"}]
            )
        assert 1 <= int(refused.value.response.headers["retry-after"]) <= 15
        assert ask(100) == 1
        (limit,) = client.organization.rate_limits.list().data
        assert limit.group.type == "model_group"
        assert [(each.type, each.value) for each in limit.limits] == [("input_tokens_per_minute", 60_000)]
        whose = client.models.with_raw_response.list().headers["anthropic-workspace-id"]
        (own,) = client.organization.workspaces.rate_limits.list(whose, include_inherited=True).data
        assert (own.workspace_id, own.rate_limit_id) == (whose, limit.id)
        assert [(each.source.type, each.value, each.org_limit) for each in own.limits] == [
            ("organization", 60_000, 60_000)
        ]

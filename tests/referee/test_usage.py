"""Reports of use from a server as a user starts it: what it has counted outlives it."""

import re
from datetime import UTC, datetime
from pathlib import Path

import anthropic
import httpx
import pytest

from tests.arch.tree import ROOT
from tests.referee.live import live_process

SCRIPT = "[[reply]]\ntext = 'Yes, indeed.'\n"
REPORT = "/v1/organizations/usage_report/messages"


@pytest.mark.promise("usage.outlives", "usage.sums")
def test_what_the_sdk_was_told_is_reported_by_the_next_server_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.toml").write_text(SCRIPT, "utf-8")
    arguments = ("--model", f"script:{tmp_path / 'script.toml'}", "--data", str(tmp_path / "data"))
    told, since = 0, datetime.now(UTC)
    for number in range(2):
        with live_process(*arguments) as live:
            if number == 0:
                with anthropic.Anthropic(base_url=live.url, api_key="any") as client:
                    for _ in range(5):
                        reply = client.messages.create(
                            model="claude-opus-4-8", max_tokens=20, messages=[{"role": "user", "content": "Well?"}]
                        )
                        told += reply.usage.output_tokens
                continue  # stopped at once
            query = {"starting_at": since.isoformat()}
            answer = httpx.get(live.url + REPORT, params=query).raise_for_status().json()
            found = sum(result["output_tokens"] for bucket in answer["data"] for result in bucket["results"])
            assert found == told > 0
            # What the page about it says is done.
            (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/usage.md").read_text("utf-8"), re.DOTALL)
            monkeypatch.setenv("ANTHROPIC_BASE_URL", live.url)
            monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
            exec(compile(example, "docs/usage.md", "exec"), {})
            assert f"claude-opus-4-8: {told}" in capsys.readouterr().out

"""What docs/mcp.md shows runs."""

import re
import tomllib
from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic

from antiphon.config import NetworkSettings
from antiphon.testing import scripted_app
from tests.arch.tree import ROOT
from tests.tools.mcp.hosts import serving
from tests.web.searching_app import invoke, says, section

SCRIPT = says(section(invoke("add", a="2", b="3")), "2 and 3") + says("It is 5.")


@pytest.mark.promise("mcp.in-one-reply")
async def test_the_example_of_the_page_adds() -> None:
    page = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    server, application = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [allowed] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"__name__": "calculator"}
    exec(server, names)
    async with serving(names["server"].streamable_http_app()) as host:
        assert tomllib.loads(allowed)["network"]["allow_hosts"] == ["http://127.0.0.1:8000"]
        exec(application.replace("127.0.0.1:8000", f"127.0.0.1:{host.port}"), names)
        async with scripted_app(SCRIPT, network=NetworkSettings(allow_hosts=(host.allowed,))) as bridge:
            transport = httpx2.ASGITransport(app=bridge.app)
            async with httpx2.AsyncClient(transport=transport) as http:
                client = AsyncAnthropic(api_key="any", base_url="http://localhost", http_client=http)
                message = await names["ask"](client, "What are 2 and 3?")
    assert [block.type for block in message.content] == ["mcp_tool_use", "mcp_tool_result", "text"]
    assert message.content[1].content[0].text == "5"
    assert message.content[2].text == "It is 5."

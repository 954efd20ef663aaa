"""What an application does with the official Python SDK and an MCP server, through its public API only.

Takes the server's URL. Prints one JSON object. Imports nothing of Antiphon.
"""

import json
import sys

import anthropic

REQUEST = {
    "model": "claude-opus-4-8",
    "max_tokens": 500,
    "mcp_servers": [{"type": "url", "name": "everything", "url": sys.argv[1]}],
    "tools": [{"type": "mcp_toolset", "mcp_server_name": "everything"}],
    "betas": ["mcp-client-2025-11-20"],
}


def main():
    client = anthropic.Anthropic(max_retries=0, timeout=60)
    messages = [{"role": "user", "content": "Add 2 and 3."}]
    with client.beta.messages.stream(messages=messages, **REQUEST) as stream:
        first = stream.get_final_message()
    whole = client.beta.messages.create(messages=messages, **REQUEST)
    more = [{"role": "assistant", "content": first.content}, {"role": "user", "content": "Show me a picture."}]
    last = client.beta.messages.create(messages=messages + more, **REQUEST)
    called, result = first.content[1:3]
    print(
        json.dumps(
            {
                "streamed": [block.type for block in first.content],
                "whole": [block.type for block in whole.content],
                "called": [called.name, called.server_name, called.input],
                "result": [result.is_error, [block.text for block in result.content]],
                "paired": called.id == result.tool_use_id,
                "answer": first.content[-1].text,
                "stopped": first.stop_reason,
                "pictured": [block.text for block in last.content[1].content],
                "last": last.content[-1].text,
            }
        )
    )


if __name__ == "__main__":
    main()

"""What an application does with the official Python SDK's memory helper, through its public API only.

Prints one JSON object: two conversations over one directory. Imports nothing of Antiphon.
"""

import json
import tempfile
import warnings

import anthropic
from anthropic.tools import BetaLocalFilesystemMemoryTool

REQUEST = {"model": "claude-opus-4-8", "max_tokens": 500}
CLEARS = {
    "edits": [
        {
            "type": "clear_tool_uses_20250919",
            "trigger": {"type": "tool_uses", "value": 2},
            "keep": {"type": "tool_uses", "value": 1},
        }
    ]
}


def conversation(client, memory, question):
    runner = client.beta.messages.tool_runner(
        tools=[memory],
        betas=["context-management-2025-06-27"],
        context_management=CLEARS,
        messages=[{"role": "user", "content": question}],
        **REQUEST,
    )
    commands, cleared, last = [], 0, None
    for message in runner:
        last = message
        commands += [block.input["command"] for block in message.content if block.type == "tool_use"]
        cleared += len(message.context_management.applied_edits) if message.context_management else 0
    return {"commands": commands, "cleared": cleared, "text": last.content[-1].text, "stop": last.stop_reason}


def main():
    warnings.simplefilter("ignore")
    client = anthropic.Anthropic(max_retries=0, timeout=60)
    with tempfile.TemporaryDirectory() as directory:
        memory = BetaLocalFilesystemMemoryTool(base_path=directory)
        first = conversation(client, memory, "My cat is called Tibbles.")
        second = conversation(client, memory, "What is my cat called?")
    print(json.dumps({"first": first, "second": second}))


if __name__ == "__main__":
    main()

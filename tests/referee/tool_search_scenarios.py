"""What an application does with the official Python SDK and many deferred tools, through its public API only.

Prints one JSON object. Imports nothing of Antiphon.
"""

import json

import anthropic

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [
    {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
    *(
        {"name": f"tool_{n}", "description": f"Counts matter {n}.", "input_schema": SCHEMA, "defer_loading": True}
        for n in range(60)
    ),
    {
        "name": "get_weather",
        "description": "How the sky is, by its city.",
        "input_schema": SCHEMA,
        "defer_loading": True,
    },
]
REQUEST = {"model": "claude-opus-4-8", "max_tokens": 500, "tools": TOOLS}


def main():
    client = anthropic.Anthropic(max_retries=0, timeout=60)
    messages = [{"role": "user", "content": "What is the weather in Rome?"}]
    with client.messages.stream(messages=messages, **REQUEST) as stream:
        first = stream.get_final_message()
    whole = client.messages.create(messages=messages, **REQUEST)
    call = first.content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "It is sunny there."}
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    last = client.messages.create(messages=messages, **REQUEST)
    print(
        json.dumps(
            {
                "streamed": [block.type for block in first.content],
                "whole": [block.type for block in whole.content],
                "found": [one.tool_name for one in first.content[2].content.tool_references],
                "called": [call.name, call.input],
                "answer": last.content[0].text,
            }
        )
    )


if __name__ == "__main__":
    main()

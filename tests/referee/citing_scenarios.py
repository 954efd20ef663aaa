"""What an application does with citations and the official Python SDK, through its public API only.

Prints one JSON object. Imports nothing of Antiphon.
"""

import json

import anthropic

ON = {"enabled": True}
DOCUMENT = {
    "type": "document",
    "title": "Sounds",
    "source": {"type": "text", "media_type": "text/plain", "data": "Dogs bark. Cats purr. "},
    "citations": ON,
}
RESULT = {
    "type": "search_result",
    "source": "kb/1",
    "title": "Notes",
    "content": [{"type": "text", "text": "Dogs are loud."}],
    "citations": ON,
}
MESSAGES = [{"role": "user", "content": [DOCUMENT, RESULT, {"type": "text", "text": "Tell me."}]}]
REQUEST = {"model": "claude-opus-4-8", "max_tokens": 500}


def told(message):
    return [
        [block.text, [one.model_dump() for one in block.citations or []]]
        for block in message.content
        if block.type == "text"
    ]


def main():
    client = anthropic.Anthropic(max_retries=0, timeout=60)
    with client.messages.stream(messages=MESSAGES, **REQUEST) as stream:
        heard = [event.citation.cited_text for event in stream if event.type == "citation"]
        streamed = stream.get_final_message()
    whole = client.messages.create(messages=MESSAGES, **REQUEST)
    again = [*MESSAGES, {"role": "assistant", "content": streamed.content}, {"role": "user", "content": "Tell me."}]
    last = client.messages.create(messages=again, **REQUEST)
    print(json.dumps({"streamed": told(streamed), "whole": told(whole), "last": told(last), "heard": heard}))


if __name__ == "__main__":
    main()

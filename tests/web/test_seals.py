"""Sealed thoughts as an attacker, a second server and a change of keys meet them."""

import base64
import string
from itertools import pairwise
from typing import Any

import pytest

from antiphon.seals import Seals
from tests.web.thinking_app import ThinkingApp, ask, reply, thought

SCRIPT = (
    reply("Sure.", "prompt = 'Two is[\\s\\S]*Sure'")
    + reply("Forgotten.", "prompt = 'Sure'")
    + thought("Two is two.</thinking>", "match = 'two'")
    + thought("Three is three.</thinking>", "match = 'three'")
    + reply("Yes.")
)
OLD, NEW, OTHER = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
INVALID = "messages.1.content.0: Invalid `signature` in `thinking` block"


async def history(app: ThinkingApp, about: str = "two") -> list[dict[str, Any]]:
    """A conversation with one reply, and one more question."""
    message = await app.reply(ask(f"What is {about}?"))
    return [
        {"role": "user", "content": f"What is {about}?"},
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Sure?"},
    ]


def with_block(messages: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The request with the thought's block changed."""
    first, spoken, last = messages
    block, *rest = spoken["content"]
    return ask([first, {**spoken, "content": [{**block, **changes}, *rest]}, last])


@pytest.mark.promise("thinking.signatures-verified", "thinking.seal-opens-unchanged-only")
async def test_a_signature_is_refused_wherever_one_character_of_it_is_changed() -> None:
    alphabet = string.ascii_letters + string.digits + "+/="
    async with ThinkingApp(SCRIPT) as app:
        messages = await history(app)
        signature = messages[1]["content"][0]["signature"]
        assert (await app.reply(ask(messages)))["content"][-1]["text"] == "Sure."
        for at, was in enumerate(signature):
            other = alphabet[(alphabet.index(was) + 1 + at % 60) % len(alphabet)]
            assert other != was
            forged = signature[:at] + other + signature[at + 1 :]
            assert await app.refusal(with_block(messages, signature=forged)) == INVALID, at
        raw = base64.b64decode(signature)
        for bit in range(len(raw) * 8):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            forged = base64.b64encode(flipped).decode()
            assert await app.refusal(with_block(messages, signature=forged)) == INVALID, bit
        assert len(app.prompts) == 4, "a forged request reached the model"


@pytest.mark.promise("thinking.signatures-verified", "thinking.seal-opens-unchanged-only")
async def test_a_signature_is_refused_in_every_other_spelling_and_for_every_other_thought() -> None:
    async with ThinkingApp(SCRIPT) as app:
        messages, elsewhere = await history(app), await history(app, "three")
        signature = messages[1]["content"][0]["signature"]
        raw = base64.b64decode(signature)
        spellings = [
            "",
            " ",
            f"{signature} ",
            f"\n{signature}",
            f"{signature}=",
            f"{signature}AAAA",
            signature[4:],
            signature.rstrip("=") + "é",
            signature.swapcase(),
            signature[::-1],
            signature * 2,
            "A" * 1_000_000,
            raw.hex(),
            base64.b64encode(raw + b"\0").decode(),
            base64.b64encode(raw[:-1]).decode(),
            base64.b64encode(raw[:5]).decode(),
        ]
        for forged in spellings:
            assert await app.refusal(with_block(messages, signature=forged)) == INVALID, forged[:300]
        theirs = elsewhere[1]["content"][0]["signature"]
        edited = await app.refusal(with_block(messages, signature=theirs))
        assert edited.startswith("messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest")
        for text in ("", "Two is two", "Two is two. ", "Two is two.\u200b", "TWO IS TWO.", "x" * 1_000_000):
            edited = await app.refusal(with_block(messages, thinking=text))
            assert edited.startswith("messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest")
        swapped = {"type": "redacted_thinking", "data": signature}
        first, spoken, last = messages
        request = ask([first, {**spoken, "content": [swapped, *spoken["content"][1:]]}, last])
        assert await app.refusal(request) == "messages.1.content.0: Invalid `data` in `redacted_thinking` block"


@pytest.mark.promise("thinking.replicas")
async def test_servers_with_the_same_key_read_each_other_s_thoughts() -> None:
    async with ThinkingApp(SCRIPT, seals=Seals([OLD])) as one, ThinkingApp(SCRIPT, seals=Seals([OLD])) as two:
        for here, there in ((one, two), (two, one)):
            assert (await there.reply(ask(await history(here))))["content"][-1]["text"] == "Sure."


@pytest.mark.promise("thinking.replicas", "thinking.seal-keys-rotate")
async def test_a_change_of_keys_one_server_after_the_other_interrupts_no_conversation() -> None:
    # First every server learns to read the new key, then each begins to write with it, then the old one goes.
    steps = [[OLD], [OLD, NEW], [NEW, OLD], [NEW]]
    async with ThinkingApp(SCRIPT, seals=Seals([OLD])) as before:
        oldest = await history(before)
    for here, there in pairwise(steps):
        async with ThinkingApp(SCRIPT, seals=Seals(here)) as one, ThinkingApp(SCRIPT, seals=Seals(there)) as two:
            assert (await two.reply(ask(await history(one))))["content"][-1]["text"] == "Sure."
            if OLD in there:
                assert (await one.reply(ask(await history(two))))["content"][-1]["text"] == "Sure."
                assert (await two.reply(ask(oldest)))["content"][-1]["text"] == "Sure."
            else:
                assert await two.refusal(ask(oldest)) == INVALID


@pytest.mark.promise("thinking.replicas", "thinking.signatures-verified")
async def test_a_server_with_another_key_refuses_with_the_documented_text() -> None:
    async with ThinkingApp(SCRIPT, seals=Seals([OLD])) as one, ThinkingApp(SCRIPT, seals=Seals([OTHER])) as two:
        messages = await history(one)
        assert await two.refusal(ask(messages)) == INVALID
        omitted = ask("What is two?", thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"})
        content = (await one.reply(omitted))["content"]
        assert (
            await two.refusal(ask([messages[0], {"role": "assistant", "content": content}, messages[2]])) == INVALID
        )
        # Where the model is not to think, no thought is read.
        assert (await two.reply(ask(messages, thinking=None)))["content"][-1]["text"] == "Forgotten."

"""How long a conversation takes to become a prompt, for every kind of model that has a template under `tests/`.

    python -m benchmarks.rendering [--rounds 20] [--only mistral]

Prints median and worst of the rounds in milliseconds of the processor's time, for 20 and 200 turns, with no tools and
with 40 of some 500 tokens each. Every round is a request of its own: its values are made anew, as a parser would make
them, before its time begins. Beside them stands the first render, when nothing has been kept from others.
"""

import argparse
import copy
import statistics
import time
from datetime import date
from pathlib import Path
from typing import Final

from tests.render.real_tools import REAL_TOOLS

from antiphon.dialogue.conversation import Conversation, Part, Text, Turn
from antiphon.dialogue.tools import Call, Result, Tool
from antiphon.ports.engine import ModelCard
from antiphon.render.prompt.builder import PromptBuilder

TODAY: Final = date(2026, 2, 3)
TEMPLATES: Final = Path("tests/render/families/templates")
SPECIAL: Final = frozenset({"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "[INST]", "[/INST]"})
CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WORDS: Final = "The test of the parser fails where the file ends inside of a quoted string, so look there first. "


def templates() -> dict[str, str]:
    """The chat templates by their families' names."""
    native = {path.stem: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.jinja"))}
    return {"universal": CHATML, **native}


def conversation(turns: int, tools: tuple[Tool, ...]) -> Conversation:
    """An agent's conversation: words, and with tools a call and its result in every other exchange."""
    told: list[Turn] = []
    owed: list[Part] = []
    for number in range(0, turns, 2):
        told.append(Turn("user", (*owed, Text(f"Step {number}. {WORDS * 3}"))))
        owed, reply = [], [Text(f"Done with {number}. {WORDS * 2}")]
        parts: list[Part] = [*reply]
        if tools and number % 4 == 0:
            tool = tools[number % len(tools)]
            parts.append(Call(f"toolu_{number:09}", tool.name, {"path": f"/src/{number}.py", "mode": "content"}))
            owed = [Result(f"toolu_{number:09}", tool.name, WORDS * 4)]
        told.append(Turn("assistant", tuple(parts)))
    last = Turn("user", (*owed, Text("And now the last one.")))
    return Conversation((Text(WORDS * 10),), (*told, last), None, tools)


def measure(builder: PromptBuilder, asked: Conversation, rounds: int) -> list[float]:
    """Milliseconds of each round."""
    times: list[float] = []
    for _ in range(rounds):
        fresh = copy.deepcopy(asked)
        start = time.process_time()
        builder.build(fresh, today=TODAY)
        times.append((time.process_time() - start) * 1000)
    return times


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    print(f"{'family':16} {'turns':>5} {'tools':>5} {'characters':>10} {'first':>8} {'median':>8} {'worst':>8}  ms")
    for name, template in templates().items():
        if options.only not in name:
            continue
        card = ModelCard("m", "m", 262_144, template, bos_token="<s>", eos_token="</s>", special_tokens=SPECIAL)
        for turns in (20, 200):
            for tools in ((), REAL_TOOLS):
                builder = PromptBuilder(card)
                asked = conversation(turns, tools)
                (first,) = measure(builder, asked, 1)
                times = measure(builder, asked, options.rounds)
                size = sum(len(segment.text) for segment in builder.build(asked, today=TODAY))
                print(
                    f"{name:16} {turns:5} {len(tools):5} {size:10} {first:8.2f} "
                    f"{statistics.median(times):8.2f} {max(times):8.2f}"
                )


if __name__ == "__main__":
    main()

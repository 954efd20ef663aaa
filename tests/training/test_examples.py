"""What the built-in model's adapter learned from: right calls, in the server's own rendering, and nothing held out."""

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from training.corpus import answers
from training.corpus.actions import NOUNS
from training.corpus.chat import Kind
from training.corpus.examples import Example, Maker
from training.corpus.jobs import written
from training.corpus.words import LISTS, Split, Words, part
from training.network.tokens import DAY, Tokens, builder, conversation, rendered, tokenized

from antiphon.dialogue.content import Text
from antiphon.dialogue.conversation import Conversation, Reasoning, Turn
from antiphon.dialogue.thinking import OFF, Thinking
from antiphon.dialogue.tools import Call, Result
from antiphon.render.prompt.builder import PromptBuilder
from antiphon.weights.builtin import DEFAULT, builtin_path
from training import cases

ANSWERS: Mapping[Kind, Sequence[tuple[str, str, bool]]] = {
    "small": [("Hello!", "Hello! How can I help you?", True)],
    "plain": [("What is gravity?", "Gravity is a force.", True), ("Tell me a tale.", "Once upon a time", False)],
}
COUNT = 400


@pytest.fixture(scope="module")
def prompts() -> PromptBuilder:
    return builder(builtin_path(DEFAULT))


def some(split: Split, seed: int = 5) -> list[Example]:
    return list(itertools.islice(Maker(split, ANSWERS).examples(seed), COUNT))


def taught_calls(example: Example) -> list[Call]:
    return [part for turn in example.turns if turn.taught for part in turn.parts if isinstance(part, Call)]


@pytest.mark.promise("adapter.taught-right")
@pytest.mark.parametrize("split", ["train", "held"])
def test_every_call_that_is_taught_is_one_of_a_known_tool_with_valid_input(split: Split):
    examples = some(split)
    for example in examples:
        tools = {tool.name: tool for tool in example.tools}
        for call in taught_calls(example):
            schema = dict(tools[call.name].schema)
            validator: Any = jsonschema.Draft202012Validator(schema)
            validator.validate(dict(call.input))
    assert sum(len(taught_calls(example)) for example in examples) > COUNT // 2


def test_every_call_has_its_result_and_every_conversation_ends_with_the_model():
    for example in some("train"):
        assert example.turns[-1].speaker == "assistant"
        for turn, following in itertools.pairwise(example.turns):
            called = [part.id for part in turn.parts if isinstance(part, Call)]
            told = [part.call_id for part in following.parts if isinstance(part, Result)]
            assert called == told if called else not told


@pytest.mark.promise("adapter.taught-right")
def test_what_is_learned_stands_in_the_very_prompt_that_the_server_makes(prompts: PromptBuilder):
    """The prompt of each reply, and the reply behind it, are the beginning of the whole example."""
    for example in some("train")[:150]:
        whole = rendered(example, prompts)
        for at, turn in enumerate(example.turns):
            if turn.speaker != "assistant":
                continue
            thinks = isinstance(turn.parts[0], Reasoning)
            asked = conversation(example, at)
            asked = Conversation(
                asked.system, asked.turns, tools=asked.tools, thinking=Thinking(100) if thinks else OFF
            )
            prompt = "".join(segment.text for segment in prompts.build(asked, today=DAY))
            assert whole.startswith(prompt), example.category
            said = whole[len(prompt) :].split("<|im_end|>", 1)[0]
            for piece in turn.parts:
                words = (
                    piece.text
                    if isinstance(piece, Text | Reasoning)
                    else f'<invoke name="{piece.name}">'
                    if isinstance(piece, Call)
                    else ""
                )
                assert words.strip() in said


def test_only_what_the_model_says_is_learned(prompts: PromptBuilder):
    def spell(text: str) -> list[int]:
        return [ord(character) for character in text]

    def learned(tokens: Tokens) -> str:
        return "".join(chr(id_) if learn else "\x00" for id_, learn in zip(tokens.ids, tokens.learned, strict=True))

    for example in some("train")[:150]:
        tokens = tokenized(example, prompts, spell)
        whole = rendered(example, prompts)
        assert whole.startswith("".join(map(chr, tokens.ids)))
        told = [stretch for stretch in learned(tokens).split("\x00") if stretch]
        taught = [turn for turn in example.turns if turn.taught]
        assert len(told) == len(taught)
        for stretch, turn in zip(told, taught, strict=True):
            assert not stretch.startswith("<thinking>"), "the server opens a thought, the model does not"
            assert stretch.endswith("<|im_end|>") != (turn.says == ("",))


def test_the_same_seed_gives_the_same_examples_and_another_one_others():
    assert some("train", 1) == some("train", 1)
    assert some("train", 1) != some("train", 2)
    alone = Maker("train", ANSWERS).examples(1, 17)
    assert next(alone) == some("train", 1)[17], "an example does not depend on those before it"


@pytest.mark.promise("adapter.held-out")
def test_words_nouns_and_jobs_of_the_cases_are_never_trained_on():
    for words in LISTS.values():
        held, train = set(part(words, "held")), set(part(words, "train"))
        assert held.isdisjoint(train)
        assert len(held) >= 2
    nouns = [one for one, _ in NOUNS]
    assert set(part(nouns, "held")).isdisjoint(part(nouns, "train"))
    assert not {action.noun for action in written("held")} & {action.noun for action in written("train")} - {
        "file",
        "money",
    }


def test_invented_words_are_for_training_only():
    rng = random.Random(3)
    known = set(LISTS["city"])
    assert {Words("train").one(rng, "city") for _ in range(300)} - known
    assert not {Words("held").one(rng, "city") for _ in range(300)} - known


@pytest.mark.promise("adapter.held-out")
def test_the_cases_that_ship_are_the_ones_that_the_recipe_makes(tmp_path: Path):
    made = cases.cases()
    assert len(made) == 300
    shipped = Path("src/antiphon/clients/evals/tools.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in shipped]
    assert [row["id"] for row in rows] == [case.id for case in made]
    for row, case in zip(rows, made, strict=True):
        assert row["request"] == json.loads(json.dumps(cases.request(case)))
        wanted = [{"name": call.name, "input": dict(call.input)} for call in case.calls]
        assert row["expect"]["calls"] == wanted


def test_the_cases_have_no_text_in_common_with_training():
    texts = {
        turn.parts[0].text for example in some("train") for turn in example.turns if isinstance(turn.parts[0], Text)
    }
    asked = [
        turn.parts[0].text for case in cases.cases() for turn in case.asked.turns if isinstance(turn.parts[0], Text)
    ]
    same = [text for text in asked if text in texts and len(text) > 25]
    assert not same


def test_the_scorer_of_the_trainer_reads_what_the_server_writes(prompts: PromptBuilder):
    made = [case for case in cases.cases() if case.calls][:80]
    for case in made:
        conversation_ = Conversation(
            case.asked.system,
            (*case.asked.turns, Turn("assistant", case.calls), Turn("user", (Text("-"),))),
            tools=case.asked.tools,
        )
        text = "".join(segment.text for segment in prompts.build(conversation_, today=DAY))
        reply = (
            text[text.rindex("<|im_start|>assistant\n<function_calls>") :].split("\n", 1)[1].split("<|im_end|>")[0]
        )
        assert cases.right(case, reply) == (True, True, True)
        assert cases.right(case, "I cannot do that.")[0] is False


def test_the_base_models_answers_are_there_and_whole():
    found = answers.read(Path("training/answers.jsonl.gz"))
    assert len(found["plain"]) > 1000
    assert len(found["small"]) > 50
    assert all(prompt and answer for rows in found.values() for prompt, answer, _ in rows)

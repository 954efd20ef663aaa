"""Examples packed into rows of one length, made by as many processes as the machine has to spare."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.corpus.answers import read
from training.corpus.examples import Maker
from training.corpus.words import Split
from training.network.encoding import tokenizer
from training.network.model import Packed
from training.network.tokens import Tokens, builder, tokenized

LONGEST: Final = 2048
"""Tokens; a longer example is left out."""

SEQUENCES: Final = 256
"""As many starts a row has room for, so that every row has one shape."""


class Rows(IterableDataset[Packed]):
    """Packed rows without end; each process makes examples of its own. `otherwise`: see `Maker`."""

    def __init__(
        self, model: Path, answers: Path, split: Split, seed: int, length: int, otherwise: float = 0.16
    ) -> None:
        self._otherwise = otherwise
        self._sources = (model, answers)
        self._split: Split = split
        self._seed = seed
        self._length = length

    def __iter__(self) -> Iterator[Packed]:
        model, answers = self._sources
        info = get_worker_info()
        number, count = (info.id, info.num_workers) if info else (0, 1)
        prompts, encoder = builder(model), tokenizer(model)
        maker = Maker(self._split, read(answers), otherwise=self._otherwise)
        start = self._seed * 100_000_000 + number * 1_000_000_000 // max(count, 1)

        def encode(text: str) -> list[int]:
            return encoder.encode(text, add_special_tokens=False).ids

        waiting: list[Tokens] = []
        room = self._length
        for example in maker.examples(self._seed, start):
            tokens = tokenized(example, prompts, encode)
            if len(tokens.ids) > min(LONGEST, self._length):
                continue
            if len(tokens.ids) > room or len(waiting) == SEQUENCES - 2:
                yield packed(waiting, self._length)
                waiting, room = [], self._length
            waiting.append(tokens)
            room -= len(tokens.ids)


def packed(examples: list[Tokens], length: int) -> Packed:
    """The examples as one row of the length, filled up with a sequence that nobody learns from."""
    tokens = torch.zeros(length, dtype=torch.long)
    positions = torch.zeros(length, dtype=torch.long)
    starts, learned, targets, at = [0], [], [], 0
    for example in examples:
        size = len(example.ids)
        tokens[at : at + size] = torch.tensor(example.ids)
        positions[at : at + size] = torch.arange(size)
        for place in range(1, size):
            if example.learned[place]:
                learned.append(at + place - 1)
                targets.append(example.ids[place])
        at += size
        starts.append(at)
    while at < length:
        size = min(LONGEST, length - at)
        positions[at : at + size] = torch.arange(size)
        at += size
        starts.append(at)
    starts += [length] * (SEQUENCES + 1 - len(starts))
    return Packed(
        tokens,
        positions,
        torch.tensor(starts, dtype=torch.int32),
        LONGEST,
        torch.tensor(learned),
        torch.tensor(targets),
    )


def loader(rows: Rows, processes: int) -> Iterator[Packed]:
    """The rows, made beside the training."""
    options: dict[str, Any] = {"prefetch_factor": 4} if processes else {}
    return iter(DataLoader(rows, batch_size=None, num_workers=processes, **options))

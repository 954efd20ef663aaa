"""Ask the base model what it says to plain prompts, so that its adapter learns to go on saying it.

    python -m training.ask MODEL.gguf OUT.jsonl.gz --count 3000
    python -m training.ask MODEL.gguf MORE.jsonl.gz --count 900 --seed 2 --beside OUT.jsonl.gz

One line an answer: kind, prompt, answer, and whether it came to its end within the limit.
"""

import argparse
import gzip
import json
from pathlib import Path
from typing import Final

import torch

from training.corpus.chat import prompts
from training.network.encoding import tokenizer
from training.network.model import Model

LIMIT: Final = 160
"""Tokens; a longer answer is learned as far as it goes."""

_ASKED: Final = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"
)


def main() -> None:
    """Ask the base model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=Path, help="answers of an earlier run: kept, and not asked for again")
    parser.add_argument("--at-once", type=int, default=1000)
    options = parser.parse_args()
    kept = gzip.decompress(options.beside.read_bytes()).decode() if options.beside else ""
    known = {json.loads(line)["prompt"] for line in kept.splitlines()}
    asked = [(kind, prompt) for kind, prompt in prompts(options.seed, "train", options.count) if prompt not in known]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Model(options.model, [], 1, 1.0).to_device(device)
    encoder = tokenizer(options.model)
    end = encoder.token_to_id("<|im_end|>")
    with gzip.open(options.out, "wt", encoding="utf-8") as out:
        out.write(kept)
        for start in range(0, len(asked), options.at_once):
            some = asked[start : start + options.at_once]
            ids = [
                encoder.encode(_ASKED.replace("{prompt}", prompt), add_special_tokens=False).ids for _, prompt in some
            ]
            for (kind, prompt), written in zip(some, model.write(ids, LIMIT, end), strict=True):
                answer = encoder.decode(written).strip()
                row = {"kind": kind, "prompt": prompt, "answer": answer, "ended": len(written) < LIMIT}
                if answer and not _circles(answer):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
            print(f"{start + len(some)} of {len(asked)}", flush=True)


def _circles(text: str) -> bool:
    """Whether a text repeats itself: nobody should learn that."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return len(lines) > 4 and len(set(lines)) < len(lines) * 0.7


if __name__ == "__main__":
    main()

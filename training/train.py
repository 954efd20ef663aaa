"""Train the adapter.

    python -m training.train MODEL.gguf OUT/ --seconds 400 --layers 10-29 --rank 32

Ends after `--seconds` or `--steps`; writes `adapter.gguf` (to go on from with `--resume`) and `log.jsonl`.
On a GPU minutes are enough; on a CPU it is a matter of a night.
"""

import argparse
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from training.cases import TUNING_SEED, Case, cases, right
from training.export import export_adapter
from training.network.adapters import load_adapter, pairs_of
from training.network.batches import Rows, loader
from training.network.encoding import tokenizer
from training.network.model import PROJECTIONS, Model, Packed
from training.network.tokens import DAY, builder


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the training is: the part of its time or steps that is over, between 0 and 1."""

    seconds: float
    steps: int
    began: float

    def at(self, step: int) -> float:
        """The part that is over."""
        by_time = (time.monotonic() - self.began) / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_time, step / self.steps if self.steps else 0.0))


def adapted(layers: str, projections: str) -> list[tuple[int, str]]:
    """The places of adapters: "10-29" and "ffn_up,ffn_down"."""
    first, _, last = layers.partition("-")
    names = PROJECTIONS if projections == "all" else tuple(projections.split(","))
    return [(layer, name) for layer in range(int(first), int(last or first) + 1) for name in names]


def main() -> None:
    """Train, as the arguments say."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_float32_matmul_precision("high")
    device = torch.device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    options.out.mkdir(parents=True, exist_ok=True)
    examples = Rows(options.model, options.answers, "train", options.seed, options.length, options.otherwise)
    rows = loader(examples, options.processes)
    model = Model(
        options.model, adapted(options.layers, options.projections), options.rank, options.alpha / options.rank
    )
    model.to_device(device)
    if options.resume:
        load_adapter(model, options.resume)
    if options.learn:
        _freeze(model, adapted(options.learn, "all"))
    if device.type == "cuda" and not options.plain:
        model.compiled()
    with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:

        def tell(**what: Any) -> None:
            line = json.dumps(what)
            print(line, flush=True)
            log.write(line + "\n")
            log.flush()

        size = sum(parameter.numel() for parameter in model.adapters.parameters())
        tell(
            parameters=size,
            device=str(device),
            layers=options.layers,
            projections=options.projections,
            rank=options.rank,
        )
        _train(model, rows, options, device, tell)
        export_adapter(pairs_of(model), options.alpha, options.out / "adapter.gguf")
        if options.judge:
            tell(**judged(model, options.model, options.out, device))


def _freeze(model: Model, learned: Sequence[tuple[int, str]]) -> None:
    """Leave all adapters but these as they are. Nothing is computed backwards below the first that is learned."""
    names = {f"{layer}-{name}" for layer, name in learned}
    for name, adapter in model.adapters.items():
        adapter.requires_grad_(name in names)


def _train(
    model: Model, rows: Iterator[Packed], options: argparse.Namespace, device: torch.device, tell: Any
) -> None:
    wanted = [parameter for parameter in model.adapters.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        wanted, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=device.type == "cuda"
    )
    next_row = next(rows)
    progress = Progress(options.seconds, options.steps, time.monotonic())
    step, tokens, losses, said = 0, 0, [], time.monotonic()
    while True:
        over = progress.at(step)
        if over >= 1.0:
            break
        warm = min(1.0, (step + 1) / options.warm_up)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * over)))
        row, next_row = next_row.to(device), next(rows)
        loss = model.loss(row)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(wanted, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        step += 1
        tokens += len(row.tokens)
        if step % options.every == 0:
            mean = float(torch.stack(losses).mean())
            now = time.monotonic()
            tell(
                step=step,
                loss=round(mean, 4),
                tokens=tokens,
                per_second=round(len(losses) * options.length / (now - said)),
                over=round(over, 3),
            )
            losses, said = [], now
    tell(step=step, tokens=tokens, seconds=round(time.monotonic() - progress.began, 1))


def judged(
    model: Model, path: Path, out: Path, device: torch.device, *, at_once: int = 100, most: int = 300
) -> dict[str, Any]:
    """The scores on the held-out cases; what was said goes to `replies.jsonl`."""
    prompts, encoder = builder(path), tokenizer(path)
    end = encoder.token_to_id("<|im_end|>")
    everything = cases(seed=TUNING_SEED)
    asked = [
        encoder.encode(
            "".join(segment.text for segment in prompts.build(case.asked, today=DAY)), add_special_tokens=False
        ).ids
        for case in everything
    ]
    order = sorted(range(len(asked)), key=lambda at: len(asked[at]))
    replies: dict[int, str] = {}
    for start in range(0, len(order), at_once):
        some = order[start : start + at_once]
        written = model.write([asked[at] for at in some], most, end)
        replies |= {at: encoder.decode(ids, skip_special_tokens=False) for at, ids in zip(some, written, strict=True)}
    scores: dict[str, list[tuple[Case, tuple[bool, bool, bool]]]] = {}
    with (out / "replies.jsonl").open("w", encoding="utf-8") as file:
        for at, case in enumerate(everything):
            score = right(case, replies[at])
            scores.setdefault(case.category, []).append((case, score))
            wanted = [[call.name, dict(call.input)] for call in case.calls]
            row = {"id": case.id, "score": score, "reply": replies[at], "calls": wanted, "says": case.says}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    told: dict[str, Any] = {}
    for category, some in (*scores.items(), ("all", [one for each in scores.values() for one in each])):
        calling = [score for case, score in some if case.calls]
        told[category] = {
            "decision": round(sum(score[0] for _, score in some) / len(some), 3),
            "tools": round(sum(score[1] for score in calling) / len(calling), 3) if calling else None,
            "exact": round(sum(score[2] for score in calling) / len(calling), 3) if calling else None,
            "whole": round(sum(score[2] for _, score in some) / len(some), 3),
        }
    return told


def _spare() -> int:
    """Processors beside the one that trains: one process makes about 75 examples/s, and a GPU learns 240."""
    return max(1, (os.cpu_count() or 1) - 2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--answers", type=Path, default=Path(__file__).with_name("answers.jsonl.gz"))
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="how long to train; 0: as many steps as are asked for"
    )
    parser.add_argument("--steps", type=int, default=0, help="how many steps; 0: as long as is asked for")
    parser.add_argument("--length", type=int, default=32768, help="tokens of one step")
    parser.add_argument("--otherwise", type=float, default=0.16, help="share of requests that are said otherwise")
    parser.add_argument("--layers", default="0-29")
    parser.add_argument("--projections", default="all", help=f"some of {', '.join(PROJECTIONS)}, or all")
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--alpha", type=float, default=32.0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=int, default=40, help="steps in which the learning rate grows")
    parser.add_argument("--learn", default="", help="layers whose adapters are learned, the others stay; all of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=50, help="steps between two lines of the log")
    parser.add_argument("--processes", type=int, default=_spare(), help="processes that make examples")
    parser.add_argument("--resume", type=Path, help="an adapter to go on from")
    parser.add_argument("--device", default="")
    parser.add_argument("--plain", action="store_true", help="do not compile the layers")
    parser.add_argument("--judge", action="store_true", help="score the held-out cases at the end")
    options = parser.parse_args()
    if not options.seconds and not options.steps:
        parser.error("say how long to train: --seconds or --steps")
    return options


if __name__ == "__main__":
    main()

"""What an application does with batches through an official Python SDK's public API only. Runs on both lines.

Prints one JSON object, a key a scenario. Imports nothing of Antiphon. FRONTS: servers over one store; what is made at
one is asked for at the next.
"""

import asyncio
import json
import os
import time
import traceback

import anthropic

FRONTS = os.environ["FRONTS"].split(",")
PATIENCE = 60.0


def client(number=0, **options):
    return anthropic.Anthropic(base_url=FRONTS[number % len(FRONTS)], max_retries=0, **options)


def row(custom_id, content="Hi", **more):
    messages = [{"role": "user", "content": content}]
    return {
        "custom_id": custom_id,
        "params": {"model": "claude-opus-4-8", "max_tokens": 50, "messages": messages, **more},
    }


def wait(batches, id_, status="ended"):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        batch = batches.retrieve(id_)
        if batch.processing_status == status:
            return batch
        time.sleep(0.05)
    raise TimeoutError(batch)


def told(batch):
    return json.loads(batch.to_json())


def round_trip():
    """Create, poll, fetch."""
    created = client().messages.batches.create(requests=[row("one"), row("two"), row("bad", stream=True)])
    batches = client(1).messages.batches
    ended = wait(batches, created.id)
    results = list(batches.results(created.id))
    return {
        "created": [created.type, created.processing_status, told(created)["request_counts"], created.results_url],
        "keys": sorted(told(ended)),
        "counts": told(ended)["request_counts"],
        "url": ended.results_url.startswith(FRONTS[1 % len(FRONTS)]),
        "ids": sorted(result.custom_id for result in results),
        "types": {result.custom_id: result.result.type for result in results},
        "texts": [r.result.message.content[0].text for r in results if r.result.type == "succeeded"],
        "tiers": [r.result.message.usage.service_tier for r in results if r.result.type == "succeeded"],
        "error": [json.loads(r.result.error.to_json()) for r in results if r.result.type == "errored"],
    }


def beta():
    """The same by the names of the beta."""
    batches = client().beta.messages.batches
    created = batches.create(requests=[row("one")], betas=["output-300k-2026-03-24"])
    wait(batches, created.id)
    found = [result.result.type for result in batches.results(created.id)]
    batches.delete(created.id)
    return found


def too_early():
    """Results of what runs: the SDK itself raises, without asking."""
    batches = client().messages.batches
    created = batches.create(requests=[row("one", "slow")])
    try:
        batches.results(created.id)
    except anthropic.AnthropicError as error:
        return type(error).__name__
    finally:
        batches.cancel(created.id)
    return None


def pages():
    """The pager, both ways."""
    batches = client().messages.batches
    made = [batches.create(requests=[row("one")]).id for _ in range(7)][::-1]
    newest = [batch.id for batch in client(1).messages.batches.list(limit=3)][:7]
    before = [batch.id for batch in batches.list(limit=2, before_id=made[6])]
    return {"newest": newest == made, "before": sorted(before) == sorted(made[:6]), "first": before[:2] == made[4:6]}


def cancel_and_delete():
    """Cancel what runs; delete before and after."""
    batches = client().messages.batches
    created = batches.create(requests=[row(f"id-{number}", "slow") for number in range(60)])
    try:
        batches.delete(created.id)
        refused = None
    except anthropic.BadRequestError as error:
        refused = error.body["error"]["message"]
    canceled = client(1).messages.batches.cancel(created.id)
    ended = wait(batches, created.id)
    counts = told(ended)["request_counts"]
    found = [result.result.type for result in batches.results(created.id)]
    deleted = json.loads(batches.delete(created.id).to_json())
    try:
        client(1).messages.batches.retrieve(created.id)
        gone = None
    except anthropic.NotFoundError as error:
        gone = error.body["error"]["message"]
    return {
        "refused": refused,
        "canceling": [canceled.processing_status, canceled.cancel_initiated_at is not None],
        "sum": sum(counts.values()),
        "canceled": found.count("canceled") == counts["canceled"] > 0,
        "deleted": [deleted["type"], deleted["id"] == created.id],
        "gone": gone == f"Message Batch {created.id} not found.",
    }


def asynchronous():
    """The async client."""

    async def run():
        async with anthropic.AsyncAnthropic(base_url=FRONTS[0], max_retries=0) as sdk:
            created = await sdk.messages.batches.create(requests=[row("one"), row("two")])
            until = time.monotonic() + PATIENCE
            while (await sdk.messages.batches.retrieve(created.id)).processing_status != "ended":
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
            return sorted([result.custom_id async for result in await sdk.messages.batches.results(created.id)])

    return asyncio.run(run())


SCENARIOS = (round_trip, beta, too_early, pages, cancel_and_delete, asynchronous)


def main():
    results = {}
    for scenario in SCENARIOS:
        try:
            results[scenario.__name__] = scenario()
        except Exception:
            results[scenario.__name__] = {"raised": traceback.format_exc()}
    print(json.dumps(results))


main()

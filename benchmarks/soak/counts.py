"""What the server itself counts, to hold beside what clients were told."""

import collections
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.soak.clients import Told
from benchmarks.soak.surroundings import Served

STILL = (
    *("antiphon_requests_in_flight", "antiphon_engine_waiting"),
    *("antiphon_batch_requests", "antiphon_sandbox_containers"),
)
"""What is 0 where nothing is asked."""
COMPARED = ("steady", "batched", "real")
"""Models whose replies are all read to their ends."""


@dataclass(slots=True)
class Counted:
    """The metrics, over all workers."""

    told: Told = field(default_factory=Told)
    still: collections.Counter[str] = field(default_factory=collections.Counter[str])

    @classmethod
    async def of(cls, session: aiohttp.ClientSession, served: Served) -> "Counted":
        """As they are now."""
        async with session.get(f"{served.url}/metrics", headers={"x-api-key": "soak-metrics"}) as reply:
            text = await reply.text()
        found = cls()
        for sample in (each for family in text_string_to_metric_families(text) for each in family.samples):
            labels, value = sample.labels, int(sample.value)
            match sample.name:
                case "antiphon_requests_total":
                    found.told.statuses[labels["endpoint"], int(labels["status"])] += value
                case "antiphon_replies_total":
                    found.told.ends[labels["model"], labels["end"]] += value
                case "antiphon_tokens_total" if labels["kind"] in ("input", "output"):
                    found.told.tokens[labels["model"], labels["kind"]] += value
                case name if name in STILL:
                    found.still[name] += value
                case _:
                    pass
        return found


async def reported(session: aiohttp.ClientSession, served: Served) -> collections.Counter[tuple[str, str]]:
    """The tokens of the usage report, of all time."""
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    query = {"starting_at": since, "bucket_width": "1d", "group_by[]": "model"}
    path = f"{served.url}/v1/organizations/usage_report/messages"
    async with session.get(path, params=query, headers={"x-api-key": served.admin}) as reply:
        if reply.status != 200:
            raise RuntimeError(await reply.text())
        for bucket in (await reply.json())["data"]:
            for result in bucket["results"]:
                found[result["model"], "input"] += result["uncached_input_tokens"]
                found[result["model"], "output"] += result["output_tokens"]
    return found


def differences(
    told: Told, counted: Counted, report: collections.Counter[tuple[str, str]], *, cut: bool
) -> list[str]:
    """Where the server's counts are not those of its clients. `cut`: replies were cut off by faults, whose tokens
    the server knows and their clients do not."""
    pairs: list[tuple[str, object, int, int]] = [
        *(
            ("replies", key, told.statuses[key], counted.told.statuses[key])
            for key in {*told.statuses, *counted.told.statuses}
        ),
        *(
            ("ends", key, told.ends[key], counted.told.ends[key])
            for key in {*told.ends, *counted.told.ends}
            if key[0] in COMPARED and key[1] != "broken"
        ),
    ]
    for key in told.tokens:
        if key[0] in COMPARED and not (cut and key[0] == "real"):
            pairs.append(("tokens", key, told.tokens[key], counted.told.tokens[key]))
            pairs.append(("tokens of the report", key, told.tokens[key] - told.free[key], report[key]))
    # Who is refused while it sends may find the connection closed before it reads why.
    unread = sum(own - seen for name, _, seen, own in pairs if name == "replies" and own > seen)
    return [
        f"{name} {key}: clients saw {seen}, the server {own}"
        for name, key, seen, own in pairs
        if seen != own and not (name == "replies" and own > seen and unread <= told.cut)
    ]

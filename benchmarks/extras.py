"""What it costs to have everything on that a team uses, with the scripted engine: against the same server without.

    python -m benchmarks.extras [--rounds 40]

On: keys that were made, limits of requests and tokens, records of use in a database, prices with a limit of money, a
guard rule that reads requests and replies, and the log as JSON with a line for each request. Both servers count for
/metrics. CPU time per request is compared in pairs, as in `benchmarks.overhead`.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp

from antiphon.web.server import allow_many_connections
from benchmarks.load import HEADERS, Server
from benchmarks.overhead import SCRIPT, fitted, pairs, record, row

ON = """
log_format = "json"
log_level = "info"
require_keys = true
[limits.all]
requests_per_minute = 10_000_000
input_tokens_per_minute = 10_000_000_000
output_tokens_per_minute = 10_000_000_000
[limits.money]
dollars_per_month = 1_000_000_000
[prices."*"]
input = 3
output = 15
[guard.lynx]
match = ['(?i)project lynx', 'never said']
"""


def made_key(folder: Path) -> str:
    """A key of a new database in the folder."""
    command = [sys.executable, "-m", "antiphon", "keys", "add", "bench", "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return next(word for word in done.stdout.split() if word.startswith("sk-"))


async def serve(name: str, folder: Path, toml: str, data: str) -> Server:
    """A server on the script, with these settings."""
    script, config = folder / "script.toml", folder / f"{name}.toml"
    script.write_text(SCRIPT)
    config.write_text(toml)
    options = ["--port", "0", "--model", f"script:{script}", "--config", str(config), "--data", data]
    server = await Server.start(name, "-m", "antiphon", "serve", *options)
    # The line that says it may be JSON.
    server.url = server.url.partition('"')[0]
    return server


async def measure(rounds: int) -> None:
    """Run both servers in turns and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = made_key(folder / "data")
        on = await serve("on", folder, ON, str(folder / "data"))
        off = await serve("off", folder, "", "off")
        # Both are asked in the same way; the one without keys takes any.
        HEADERS["x-api-key"] = key
        del HEADERS["authorization"]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            print("| stream | all on, per core | off, per core | ratio | half of the ratios are |")
            print("| --- | --- | --- | --- | --- |")
            for text, at_once in (("long", 8), ("short", 32)):
                events = (await record(session, off.url, text)).count(b"event: ")
                sides = [await fitted(session, server, text, at_once) for server in (on, off)]
                costs = await pairs(sides[0], sides[1], session, text, rounds)
                scale, unit = (events, "events/s") if text == "long" else (1, "requests/s")
                print(row(f"{text}: {events} events, {unit}", costs, scale), flush=True)
        await on.stop()
        await off.stop()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    allow_many_connections()
    asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()

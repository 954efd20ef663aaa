"""Prints docs/configuration.md from the table of options.

python scripts/configuration.py [--check]
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from antiphon.cli.options import default_text
from antiphon.config import (
    BUILTIN_SAMPLING,
    DEFAULT_MODEL,
    MODEL_OPTIONS,
    OPTIONS,
    WEB_FETCH_OPTIONS,
    WEB_SEARCH_OPTIONS,
    Option,
)
from antiphon.config.keys import NEW_KEY
from antiphon.config.option import CONFIG_ENV, CONFIG_FILE
from antiphon.config.tables.models import SAMPLING_OPTIONS
from antiphon.config.tables.names import ALIASES, PROFILES, ROUTES
from generated import write_or_check

ROOT = Path(__file__).resolve().parent.parent

_INTRODUCTION = f"""\
# Configuration

Nothing needs to be configured: `antiphon serve` listens on loopback and answers with the built-in model.

Every option can be given in three places. The first that says something wins:

1. a command-line flag,
2. an environment variable (an empty one says nothing),
3. a TOML file: `--config PATH`, or `{CONFIG_ENV}`, or `{CONFIG_FILE}` in the working directory if it is there.

A wrong value or an unknown name stops the start with a message that names the place and what is allowed there.
Relative paths are taken from the working directory. This page is made from the program's own table by `make docs`.
"""

_MODELS = """\
## Models: `[models.<id>]`

One table for each model to serve. The id is how `model` and `[routes]` call it; one that holds a dot goes in quotes.
With a single table, that model answers by default; with several, `model` says which.

`--model` may also name a source itself: the model is then served under an id made from the file's name. The flags and
variables for {flags} describe the default model and outrank its table; at the top
level of the file the same keys stand behind the table.
"""

_SAMPLING = f"""\
### Sampling: `[models.<id>.sampling]`

What a request's silence means for this model. Where nothing is set the API's defaults hold: temperature 1 and no cut.
The card of the built-in model says temperature {BUILTIN_SAMPLING.temperature} and top_p {BUILTIN_SAMPLING.top_p}:
it is served so unless its table says otherwise.
"""

_THINKING = f"""\
## Thinking: `[thinking]`

A thinking block that a client gets carries a seal: its `signature`, or the `data` of a redacted one. In it is all
that the model thought, encrypted and authenticated, so that the client can bring it back and neither read nor change
it. A seal opens as long as its key is known:

- Without a word about keys the first start makes one in `antiphon/thinking.key` of the user's state directory:
  `$XDG_STATE_HOME`, else `~/.local/state`, `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows.
  Only its owner may read it. Where the file can be neither read nor made, the server warns, and its seals end with
  the process.
- Servers that stand in for each other need the same keys: the same file, or the same `keys`.
- To change keys, put the new one first, on a line of its own; the old one below it still opens. A key is what
  `{NEW_KEY}` prints, and `#` begins a comment.

On the command line the keys would be open to every process of the machine, so there is no flag for them.
"""

_MEDIA = """\
## Images and PDFs: `[network]`, `[media]`

A client may send an image or a PDF as a URL. The server goes only to public addresses then, over https and only on
its own port, wherever names and redirects lead, and it asks the host's robots.txt. A host of your own network is
named in `network_allow_hosts`: it may be private, and is not asked. An entry opens one scheme, host and port to every
client of this server. URLs in requests are always https, as the API has it: an entry with http serves redirects
alone.

Files that strangers made are read by processes that hold nothing else. They are started when the first file comes,
limited in memory and time, and ended when there is nothing to read. Agents send all their files again with every
request: those that are still in the cache are not read anew, and a URL is not asked again for five minutes.
"""

_TOOLS = """\
## Server tools: `[server_tools]`

Tools that run inside the server, one table a tool. Web search, which asks Wikipedia then, and web fetch are there
without a table: `defaults = false` in `[server_tools]` switches both off, `enabled = false` in a table of theirs that
one. What the tools do is in [web search and web fetch](web-tools.md). Any other table belongs to
[a tool of your own](server-tools-port.md), and its keys are that tool's.
"""

_WEB_SEARCH = """\
### Web search: `[server_tools.web_search]`

A key is best kept out of the file, in a variable of the environment.
"""

_WEB_FETCH = """\
### Web fetch: `[server_tools.web_fetch]`

Which hosts may be reached is said in `[network]`; pages and PDFs are read by the processes of `[media]`.
"""

_MCP = """\
## MCP servers: `[mcp]`

Servers of tools that requests name: see [MCP servers](mcp.md). Which hosts may be reached is said in `[network]`.
"""

_NAMES = """\
## Names: `[routes]`, `[aliases]`, `[profiles.<name>]`

A request names a model of the API. Its *profile* says which rules hold for it (thinking modes, limits, sampling), and
the *route* which served model answers.
"""

_EXAMPLE = f"""\
## An example

```toml
port = 9000
model = "writer"

[models.writer]
source = "/srv/models/writer-8b-q4_k_m.gguf"
context = 16384
parallel = 2
sampling.temperature = 0.7

[models.{DEFAULT_MODEL}]
threads = 2

[routes]
claude-haiku-4-5 = "{DEFAULT_MODEL}"

[aliases]
house-model = "claude-sonnet-4-6"
```

Everything is answered by `writer`, except that requests for `claude-haiku-4-5` go to the small built-in model, and
`house-model` is one more name with the rules of `claude-sonnet-4-6`.
"""


def page() -> str:
    """The text of docs/configuration.md."""
    described = [option for option in OPTIONS if option.of_model]
    flags = ", ".join(f"`{option.name}`" for option in described[:-1]) + f" and `{described[-1].name}`"
    sections = (
        _INTRODUCTION,
        "## Options\n",
        *map(_section, OPTIONS),
        _MODELS.replace("{flags}", flags),
        _keys(MODEL_OPTIONS),
        _SAMPLING,
        _keys(SAMPLING_OPTIONS),
        _THINKING,
        _MEDIA,
        _TOOLS,
        _WEB_SEARCH,
        _keys(WEB_SEARCH_OPTIONS),
        _WEB_FETCH,
        _keys(WEB_FETCH_OPTIONS),
        _MCP,
        _NAMES,
        "\n".join(f"- `[{table.name}]`: {table.meaning}" for table in (ROUTES, ALIASES, PROFILES)) + "\n",
        _EXAMPLE,
    )
    return "\n".join(sections)


def _section(option: Option) -> str:
    flag = ", ".join(f"`{flag}`" for flag in (option.flag, option.off_flag) if flag) or "none"
    variables = ", ".join(f"`{name}`" for name in option.variables)
    key = f"`{option.key}` in `[{option.table}]`" if option.table else f"`{option.key}`"
    return f"""\
### `{option.name}`

{option.meaning}

| flag | variable | TOML key | value | default |
| --- | --- | --- | --- | --- |
| {flag} | {variables} | {key} | {_cell(option.kind.wanted)} | {_default(option)} |
"""


def _keys(options: Iterable[Option]) -> str:
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{option.name}` | {_cell(option.kind.wanted)} | {_default(option)} | {_cell(option.meaning)} |"
        for option in options
    ]
    return "\n".join(rows) + "\n"


def _default(option: Option) -> str:
    text = default_text(option)
    return text if text in ("none", option.unset) else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(write_or_check({ROOT / "docs" / "configuration.md": page()}, sys.argv[1:]))

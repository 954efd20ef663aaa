"""The one list of options: those of the server, here, and those of the tables. Flags, environment variables, TOML
keys, defaults, the help text and docs/configuration.md are all made from it, so that they cannot differ."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from antiphon.config.kinds import Choice, Host, Keys, Kind, Number, Switch, Text, Whole
from antiphon.config.option import ENV_PREFIX, Option
from antiphon.config.settings import DEFAULT_MODEL, Settings
from antiphon.config.tables import TABLES
from antiphon.config.tables.models import OUTSIDE_OPTIONS
from antiphon.config.visitors import HostNames, Networks, Origins


def _server(name: str, kind: Kind, meaning: str, flag: str | None = "", also: str = "") -> Option:
    return Option(name, kind, _SERVER_DEFAULTS[name], meaning, flag, also=also)


_SERVER_DEFAULTS: Mapping[str, Any] = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}

OPTIONS: tuple[Option, ...] = (
    _server("host", Host(), "Address to listen on. Any other than loopback needs an API key."),
    _server("port", Whole(0, 65_535, "PORT"), "Port to listen on; 0 = any free one."),
    _server(
        "workers",
        Whole(1, 256),
        "Processes that answer, on one port and over one engine. One is enough for a model in llama.cpp on this "
        "machine; see docs/scaling.md.",
    ),
    _server(
        "api_keys",
        Keys(),
        "Keys that clients must send, comma separated. None: every key is accepted, on loopback only.",
        "--api-key",
        also=f"{ENV_PREFIX}API_KEY",
    ),
    _server(
        "require_keys",
        Switch(),
        "Let nobody in without a key, also while none is set or made: keys come from `antiphon keys add`. See "
        "docs/keys.md.",
    ),
    _server(
        "metrics_keys",
        Keys(),
        "Keys that are good for `GET /metrics` and nothing else, comma separated; admin keys are, too. See "
        "docs/metrics.md.",
        None,
    ),
    Option(
        "model",
        Text("a model id or source", "MODEL"),
        DEFAULT_MODEL,
        "The model that answers by default: an id from [models], the built-in "
        f"{DEFAULT_MODEL}, a short name of `antiphon models list`, a PATH.gguf, hf:org/repo[:file] or script:PATH.",
    ),
    *OUTSIDE_OPTIONS,
    _server(
        "strict_betas", Switch(), "Refuse unknown anthropic-beta values as the API does, instead of ignoring them."
    ),
    _server(
        "extended_schemas",
        Switch(),
        "Under the API's model names, take every strict schema and output format that can be guaranteed, not "
        "only the API's subset.",
    ),
    _server(
        "accommodations",
        Switch(),
        "Accept from known clients what they cannot do better (docs/compatibility.md lists it), beside what the API "
        "accepts.",
    ),
    _server(
        "console",
        Switch(),
        "Pages for a browser at /console: they ask for no key, all that they show does. See docs/console.md.",
    ),
    _server("ping_after", Number(0.1, 3600, "SECONDS"), "Seconds of silence in a stream before a ping event."),
    _server(
        "commit_after",
        Number(0, 3600, "SECONDS"),
        "Seconds a stream waits for its first event before it sends the status line; "
        "failures until then keep their true status.",
    ),
    _server(
        "ready_timeout",
        Number(0, 3600, "SECONDS"),
        "Seconds a request waits for an engine that is starting or restarting.",
    ),
    _server("drain_timeout", Number(0, 3600, "SECONDS"), "Seconds that open requests get to finish at a stop."),
    _server(
        "keep_alive",
        Number(1, 86_400, "SECONDS"),
        "Seconds that an idle connection is kept for its client's next request; more than the pools of clients do.",
    ),
    _server(
        "cors_origins",
        Origins(),
        "Origins of pages in browsers that may call the server, beside those of this machine, comma separated; "
        "* = every one. The pages send `anthropic-dangerous-direct-browser-access: true`.",
    ),
    _server(
        "allowed_hosts",
        HostNames(),
        "Names that requests may call the server by, beside localhost and its address, comma separated, or * = all. "
        "Looked at while no API key is set, so that no web page comes in under a name of its own.",
    ),
    _server(
        "trusted_proxies",
        Networks(),
        "Addresses and networks of proxies that are believed what they say in `x-forwarded-…` headers, comma "
        "separated; from everybody else these say nothing.",
    ),
    _server("max_body", Whole(1024, 1_073_741_824, "BYTES"), "Largest request body in bytes; more is a 413."),
    _server("log_level", Choice(("debug", "info", "warning", "error")), "How much the log says."),
    _server(
        "log_format",
        Choice(("text", "json")),
        "Lines for people, or one JSON object a line, with a line for each request. See docs/operating.md.",
    ),
    *(option for table in TABLES for option in table.options),
)

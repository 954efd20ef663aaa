"""`[network]`: the way out to other hosts."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from antiphon.config.kinds import AllowedHost, AllowedHosts, Number, Text
from antiphon.config.option import Table, key_of


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How files are fetched from other hosts. `ca_file`: certificates (PEM) to trust of the allowed hosts, beside the
    system's own. `timeout`: seconds one file may take, all in all."""

    allow_hosts: tuple[AllowedHost, ...] = ()
    ca_file: str | None = None
    timeout: float = 30.0


_key = partial(key_of, "network", NetworkSettings())

NETWORK: Final = Table(
    "network",
    "How images and PDFs are fetched from URLs.",
    NetworkSettings,
    (
        _key(
            "allow_hosts",
            AllowedHosts(),
            "Hosts that images, PDFs and pages may come from, and MCP servers be on, although they are private, "
            "comma separated, each with a scheme and a port where they are not https and its own.",
        ),
        _key(
            "ca_file",
            Text("the path of a file", "PATH"),
            "File with certificates (PEM) of the allowed hosts' authorities, beside those that the system trusts.",
        ),
        _key(
            "timeout", Number(1, 600, "SECONDS"), "Seconds that one image, PDF or page may take to come from its URL."
        ),
    ),
)

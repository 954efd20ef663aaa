"""What a process that serves has of its machine: a socket, a log."""

import logging
import socket
import ssl
from typing import Final

from antiphon.compose.observer import StartError
from antiphon.config import Settings
from antiphon.web.logged import REQUESTS, JsonFormatter
from antiphon.web.server import ListenError, address, bind_all
from antiphon.web.tls import TlsError, tls_context

_OF_MCP: Final = ("mcp", "client", "httpx2")
"""What the package for MCP servers logs as: what these do wrong is told in our words, and not with its stacks."""

LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"


def log_as(settings: Settings, form: str, worker: int | None = None) -> None:
    """Let the log of this process say as much as the settings want, and as they want it. `form`: of lines that are
    text; `worker`: the number of the process, where there are several."""
    level = settings.log_level.upper()
    if settings.log_format == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter(worker))
        logging.basicConfig(level=level, handlers=[handler])
        logging.getLogger(REQUESTS).setLevel(logging.NOTSET)
    else:
        logging.basicConfig(level=level, format=form)
        logging.getLogger(REQUESTS).setLevel(logging.WARNING)
    if settings.log_level != "debug":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it tells of its own start and stop, as we do
        for name in _OF_MCP:
            logging.getLogger(name).setLevel(logging.CRITICAL)


def listen(settings: Settings) -> list[socket.socket]:
    """The listening sockets. Raises `StartError`."""
    try:
        return bind_all(settings.host, settings.port)
    except ListenError as problem:
        raise StartError(str(problem)) from problem


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """What connections are made with, where the settings name a certificate. Raises `StartError`."""
    if settings.tls.cert is None:
        return None
    try:
        return tls_context(settings.tls.cert, settings.tls.key)
    except TlsError as problem:
        raise StartError(f"tls: {problem}") from problem


def url_of(listener: socket.socket, settings: Settings) -> str:
    """Where a listening socket is reached."""
    host, port = address(listener)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls.cert else 'http'}://{shown}:{port}"

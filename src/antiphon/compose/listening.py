"""What a process that serves has of its machine: a socket, a log."""

import logging
import socket
from typing import Final

from antiphon.compose.observer import StartError
from antiphon.config import Settings
from antiphon.web.server import ListenError, address, bind_all

_OF_MCP: Final = ("mcp", "client", "httpx2")
"""What the package for MCP servers logs as: what these do wrong is told in our words, and not with its stacks."""

LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"


def log_as(settings: Settings, form: str) -> None:
    """Let the log of this process say as much as the settings want."""
    logging.basicConfig(level=settings.log_level.upper(), format=form)
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


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = address(listener)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"

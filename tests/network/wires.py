"""What a fetcher is given in tests instead of a network: a resolver with made-up answers, and sockets that remember
where they were to go."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.network.asking import SocketInfo


class Names:
    """A resolver. Each name has its answers, one a lookup; the last one stays."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self._answers = {name: list(each) for name, each in (answers or {}).items()}
        self.asked: list[str] = []

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append(host)
        if host not in self._answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        answers = self._answers[host]
        return tuple(answers.pop(0) if len(answers) > 1 else answers[0])

    def close(self) -> None:
        """There is nothing to close."""


class Wires:
    """Sockets for a fetcher. `attempts`: each address and port that one was opened for. They lead to `port` of this
    machine, or nowhere."""

    def __init__(self, port: int | None = None) -> None:
        self._port = port
        self.attempts: list[tuple[str, int]] = []

    def open(self, info: SocketInfo) -> socket.socket:
        self.attempts.append((info[4][0], info[4][1]))
        if self._port is None:
            raise ConnectionRefusedError("these wires lead nowhere")
        return _Rerouted(self._port)


class _Rerouted(socket.socket):
    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._port = port

    def connect(self, address: Any, /) -> None:
        super().connect(("127.0.0.1", self._port))

"""The machine's own resolver, asked for what every machine knows."""

import socket
import threading

import pytest

from antiphon.network.resolver import SystemResolver


async def test_the_machine_knows_itself():
    resolver = SystemResolver()
    found = await resolver.addresses("localhost", 443)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert len(set(found)) == len(found) > 0
    resolver.close()


async def test_a_name_that_cannot_be_one_has_no_address():
    resolver = SystemResolver()
    with pytest.raises((OSError, ValueError)):
        await resolver.addresses("a" * 300, 443)
    resolver.close()


async def test_lookups_do_not_take_the_threads_of_others(monkeypatch: pytest.MonkeyPatch):
    names: list[str] = []

    def lookup(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        names.append(threading.current_thread().name)
        return [
            (2, 1, 6, "", ("192.0.2.1", 443)),
            (2, 1, 6, "", ("192.0.2.1", 443)),
            (2, 1, 6, "", ("192.0.2.2", 443)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    resolver = SystemResolver()
    assert await resolver.addresses("example.com", 443) == ("192.0.2.1", "192.0.2.2")
    assert [name.startswith("antiphon-dns") for name in names] == [True]
    resolver.close()

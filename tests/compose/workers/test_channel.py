"""What the parent and a worker say to each other arrives whole, in order, or not at all."""

import asyncio
import socket
from typing import Any

from antiphon.compose.workers.channel import Channel


async def pair() -> tuple[Channel, Channel, list[tuple[dict[str, Any], bytes]], asyncio.Event]:
    """Two ends; what the second hears, and whether it is cut."""
    one, other = socket.socketpair()
    heard: list[tuple[dict[str, Any], bytes]] = []
    lost = asyncio.Event()
    first = await Channel.open(one, lambda message, data: None, lambda: None)
    second = await Channel.open(other, lambda message, data: heard.append((message, data)), lost.set)
    return first, second, heard, lost


async def test_messages_of_any_size_arrive_in_order_and_before_the_end():
    first, second, heard, lost = await pair()
    sent = [
        ({"n": number, "text": "ü" * number}, bytes(range(256)) * size) for number, size in enumerate((0, 1, 9_000))
    ]
    for message, data in sent:
        first.send(message, data)
    await first.aclose()
    async with asyncio.timeout(10):
        await lost.wait()
    assert heard == sent
    await second.aclose()


async def test_nothing_happens_when_the_other_end_is_gone():
    first, second, heard, lost = await pair()
    await first.aclose()
    await first.aclose()
    first.send({"late": True})
    async with asyncio.timeout(10):
        await lost.wait()
    second.send({"later": True})
    assert heard == []


async def test_a_message_that_comes_in_pieces_is_heard_once_it_is_whole():
    one, other = socket.socketpair()
    heard: list[tuple[dict[str, Any], bytes]] = []
    came = asyncio.Event()
    written = bytearray()

    def hear(message: dict[str, Any], data: bytes) -> None:
        heard.append((message, data))
        came.set()

    channel = Channel(hear, lambda: None)
    with one, other:
        recording = await Channel.open(one, lambda message, data: None, lambda: None)
        recording.send({"a": 1}, b"xyz")
        recording.send({"b": 2})
        await recording.aclose()
        while data := other.recv(100):
            written += data
    for byte in written:
        channel.data_received(bytes([byte]))
    assert heard == [({"a": 1}, b"xyz"), ({"b": 2}, b"")]

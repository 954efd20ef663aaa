"""Whose certificates are believed."""

import asyncio
import ssl


class Trust:
    """The system's authorities; for owned hosts also those in `ca_file` (PEM).

    Raises OSError if `ca_file` cannot be read or holds no certificate.
    """

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._made: dict[bool, ssl.SSLContext] = {}
        if ca_file is not None:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)

    async def context(self, *, owned: bool) -> ssl.SSLContext:
        """What a connection verifies its host with."""
        if owned not in self._made:
            # Reading the system's store takes some 50 ms, which a server that fetches nothing need not pay.
            self._made[owned] = await asyncio.to_thread(_context, self._ca_file if owned else None)
        return self._made[owned]


def _context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context

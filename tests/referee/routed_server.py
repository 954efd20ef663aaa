"""The real program, for which every name leads to one port of this machine.

    python -m tests.referee.routed_server PORT serve --port 0 ...

What replaces the network is the answer of the name server, which is a public address, and the last step of a
connection. URLs, addresses, certificates and robots.txt are judged as they are for a user.
"""

import functools
import sys
from unittest.mock import patch

from antiphon.cli.main import main
from antiphon.compose import edges
from antiphon.network import GuardedFetcher
from tests.network.wires import Names, Wires

HOST = "upload.wikimedia.org"
ADDRESS = "198.35.26.112"


def routed(port: int) -> functools.partial[GuardedFetcher]:
    """A fetcher like the program's own, but for where its connections end."""
    return functools.partial(GuardedFetcher, resolver=Names({HOST: [[ADDRESS]]}), open_socket=Wires(port).open)


if __name__ == "__main__":
    with patch.object(edges, "GuardedFetcher", routed(int(sys.argv.pop(1)))):
        main()

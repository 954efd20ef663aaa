"""The real program, whose searches find what a test says.

python -m tests.referee.searching_server serve --port 0 ...
"""

from unittest.mock import patch

from antiphon.cli.main import main
from antiphon.compose import assembly
from antiphon.ports.server_tools import ServerTools
from tests.service.server_tools import ScriptedTool, fetcher


def server_tools(*_: object) -> ServerTools:
    """A search and a fetch that find something whatever they are asked."""
    return ServerTools((ScriptedTool(), fetcher()))


if __name__ == "__main__":
    with patch.object(assembly, "server_tools", server_tools):
        main()

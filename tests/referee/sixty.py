"""An MCP server of sixty tools over standard input and output: python -m tests.referee.sixty."""

from mcp.server.mcpserver import MCPServer


def main() -> None:
    """Serve until the client goes away."""
    server = MCPServer("sixty")
    for number in range(60):

        async def one(word: str = "", number: int = number) -> str:
            return f"thing {number} ran with {word}"

        server.add_tool(one, name=f"thing_{number:02}", description=f"Does thing {number}, as no other tool does.")
    server.run("stdio")


if __name__ == "__main__":
    main()

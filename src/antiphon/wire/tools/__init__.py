"""The definitions of tools: a client's own, the typed ones, those that run inside the server."""

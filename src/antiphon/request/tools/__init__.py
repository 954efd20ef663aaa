"""The tools of a request: the typed ones and their members, which may be called when, and what the server runs."""

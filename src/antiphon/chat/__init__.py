"""A conversation on a terminal, with any server of the Messages API, on the official SDK alone."""

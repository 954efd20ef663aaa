"""Where a turn is seen: a terminal, a pipe, lines of JSON."""

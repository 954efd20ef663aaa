"""Where code that nobody trusts runs, on this machine: drivers of the port `ports.sandbox`, and how one is chosen."""

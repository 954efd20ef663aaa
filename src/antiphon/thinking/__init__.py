"""Thinking as the server keeps it: budgets, thoughts that get nowhere, and the seal on what clients keep. Pure."""

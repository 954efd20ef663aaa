"""Thinking as the server keeps it: budgets, and the seal on what a client carries back. Pure."""

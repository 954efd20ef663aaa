"""Sandboxes of Linux's own namespaces, made by the program `bwrap`: one for each command, gone with it."""

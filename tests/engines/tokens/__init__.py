"""Engines that take and give tokens, at one URL."""

"""The console: pages of the server for a person with a browser. They are a client of the public API and of the
metrics, and load nothing from anywhere else."""

from antiphon.console.app import Page, console_pages

__all__ = ["Page", "console_pages"]

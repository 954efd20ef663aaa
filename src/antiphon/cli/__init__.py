"""The command line: `antiphon serve`, `models`, `doctor`, `keys`, `eval`."""

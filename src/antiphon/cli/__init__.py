"""The command line: `antiphon serve`, `models`, `doctor`, `eval`."""

"""Sizes as people read them."""


def megabytes(size: int) -> str:
    """A size as people compare files: MB below a gigabyte, GB above."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"

"""Users of the public API without a private door: they import nothing else of the package."""

"""Other models that are asked where one has declined."""

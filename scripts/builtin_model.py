"""Print the path of the built-in model's file."""

from antiphon.weights.builtin import DEFAULT, builtin_path

print(builtin_path(DEFAULT))

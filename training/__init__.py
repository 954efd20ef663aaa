"""How the built-in model learned to use tools: examples, training and export. Serving needs nothing of it."""

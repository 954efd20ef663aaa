"""The blocks that messages consist of, and what they hold."""

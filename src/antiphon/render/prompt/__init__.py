"""What is said to a model: a conversation becomes the segments of its prompt."""

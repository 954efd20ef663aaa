"""What is heard from a model: raw text, in pieces cut anywhere, becomes the events of a reply."""

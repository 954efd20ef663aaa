"""The model as PyTorch computes it, and the adapter that is trained on it."""

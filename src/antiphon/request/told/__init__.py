"""What the model is told: the wire's request becomes a conversation in neutral values."""

"""The words and sentences that training examples are made of."""

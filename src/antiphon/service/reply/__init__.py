"""A reply while it is made: reply ⊃ round ⊃ stretch ⊃ generation."""

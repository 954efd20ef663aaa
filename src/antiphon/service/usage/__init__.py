"""What requests came to: told by their replies, kept, summed up, and held against what may be spent."""

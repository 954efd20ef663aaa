"""Files that clients upload and tools make: kept, told of, given out, taken away."""

"""Half an hour of mixed traffic with faults: what grows, what leaks, and whether counts are those of clients."""

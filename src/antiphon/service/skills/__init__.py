"""Skills that clients upload and owners add: kept, told of, given out, found for a request."""

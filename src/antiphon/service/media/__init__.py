"""The files of a request while it is answered: fetched, read, kept for the next request."""

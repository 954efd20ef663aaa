"""The files of a request: which are to be read, and what is said of one that cannot be."""

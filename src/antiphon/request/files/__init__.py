"""What a client may say of files: their names, types and lifetimes, and the list of them."""

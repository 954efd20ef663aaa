"""What bounds a model while it writes: calls, thoughts and answers of a given form, as one grammar."""

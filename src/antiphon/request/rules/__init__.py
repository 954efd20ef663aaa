"""The rungs of the ladder, by subject. Strangers to each other: no file here knows another."""

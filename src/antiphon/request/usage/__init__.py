"""What admins may ask about use: buckets of time, what is told apart, what is left out."""

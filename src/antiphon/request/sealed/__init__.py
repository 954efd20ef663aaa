"""What clients carry for this server under its seal: thoughts, compactions, the texts of searches."""

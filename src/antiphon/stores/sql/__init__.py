"""Rows in a database that every process of a server shares: a SQLite file, or PostgreSQL."""

"""Pictures and documents, read where a hostile file cannot hurt the server."""

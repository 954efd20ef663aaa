"""Pictures, documents and web pages, read where a hostile file cannot hurt the server."""

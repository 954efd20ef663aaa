"""What is kept between two requests, and between two starts."""

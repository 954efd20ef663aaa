"""What a client may upload as a skill, and what it may ask of skills."""

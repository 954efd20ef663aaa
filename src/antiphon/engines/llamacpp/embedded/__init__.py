"""llama.cpp in a child process that is started here, watched, and started again where it dies."""

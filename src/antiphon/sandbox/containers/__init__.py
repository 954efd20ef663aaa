"""Sandboxes of a container engine, Docker or Podman, by its program: one container for each command."""

"""The public test of a server of the Messages API: black-box checks over HTTP, no question of a model's skill."""

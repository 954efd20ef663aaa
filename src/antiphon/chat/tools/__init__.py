"""Tools that run beside the chat, as the SDK's tool runner takes them."""

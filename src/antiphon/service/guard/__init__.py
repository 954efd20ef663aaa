"""The guard that an owner configures: rules, and a model that judges."""

"""Management commands of the chain."""

"""Management commands of the money."""

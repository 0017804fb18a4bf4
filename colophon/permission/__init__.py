"""May a model learn from this? Six vocabularies, one permission, the strictest wins."""

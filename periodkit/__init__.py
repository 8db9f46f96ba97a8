"""periodkit."""

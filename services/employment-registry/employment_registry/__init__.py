"""Employment registry: who is registered as employed, and which certificate they hold."""

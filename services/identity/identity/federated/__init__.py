"""Logins through other systems: the province, social card, business licence, certificates."""

"""Registers of other authorities; what an adapter says is in this service's words."""

"""Deeds: who acted for a unit, when, in what, as the services tell it."""

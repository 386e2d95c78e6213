"""Entrustments: a unit hands businesses to an agency, whose own people act for it."""

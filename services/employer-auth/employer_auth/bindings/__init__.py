"""Bindings: a unit and a person agree that the person may act for the unit."""

"""Grants: what a bound person may do for the unit, per business."""

"""单位授权码: an agent proves to the agency that they act for a unit (manual 004, 3)."""

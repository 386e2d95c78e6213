"""异议码: the legal representative can freeze a unit account that somebody took (EA-12)."""

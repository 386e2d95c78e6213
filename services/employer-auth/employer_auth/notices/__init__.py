"""What identity is asked to tell people: kept sealed until it has taken it over."""

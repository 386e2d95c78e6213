"""The outside systems this service speaks to, each behind a small Protocol."""

"""The outside systems the suite talks to, played over HTTP: they know nothing of the suite."""

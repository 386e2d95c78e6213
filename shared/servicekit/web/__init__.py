"""The HTTP edge of a service: who asks, what they may do, and what they are told."""

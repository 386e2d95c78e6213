"""What a service that comes later is told: accounts and units as they are now."""

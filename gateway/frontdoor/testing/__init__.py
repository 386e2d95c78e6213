"""A gateway, services and an identity to test with; never imported by the product."""

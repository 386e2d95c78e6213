"""The catalogue of businesses that can be granted, as the business services publish it."""

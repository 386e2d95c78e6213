"""Accounts as identity tells of them: standing, level, and the data of units."""

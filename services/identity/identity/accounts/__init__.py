"""Accounts (账号): registration of persons, their own data, locks."""

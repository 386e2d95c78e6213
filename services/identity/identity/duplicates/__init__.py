"""Duplicates (重复账号): several accounts of one person, found, compared, settled by two admins."""

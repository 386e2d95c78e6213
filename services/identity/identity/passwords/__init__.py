"""Passwords (密码): changed by their owner, given for one use, distrusted."""

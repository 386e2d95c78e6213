"""Cancelling an account (注销账号): asked for, cooled off, carried out, made unreadable."""

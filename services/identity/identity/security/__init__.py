"""The owner's pages about the own account's safety (账号安全)."""

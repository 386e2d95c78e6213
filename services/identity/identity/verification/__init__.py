"""Verification (实名认证): the evidence that raises a person's level, channel by channel."""

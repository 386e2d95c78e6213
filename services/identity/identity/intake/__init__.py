"""Intake (数据迁入): accounts of the systems before this one, from a file, with a dry run."""

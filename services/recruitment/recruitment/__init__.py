"""公共招聘: see README.md."""

"""单位授权: see README.md."""

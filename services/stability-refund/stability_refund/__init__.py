"""稳岗返还: see README.md."""

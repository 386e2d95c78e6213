"""人才绿卡: see README.md."""

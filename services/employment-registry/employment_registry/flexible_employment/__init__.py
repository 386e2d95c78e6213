"""灵活就业登记 (省系统操作指引 1.2): how people without an employer earn their living."""

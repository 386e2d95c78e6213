"""Units (单位): registration in three steps, the unit's own data, its name and representative."""

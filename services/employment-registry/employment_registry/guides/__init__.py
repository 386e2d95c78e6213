"""办事指南 (ER-10, PRT-06): what to know before applying, and whether the form would open."""

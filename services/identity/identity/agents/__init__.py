"""Account pages: 我经办的法人 for persons, 我的经办人 for units; employer-auth holds it all."""

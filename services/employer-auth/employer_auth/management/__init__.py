"""Management: a unit keeps somebody who manages, or its agents rest."""

"""Count what happens to registered people from the day on which they filed (ER-07).

Between filing and approval nobody asks a register, so what began then must end a registration too.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_UNEMPLOYED = """
UPDATE person_standing AS s SET since = a.submitted_at
FROM unemployment_record r JOIN unemployment_application a ON a.id = r.application_id
WHERE r.id = s.record_id AND a.submitted_at < s.since
"""
_EMPLOYED = """
UPDATE person_standing AS s SET since = a.submitted_at
FROM flexible_employment_application a
WHERE a.record_id = s.record_id AND a.kind = 'registration' AND a.submitted_at < s.since
"""


def upgrade() -> None:
    """Those who are registered already, too."""
    op.execute(_UNEMPLOYED)
    op.execute(_EMPLOYED)


def downgrade() -> None:
    """The filing is as good a beginning for the code before."""

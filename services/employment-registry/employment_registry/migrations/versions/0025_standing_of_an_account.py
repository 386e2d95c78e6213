"""Nobody is registered twice under one account either, whatever documents it had (ER-07)."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# Where an account has two already, the older one keeps it: an officer ends the other.
_OWNERS = """
UPDATE person_standing AS s SET applicant_id = o.applicant_id
FROM (
    SELECT p.record_id, r.applicant_id,
           row_number() OVER (PARTITION BY r.applicant_id ORDER BY p.since, p.record_id) AS place
    FROM person_standing p JOIN (
        SELECT id, applicant_id FROM unemployment_record WHERE is_valid
        UNION ALL SELECT id, applicant_id FROM flexible_employment_record WHERE is_valid
    ) r ON r.id = p.record_id
) o
WHERE o.record_id = s.record_id AND o.place = 1
"""


def upgrade() -> None:
    """Add the account, known of everybody who is registered."""
    op.add_column("person_standing", sa.Column("applicant_id", sa.String(80)))
    op.execute(_OWNERS)
    op.create_unique_constraint(
        "person_standing_applicant_id_key", "person_standing", ["applicant_id"]
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("person_standing", "applicant_id")

"""What a unit registered by stands on its account; names and numbers never change; consents end."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The last wall behind the rules: an account that has ended may be made unreadable, nothing else.
FIXED = {
    "account": ("login_name_index", "NEW.standing <> 'cancelled'"),
    "person": (
        "document_index",
        "(SELECT standing FROM account WHERE id = NEW.account_id) <> 'cancelled'",
    ),
    "unit": ("certificate_number", "true"),
}


def upgrade() -> None:
    op.add_column("account", sa.Column("certificate_type", sa.String(20)))
    op.add_column("agreement_acceptance", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE account SET certificate_type = unit.certificate_type FROM unit "
        "WHERE unit.account_id = account.id"
    )
    for table, (column, living) in FIXED.items():
        op.execute(
            f"""
            CREATE FUNCTION {table}_{column}_stays() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.{column} IS DISTINCT FROM OLD.{column} AND {living} THEN
                    RAISE EXCEPTION '{table}.{column} never changes'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END $$
            """
        )
        op.execute(
            f"CREATE TRIGGER {table}_{column}_stays BEFORE UPDATE OF {column} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_{column}_stays()"
        )


def downgrade() -> None:
    for table, (column, _) in FIXED.items():
        op.execute(f"DROP TRIGGER {table}_{column}_stays ON {table}")
        op.execute(f"DROP FUNCTION {table}_{column}_stays()")
    op.drop_column("agreement_acceptance", "withdrawn_at")
    op.drop_column("account", "certificate_type")

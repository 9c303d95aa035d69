"""The audit log is only added to: the databases themselves refuse to change or delete what was written.

A row may get its block once. Retention and repair are acts of the tables' owner, who has to lift the triggers first;
``wangdian audit verify`` finds what was done meanwhile.
"""

from alembic import op

revision = "k0004"
down_revision = "k0003"
branch_labels = None
depends_on = None

CONTENT = ("seq", "id", "at", "actor", "action", "object_type", "object_id", "unit", "purpose", "detail", "trace_id")
MESSAGE = "the audit log is only added to"


def _sealing(same: str) -> str:
    """The one update that is allowed: a row without a block gets one, and nothing else changes."""
    unchanged = " AND ".join(f"NEW.{name} {same} OLD.{name}" for name in CONTENT)
    return f"(OLD.block IS NULL AND NEW.block IS NOT NULL AND {unchanged})"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgres()
    else:
        _sqlite()


def _postgres() -> None:
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    sealing = _sealing("IS NOT DISTINCT FROM")
    for name, event, scope in (
        ("audit_row_kept", "UPDATE ON audit_row", f"ROW WHEN (NOT {sealing})"),
        ("audit_row_stays", "DELETE ON audit_row", "ROW"),
        ("audit_row_whole", "TRUNCATE ON audit_row", "STATEMENT"),
        ("audit_block_kept", "UPDATE OR DELETE ON audit_block", "ROW"),
        ("audit_block_whole", "TRUNCATE ON audit_block", "STATEMENT"),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} FOR EACH {scope} EXECUTE FUNCTION audit_refuse()")


def _sqlite() -> None:
    for name, event, condition in (
        ("audit_row_kept", "UPDATE ON audit_row", f"WHEN NOT {_sealing('IS')}"),
        ("audit_row_stays", "DELETE ON audit_row", ""),
        ("audit_block_kept", "UPDATE ON audit_block", ""),
        ("audit_block_stays", "DELETE ON audit_block", ""),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} {condition} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END")


def downgrade() -> None:
    for table, names in (
        ("audit_row", ("audit_row_kept", "audit_row_stays", "audit_row_whole")),
        ("audit_block", ("audit_block_kept", "audit_block_stays", "audit_block_whole")),
    ):
        for name in names:
            if op.get_bind().dialect.name == "postgresql":
                op.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
            else:
                op.execute(f"DROP TRIGGER IF EXISTS {name}")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse")

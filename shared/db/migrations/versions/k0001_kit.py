"""The kit's first tables: outbox, offsets, inbox, dead letters, idempotency, data keys, audit."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "k0001"
down_revision = None
branch_labels = ("kit",)
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "subject_sequence",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", Serial, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("published_at", Instant),
        sa.UniqueConstraint("event_id", name="uq_outbox_event_id"),
    )
    unpublished = sa.text("published_at IS NULL")
    op.create_index("ix_outbox_unpublished", "outbox", ["seq"], sqlite_where=unpublished, postgresql_where=unpublished)
    op.create_index("ix_outbox_published_at", "outbox", ["published_at"])
    if op.get_bind().dialect.name == "postgresql":
        # A queue table churns: vacuum by a fixed count, not by a share of its size.
        for name in ("outbox",):
            op.execute(
                f"ALTER TABLE {name} SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)"
            )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", Instant, nullable=False),
    )
    op.create_table(
        "consumer_offset",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("high_water", sa.BigInteger, nullable=False),
        sa.Column("updated_at", Instant, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("handler", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("handled_at", Instant, nullable=False),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at"])
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("first_seen", Instant, nullable=False),
        sa.Column("next_try", Instant),
        sa.CheckConstraint("state IN ('parked', 'waiting', 'dead', 'discarded', 'done')", name="ck_dead_letter_state"),
        sa.UniqueConstraint(
            "topic", "partition", "offset", "event_id", name="uq_dead_letter_topic_partition_offset_event_id"
        ),
    )
    op.create_index("ix_dead_letter_state_subject", "dead_letter", ["state", "subject"])
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "data_key",
        sa.Column("record_table", sa.Text, primary_key=True),
        sa.Column("record", sa.Text, primary_key=True),
        sa.Column("kid", sa.Text, nullable=False),
        sa.Column("wrapped", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
    )
    op.create_index("ix_data_key_kid", "data_key", ["kid"])


def downgrade() -> None:
    for name in (
        "data_key",
        "idempotency",
        "dead_letter",
        "inbox",
        "consumer_offset",
        "lease",
        "outbox",
        "subject_sequence",
    ):
        op.drop_table(name)

"""The kit's own tables, the same in every service's database (their migrations are a branch of their own)."""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.types import JsonText

KIT = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

subject_sequence = sa.Table(
    "subject_sequence",
    KIT,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

outbox = sa.Table(
    "outbox",
    KIT,
    sa.Column("seq", Serial, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.Text, nullable=False, unique=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("headers", JsonText, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("published_at", UTCDateTime),
)
sa.Index(
    "ix_outbox_unpublished",
    outbox.c.seq,
    sqlite_where=outbox.c.published_at.is_(None),
    postgresql_where=outbox.c.published_at.is_(None),
)
sa.Index("ix_outbox_published_at", outbox.c.published_at)

lease = sa.Table(
    "lease",
    KIT,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("until", UTCDateTime, nullable=False),
)

consumer_offset = sa.Table(
    "consumer_offset",
    KIT,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("log", sa.Text, nullable=False),
    sa.Column("next", sa.BigInteger, nullable=False),
    sa.Column("high_water", sa.BigInteger, nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
)

inbox = sa.Table(
    "inbox",
    KIT,
    sa.Column("handler", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Text, primary_key=True),
    sa.Column("handled_at", UTCDateTime, nullable=False, index=True),
)

dead_letter = sa.Table(
    "dead_letter",
    KIT,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("headers", JsonText, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_seen", UTCDateTime, nullable=False),
    sa.Column("next_try", UTCDateTime),
    sa.CheckConstraint("state IN ('parked', 'waiting', 'dead', 'discarded', 'done')", name="state"),
    # With the event's id, as the offsets of a log that was made anew begin again.
    sa.UniqueConstraint("topic", "partition", "offset", "event_id"),
)
sa.Index("ix_dead_letter_state_subject", dead_letter.c.state, dead_letter.c.subject)

idempotency = sa.Table(
    "idempotency",
    KIT,
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("headers", JsonText, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False, index=True),
)

data_key = sa.Table(
    "data_key",
    KIT,
    sa.Column("record_table", sa.Text, primary_key=True),
    sa.Column("record", sa.Text, primary_key=True),
    sa.Column("kid", sa.Text, nullable=False, index=True),
    sa.Column("wrapped", sa.Text, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
)

web_session = sa.Table(
    "web_session",
    KIT,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sub", sa.Text, nullable=False),
    sa.Column("staff", sa.Text),
    sa.Column("roles", JsonText, nullable=False),
    sa.Column("units", JsonText, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.Column("seen_at", UTCDateTime, nullable=False),
    sa.Column("ends_at", UTCDateTime, nullable=False, index=True),
)
"""Who sits at which browser; ``id`` is the hash of the cookie."""

live_head = sa.Table(
    "live_head",
    KIT,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)
"""How many changes each live topic has seen; a topic is what a screen watches, a branch's hall say."""

live_feed = sa.Table(
    "live_feed",
    KIT,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("at", UTCDateTime, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", JsonText, nullable=False),
)
"""The changes themselves, kept for an hour: who was cut off for longer looks at everything anew."""

policy = sa.Table(
    "policy",
    KIT,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("effective_from", UTCDateTime, nullable=False),
    sa.Column("body", JsonText, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("created_at", UTCDateTime, nullable=False),
    sa.UniqueConstraint("kind", "unit", "effective_from"),
)
"""What was decided (政策参数); a row is never changed, a later one takes its place."""

"""The replica's tables. They hold what the staff service last told, one row per entity, guarded by its sequence."""

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.db.tables import KIT
from shared.db.types import Bytewise

dir_unit = sa.Table(
    "dir_unit",
    KIT,
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text),
    sa.Column("path", Bytewise, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("cutoff", sa.Text, nullable=False),
    sa.Column("valid_from", UTCDateTime, nullable=False),
    sa.Column("valid_to", UTCDateTime),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

dir_person = sa.Table(
    "dir_person",
    KIT,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)

dir_qualification = sa.Table(
    "dir_qualification",
    KIT,
    sa.Column("qualification", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("valid_from", UTCDateTime, nullable=False),
    sa.Column("valid_to", UTCDateTime, nullable=False),
    sa.Column("revoked_at", UTCDateTime),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
sa.Index("ix_dir_qualification_person_code", dir_qualification.c.person, dir_qualification.c.code)

"""Units, people, qualifications, and the ids that the directory gives out."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "st0001"
down_revision = None
branch_labels = ("staff",)
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime
Bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "directory_id",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_directory_id"),
        sa.CheckConstraint("kind IN ('unit', 'person', 'qualification')", name="ck_directory_id_kind"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("parent", sa.Text),
        sa.Column("path", Bytewise, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("cutoff", sa.Text, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
        sa.ForeignKeyConstraint(["parent"], ["unit.id"], name="fk_unit_parent"),
        sa.UniqueConstraint("code", name="uq_unit_code"),
        sa.CheckConstraint("kind IN ('head_office', 'region', 'branch')", name="ck_unit_kind"),
        sa.CheckConstraint("valid_to > valid_from", name="ck_unit_period"),
    )
    op.create_index("ix_unit_parent", "unit", ["parent"])
    op.create_index("ix_unit_path", "unit", ["path"])
    op.create_table(
        "person",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("name_sealed", sa.Text, nullable=False),
        sa.Column("name_masked", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name="fk_person_unit"),
    )
    op.create_index("ix_person_unit_id", "person", ["unit", "id"])
    op.create_table(
        "qualification",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("valid_from", Instant, nullable=False),
        sa.Column("valid_to", Instant, nullable=False),
        sa.Column("evidence_ref", sa.Text),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", Instant, nullable=False),
        sa.Column("revoked_by", sa.Text),
        sa.Column("revoked_at", Instant),
        sa.Column("revoke_reason_sealed", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_qualification"),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_qualification_person"),
        sa.CheckConstraint("valid_to > valid_from", name="ck_qualification_period"),
    )
    op.create_index("ix_qualification_person_id", "qualification", ["person", "id"])


def downgrade() -> None:
    for name in ("qualification", "person", "unit", "directory_id"):
        op.drop_table(name)

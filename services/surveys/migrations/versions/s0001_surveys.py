"""The first tables of surveys: questionnaires, the invitation rule, invitations, responses."""

from datetime import UTC, datetime

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "s0001"
down_revision = None
branch_labels = ("surveys",)
depends_on = None

Instant = sqlmodel.sql.sqltypes.UTCDateTime

# The first rule: a week to answer, by whichever questionnaire is in force. A later rule is a row with a later date.
FIRST_RULE = {"effective_from": datetime(2000, 1, 1, tzinfo=UTC), "valid_days": 7, "questionnaire": None}


def upgrade() -> None:
    op.create_table(
        "questionnaire",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("versions", sa.Integer, nullable=False),
    )
    op.create_table(
        "questionnaire_version",
        sa.Column("code", sa.Text, sa.ForeignKey("questionnaire.code"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("published_at", Instant),
        sa.Column("effective_from", Instant),
        sa.Column("retired_at", Instant),
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name="ck_questionnaire_version_state"),
    )
    op.create_index("ix_questionnaire_version_effective_from", "questionnaire_version", ["effective_from"])
    op.create_table(
        "questionnaire_item",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("text_zh", sa.Text, nullable=False),
        sa.Column("text_en", sa.Text, nullable=False),
        sa.Column("scale_min", sa.Integer, nullable=False),
        sa.Column("scale_max", sa.Integer, nullable=False),
        sa.Column("required", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["code", "version"], ["questionnaire_version.code", "questionnaire_version.version"]),
        sa.UniqueConstraint("code", "version", "item", name="uq_questionnaire_item_code_version_item"),
        sa.CheckConstraint("scale_min < scale_max", name="ck_questionnaire_item_scale"),
    )
    rule = op.create_table(
        "invitation_rule",
        sa.Column("effective_from", Instant, primary_key=True),
        sa.Column("valid_days", sa.Integer, nullable=False),
        sa.Column("questionnaire", sa.Text),
        sa.CheckConstraint("valid_days BETWEEN 1 AND 366", name="ck_invitation_rule_valid_days"),
    )
    op.bulk_insert(rule, [FIRST_RULE])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("visit", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("ticket_class", sa.Text, nullable=False),
        sa.Column("window", sa.Text),
        sa.Column("staff", sa.Text),
        sa.Column("staff_external", sa.Text),
        sa.Column("completed_at", Instant, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("questionnaire", sa.Text),
        sa.Column("questionnaire_version", sa.Integer),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("invited_at", Instant),
        sa.Column("expires_at", Instant, nullable=False),
        sa.Column("answered_at", Instant),
        sa.Column("delivery", sa.Text, nullable=False),
        sa.Column("contact_tries", sa.Integer, nullable=False),
        sa.Column("contact_next_try", Instant, nullable=False),
        sa.UniqueConstraint("visit", name="uq_invitation_visit"),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
        sa.CheckConstraint(
            "state IN ('waiting_questionnaire', 'open', 'answered', 'expired')", name="ck_invitation_state"
        ),
        sa.CheckConstraint("delivery IN ('unknown', 'contact', 'slip')", name="ck_invitation_delivery"),
    )
    op.create_index("ix_invitation_state_expires_at", "invitation", ["state", "expires_at"])
    op.create_index("ix_invitation_delivery_contact_next_try", "invitation", ["delivery", "contact_next_try"])
    op.create_table(
        "response",
        sa.Column("invitation", sa.Text, sa.ForeignKey("invitation.id"), primary_key=True),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("business_date", sa.Date, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("ticket_class", sa.Text, nullable=False),
        sa.Column("submitted_at", Instant, nullable=False),
    )
    op.create_index("ix_response_unit_business_date", "response", ["unit", "business_date"])
    op.create_table(
        "response_answer",
        sa.Column("invitation", sa.Text, sa.ForeignKey("response.invitation"), primary_key=True),
        sa.Column("item", sa.Text, primary_key=True),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("score", sa.Integer, nullable=False),
        sa.Column("scale_min", sa.Integer, nullable=False),
        sa.Column("scale_max", sa.Integer, nullable=False),
        sa.CheckConstraint("score BETWEEN scale_min AND scale_max", name="ck_response_answer_score"),
    )


def downgrade() -> None:
    for name in (
        "response_answer",
        "response",
        "invitation",
        "invitation_rule",
        "questionnaire_item",
        "questionnaire_version",
        "questionnaire",
    ):
        op.drop_table(name)

"""Emergencies: who is appointed, sessions and their reviews, the nightly sheets and when they were opened.

Revision 9164f5c805ba, after 8053e4b7f4a9. New tables only. Reviews and openings are fenced: what was said stays said.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "9164f5c805ba"
down_revision: str | None = "8053e4b7f4a9"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHANGING = ("emergency_appointment", "emergency_session", "emergency_sheet")
APPEND_ONLY = {
    "emergency_review": (("session_id", "side"), ("session_id", "reviewer_id")),
    "emergency_opening": (("id",),),
}
"""Tables and their unique keys."""
VERDICT = "verdict IN ('justified','excessive','abuse')"
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make the tables and fence those that are only appended to."""
    make_appointments()
    make_sessions()
    make_sheets()
    fence(APPEND_ONLY, lasting=CHANGING)


def downgrade() -> None:
    """Drop them all; triggers and grants go with them."""
    for table in ("emergency_opening", "emergency_sheet", "emergency_review", "emergency_session"):
        op.drop_table(table)
    op.drop_table("emergency_appointment")


def make_appointments() -> None:
    """Make the list of who may open sessions and who keeps sheets."""
    op.create_table(
        "emergency_appointment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("office", sa.String(length=16), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("named_by", Id(), nullable=False),
        sa.Column("confirmed_by", Id(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("public_key", sa.LargeBinary(length=64), nullable=True),
        sa.Column("keyed_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", Id(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("office IN ('opener','custodian')", name=op.f("ck_emergency_appointment_office")),
        sa.CheckConstraint("until > since", name=op.f("ck_emergency_appointment_ends_after_start")),
        sa.ForeignKeyConstraint(["person_id"], ["contact.id"], name=op.f("fk_emergency_appointment_person_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_appointment")),
    )
    op.create_index(
        "uq_emergency_appointment_live",
        "emergency_appointment",
        ["person_id", "office"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def make_sessions() -> None:
    """Make sessions and what their reviewers say."""
    op.create_table(
        "emergency_session",
        sa.Column("id", Id(), nullable=False),
        sa.Column("actor_id", Id(), nullable=False),
        sa.Column("scenario", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("key_people", sa.Boolean(), nullable=False),
        sa.Column("departments", Json(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("digest_at", Instant(), nullable=False),
        sa.Column("review_due", Instant(), nullable=False),
        sa.Column("predicted", sa.Boolean(), nullable=False),
        sa.Column("renewed_at", Instant(), nullable=True),
        sa.Column("confirmed_by", Id(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", Id(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("digested_at", Instant(), nullable=True),
        sa.Column("deferred_by", Id(), nullable=True),
        sa.Column("deferral", sa.LargeBinary(), nullable=True),
        sa.Column("overdue_at", Instant(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "scenario IN ('disaster','public_health','safety','communication_outage','life_at_risk')",
            name=op.f("ck_emergency_session_scenario"),
        ),
        sa.CheckConstraint("cause IN ('ended','expired','revoked')", name=op.f("ck_emergency_session_cause")),
        sa.CheckConstraint(VERDICT, name=op.f("ck_emergency_session_verdict")),
        sa.CheckConstraint("until > opened_at", name=op.f("ck_emergency_session_ends_after_start")),
        sa.CheckConstraint("confirmed_by <> actor_id", name=op.f("ck_emergency_session_second_person")),
        sa.ForeignKeyConstraint(["actor_id"], ["contact.id"], name=op.f("fk_emergency_session_actor_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_session")),
    )
    op.create_index("ix_emergency_session_actor_id_id", "emergency_session", ["actor_id", "id"])
    op.create_index(
        "uq_emergency_session_open",
        "emergency_session",
        ["actor_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_emergency_session_next_at",
        "emergency_session",
        ["next_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "emergency_review",
        sa.Column("session_id", Id(), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("reviewer_id", Id(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("side IN ('infosec','hr')", name=op.f("ck_emergency_review_side")),
        sa.CheckConstraint(VERDICT, name=op.f("ck_emergency_review_verdict")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["emergency_session.id"], name=op.f("fk_emergency_review_session_id_emergency_session")
        ),
        sa.PrimaryKeyConstraint("session_id", "side", name=op.f("pk_emergency_review")),
        sa.UniqueConstraint("session_id", "reviewer_id", name=op.f("uq_emergency_review_session_id_reviewer_id")),
    )


def make_sheets() -> None:
    """Make the nightly sheets and the record of their openings."""
    op.create_table(
        "emergency_sheet",
        sa.Column("id", Id(), nullable=False),
        sa.Column("appointment_id", Id(), nullable=False),
        sa.Column("custodian_id", Id(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["emergency_appointment.id"],
            name=op.f("fk_emergency_sheet_appointment_id_emergency_appointment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_sheet")),
        sa.UniqueConstraint("custodian_id", "day", name=op.f("uq_emergency_sheet_custodian_id_day")),
    )
    op.create_table(
        "emergency_opening",
        sa.Column("id", Id(), nullable=False),
        sa.Column("sheet_id", Id(), nullable=False),
        sa.Column("custodian_id", Id(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["sheet_id"], ["emergency_sheet.id"], name=op.f("fk_emergency_opening_sheet_id_emergency_sheet")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_opening")),
    )
    op.create_index("ix_emergency_opening_sheet_id", "emergency_opening", ["sheet_id"])

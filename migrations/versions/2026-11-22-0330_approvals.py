"""Requests, who is asked in them, what was said and written, what they did, and protected values that they propose.

Revision 7f42d3a6e398, after 6e31c295d287. Decisions and comments are append-only on both engines; a request's row carries its whole course
under a MAC, so the index of tasks may change with it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "7f42d3a6e398"
down_revision: str | None = "6e31c295d287"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = {
    "approval_decision": (("id",), ("request_id", "round", "step", "person_id")),
    "approval_comment": (("id",),),
}
"""Table, and its unique keys."""
CHANGEABLE = ("approval_request", "approval_task", "approval_effect", "approval_value")


def upgrade() -> None:
    """Make the tables, fence what is appended, and let the service role work."""
    make_requests()
    make_records()
    fence(APPEND_ONLY, CHANGEABLE)


def downgrade() -> None:
    """Drop it all; triggers and grants go with the tables."""
    for table in (
        "approval_value",
        "approval_effect",
        "approval_comment",
        "approval_decision",
        "approval_task",
        "approval_request",
    ):
        op.drop_table(table)


def make_requests() -> None:
    """Make requests and the index of whom they ask."""
    op.create_table(
        "approval_request",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=98), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("requester_id", Id(), nullable=False),
        sa.Column("beneficiary_id", Id(), nullable=False),
        sa.Column("subject_type", sa.String(length=48), nullable=False),
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("filed_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("record", Json(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
    )
    due = text("next_at IS NOT NULL")
    op.create_index(
        "ix_approval_request_next_at", "approval_request", ["next_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_index("ix_approval_request_requester_id_id", "approval_request", ["requester_id", "id"])
    op.create_index("ix_approval_request_beneficiary_id_id", "approval_request", ["beneficiary_id", "id"])
    op.create_index("ix_approval_request_subject_id_kind", "approval_request", ["subject_id", "kind"])
    op.create_table(
        "approval_task",
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("step", sa.String(length=48), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=98), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        _of_request("approval_task"),
        sa.PrimaryKeyConstraint("request_id", "step", "person_id", name=op.f("pk_approval_task")),
    )
    waiting = text("open")
    op.create_index(
        "ix_approval_task_person_id_due_at",
        "approval_task",
        ["person_id", "due_at", "request_id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_approval_task_person_id_request_id", "approval_task", ["person_id", "request_id"])


def make_records() -> None:
    """Make what was said and written, what was done, and what is proposed."""
    op.create_table(
        "approval_decision",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=48), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("actor_id", Id(), nullable=False),
        sa.Column("word", sa.String(length=16), nullable=False),
        sa.Column("requester_id", Id(), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        _of_request("approval_decision"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_decision")),
        sa.UniqueConstraint(
            "request_id",
            "round",
            "step",
            "person_id",
            name=op.f("uq_approval_decision_request_id_round_step_person_id"),
        ),
    )
    op.create_index(op.f("ix_approval_decision_actor_id"), "approval_decision", ["actor_id"])
    op.create_table(
        "approval_comment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("author_id", Id(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        _of_request("approval_comment"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_comment")),
    )
    op.create_index(op.f("ix_approval_comment_request_id"), "approval_comment", ["request_id"])
    op.create_table(
        "approval_effect",
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effect", sa.String(length=48), nullable=False),
        sa.Column("result", Json(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=24), nullable=True),
        _of_request("approval_effect"),
        sa.PrimaryKeyConstraint("request_id", "number", name=op.f("pk_approval_effect")),
    )
    op.create_table(
        "approval_value",
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("field", sa.String(length=48), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        _of_request("approval_value"),
        sa.PrimaryKeyConstraint("request_id", "field", name=op.f("pk_approval_value")),
    )


def _of_request(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["request_id"], ["approval_request.id"], name=op.f(f"fk_{table}_request_id_approval_request")
    )

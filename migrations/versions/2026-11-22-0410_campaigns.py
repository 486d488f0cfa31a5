"""Reviews of rights and cards, and the mark on cards that nobody confirmed.

Revision a275067916cb, after 9164f5c805ba. New tables, one nullable column and its index: the release before this one knows none of them,
and rows that it writes carry no mark. What was opened and decided is append-only.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "a275067916cb"
down_revision: str | None = "9164f5c805ba"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHANGEABLE = ("campaign", "campaign_item", "campaign_plan")
APPEND_ONLY = {
    "campaign_decision": (("id",), ("item_id", "item_version")),
    "campaign_opening": (("item_id", "person_id"),),
}
"""Table, and its unique keys."""
KINDS = "kind IN ('rights','accuracy')"
STAGES = "stage IN ('preparing','asked','reminded','escalated','closed','cancelled')"
STATES = "state IN ('open','kept','shortened','revoked','ended','confirmed','disputed','suspended','retained','unconfirmed','moot')"


def upgrade() -> None:
    """Make the tables, fence what is appended, add the mark, and let the service role work."""
    unconfirmed = sa.text("unconfirmed_since IS NOT NULL")
    op.add_column("contact", sa.Column("unconfirmed_since", sa.Date(), nullable=True))
    op.create_index("ix_contact_unconfirmed", "contact", ["id"], sqlite_where=unconfirmed, postgresql_where=unconfirmed)
    make_campaigns()
    make_answers()
    fence(APPEND_ONLY, CHANGEABLE)


def downgrade() -> None:
    """Drop everything again, triggers and grants with it; what reviews ended stays ended."""
    for table in APPEND_ONLY:
        op.drop_table(table)
    op.drop_table("campaign_item")
    op.drop_table("campaign_plan")
    op.drop_table("campaign")
    op.drop_index("ix_contact_unconfirmed", table_name="contact")
    op.drop_column("contact", "unconfirmed_since")


def make_campaigns() -> None:
    """Make campaigns and when they begin."""
    due = sa.text("next_at IS NOT NULL")
    op.create_table(
        "campaign",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=True),
        sa.Column("started_by", Id(), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("answer_days", sa.Integer(), nullable=False),
        sa.Column("suspend_days", sa.Integer(), nullable=False),
        sa.Column("on_silence", sa.String(length=16), nullable=False),
        sa.Column("remind_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("suspend_at", Instant(), nullable=False),
        sa.Column("predicted", sa.Boolean(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("watched", sa.BigInteger(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_campaign_kind")),
        sa.CheckConstraint(STAGES, name=op.f("ck_campaign_stage")),
        sa.CheckConstraint("on_silence IN ('suspend','keep')", name=op.f("ck_campaign_on_silence")),
        sa.CheckConstraint("remind_at <= due_at AND due_at <= suspend_at", name=op.f("ck_campaign_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("slot", name=op.f("uq_campaign_slot")),
    )
    op.create_index("ix_campaign_next_at", "campaign", ["next_at"], sqlite_where=due, postgresql_where=due)
    running = sa.text("stage NOT IN ('closed','cancelled')")
    op.create_index(
        "uq_campaign_running", "campaign", ["kind"], unique=True, sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "campaign_plan",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_campaign_plan_kind")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_campaign_plan")),
    )


def make_answers() -> None:
    """Make items, decisions and openings."""
    ending = sa.text("state = 'shortened' AND ends_at IS NOT NULL")
    op.create_table(
        "campaign_item",
        sa.Column("id", Id(), nullable=False),
        sa.Column("campaign_id", Id(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=96), nullable=False),
        sa.Column("holder_id", Id(), nullable=True),
        sa.Column("account_id", Id(), nullable=True),
        sa.Column("detail", Json(), nullable=False),
        sa.Column("reviewer_id", Id(), nullable=True),
        sa.Column("post", sa.String(length=16), nullable=False),
        sa.Column("post_department_id", Id(), nullable=True),
        sa.Column("risk", sa.String(length=8), nullable=False),
        sa.Column("hints", Json(), nullable=False),
        sa.Column("held_since", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("decided_by", Id(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_campaign_item_state")),
        sa.CheckConstraint("risk IN ('low','high')", name=op.f("ck_campaign_item_risk")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_item_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_item")),
        sa.UniqueConstraint("campaign_id", "key", name=op.f("uq_campaign_item_campaign_id_key")),
    )
    op.create_index(
        "ix_campaign_item_campaign_id_reviewer_id_id", "campaign_item", ["campaign_id", "reviewer_id", "id"]
    )
    op.create_index("ix_campaign_item_campaign_id_state_id", "campaign_item", ["campaign_id", "state", "id"])
    op.create_index("ix_campaign_item_holder_id", "campaign_item", ["holder_id"])
    op.create_index(
        "ix_campaign_item_ends_at", "campaign_item", ["ends_at"], sqlite_where=ending, postgresql_where=ending
    )
    op.create_table(
        "campaign_decision",
        sa.Column("id", Id(), nullable=False),
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("person_id", Id(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_decision")),
        sa.UniqueConstraint("item_id", "item_version", name=op.f("uq_campaign_decision_item_id_item_version")),
    )
    op.create_table(
        "campaign_opening",
        sa.Column("item_id", Id(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_campaign_opening")),
    )

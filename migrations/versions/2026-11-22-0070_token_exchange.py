"""Back ends that may act for people, and since when a signing key is in its state.

Revision 4c1af273b065, after 3b09e162af54. ``client.exchanges`` is off for every client there is; the release before this one neither knows
the column nor lets in a client that has it (its row's MAC is then of more values than that release counts). ``signing_key.since`` is empty
for keys of before, whose state began when they were made.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.models import Instant

revision: str = "4c1af273b065"
down_revision: str | None = "3b09e162af54"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add both columns."""
    op.add_column("client", sa.Column("exchanges", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("signing_key", sa.Column("since", Instant(), nullable=True))


def downgrade() -> None:
    """Drop both; clients that may exchange must be made anew, since their rows no longer verify."""
    op.drop_column("signing_key", "since")
    op.drop_column("client", "exchanges")

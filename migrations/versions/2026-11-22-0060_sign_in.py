"""Sign-in of people: where front ends may be answered, passwords, one-time codes, authorization codes and refresh tokens.

Revision 3b09e162af54, after 2af8d0519e43. Only new tables: the release before this one does not know them and signs nobody in. Every row
that decides who somebody is carries a MAC; ``sign_in_failure`` counts and decides only how long somebody waits.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant, Json

revision: str = "3b09e162af54"
down_revision: str | None = "2af8d0519e43"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = (
    "redirect_uri",
    "password",
    "totp",
    "token_family",
    "authorization_code",
    "refresh_token",
    "sign_in_failure",
)


def upgrade() -> None:
    """Add the tables and let the service role work on them."""
    op.create_table(
        "redirect_uri",
        sa.Column("client_id", sa.String(63), nullable=False),
        sa.Column("uri", sa.String(512), nullable=False),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "uri", name=op.f("pk_redirect_uri")),
    )
    op.create_table(
        "password",
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.Column("temporary", sa.Boolean(), nullable=False),
        sa.Column("previous", Json(), nullable=False),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_password")),
    )
    op.create_table(
        "totp",
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_totp")),
    )
    op.create_table(
        "token_family",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("client_id", sa.String(63), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("acr", sa.String(128), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_family")),
    )
    op.create_index(op.f("ix_token_family_expires_at"), "token_family", ["expires_at"])
    op.create_table(
        "authorization_code",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("family_id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("client_id", sa.String(63), nullable=False),
        sa.Column("redirect_uri", sa.String(512), nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("acr", sa.String(128), nullable=False),
        sa.Column("auth_time", Instant(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authorization_code")),
    )
    op.create_index(op.f("ix_authorization_code_expires_at"), "authorization_code", ["expires_at"])
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("family_id", Id(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("jti", sa.String(128), nullable=False),
        sa.Column("access_expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_refresh_token")),
    )
    op.create_index(op.f("ix_refresh_token_family_id"), "refresh_token", ["family_id"])
    op.create_table(
        "sign_in_failure",
        sa.Column("key", sa.LargeBinary(16), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(op.f("ix_sign_in_failure_ends_at"), "sign_in_failure", ["ends_at"])
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO {name}")


def downgrade() -> None:
    """Drop them: whoever was signed in signs in elsewhere, and passwords and one-time codes are set up anew."""
    for table in reversed(TABLES):
        op.drop_table(table)

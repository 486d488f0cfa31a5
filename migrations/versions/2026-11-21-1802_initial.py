"""The tables of Part 1: contacts, departments, accounts, keys, ledger, outbox, and the access log in its own schema.

Revision aad5aa9e4ecf, the first.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.models import Id, Instant, Json

revision: str = "aad5aa9e4ecf"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Expand first: what the running release does not know must not stop it."""
    op.create_table(
        "access_grant",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("(contact_id IS NULL) <> (department_id IS NULL)", name=op.f("ck_access_grant_one_target")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_access_grant_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    with op.batch_alter_table("access_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_grant_account_id"), ["account_id"], unique=False)

    op.create_table(
        "audit_intent",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_intent")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_intent_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("scopes", Json(), nullable=False),
        sa.Column("ceiling", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epoch_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_client_state")),
        sa.CheckConstraint("secret_hash IS NULL OR length(secret_hash) = 32", name=op.f("ck_client_secret_hash")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
    )
    op.create_table(
        "contact_change",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_change")),
    )
    with op.batch_alter_table("contact_change", schema=None) as batch_op:
        batch_op.create_index("ix_contact_change_contact_id_row_version", ["contact_id", "row_version"], unique=False)

    op.create_table(
        "data_key",
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("length(handle) = 8", name=op.f("ck_data_key_handle")),
        sa.CheckConstraint("version BETWEEN 1 AND 65535", name=op.f("ck_data_key_version")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_data_key")),
        sa.UniqueConstraint("handle", name=op.f("uq_data_key_handle")),
    )
    with op.batch_alter_table("data_key", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_data_key_kek_version_subject_id"), ["kek_version", "subject_id"], unique=False
        )

    op.create_table(
        "department",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("parent_id", Id(), nullable=True),
        sa.Column("head_id", Id(), nullable=True),
        sa.Column("deputy_id", Id(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("legal_entity", sa.String(length=64), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_department_not_its_own_parent")),
        sa.ForeignKeyConstraint(["parent_id"], ["department.id"], name=op.f("fk_department_parent_id_department")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("code", name=op.f("uq_department_code")),
    )
    with op.batch_alter_table("department", schema=None) as batch_op:
        batch_op.create_index("ix_department_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "epoch",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_epoch")),
    )
    op.create_table(
        "hr_event",
        sa.Column("id", Id(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("problem", Json(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state IN ('applied','scheduled','waiting','superseded','failed')", name=op.f("ck_hr_event_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hr_event")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_hr_event_source_event_id")),
    )
    with op.batch_alter_table("hr_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hr_event_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index("ix_hr_event_event_id_client_id", ["event_id", "client_id"], unique=False)
        batch_op.create_index("ix_hr_event_subject_hash_at", ["subject_hash", "at"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("resource_id", Id(), nullable=True),
        sa.Column("receipt", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_idempotency_resource_id"), ["resource_id"], unique=False)

    op.create_table(
        "kek",
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_id", sa.String(length=64), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.CheckConstraint("purpose IN ('field', 'index', 'sign')", name=op.f("ck_kek_purpose")),
        sa.CheckConstraint("state IN ('next', 'current', 'previous', 'retired')", name=op.f("ck_kek_state")),
        sa.CheckConstraint("version > 0", name=op.f("ck_kek_version")),
        sa.PrimaryKeyConstraint("purpose", "version", name=op.f("pk_kek")),
    )
    with op.batch_alter_table("kek", schema=None) as batch_op:
        batch_op.create_index(
            "uq_kek_current",
            ["purpose"],
            unique=True,
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.create_table(
        "batch",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_batch")),
        schema="log",
    )
    op.create_table(
        "event",
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_event")),
        sa.UniqueConstraint("id", name=op.f("uq_event_id")),
        schema="log",
    )
    with op.batch_alter_table("event", schema="log") as batch_op:
        batch_op.create_index(batch_op.f("ix_event_actor_id_index"), ["actor_id", "index"], unique=False)
        batch_op.create_index(batch_op.f("ix_event_at_index"), ["at", "index"], unique=False)

    op.create_table(
        "head",
        sa.Column("id", sa.SmallInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head")),
        schema="log",
    )
    op.create_table(
        "leaf",
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_leaf")),
        schema="log",
    )
    op.create_table(
        "quota",
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("used", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("actor_id", "day", "kind", name=op.f("pk_quota")),
        schema="log",
    )
    op.create_table(
        "subject_entry",
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("bits", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", "index", name=op.f("pk_subject_entry")),
        schema="log",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("available_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_due",
            ["available_at"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.String(length=128), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_revoked_token")),
    )
    with op.batch_alter_table("revoked_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revoked_token_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=8), nullable=False),
        sa.Column("algorithm", sa.String(length=8), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.CheckConstraint("state IN ('next', 'current', 'previous', 'retired')", name=op.f("ck_signing_key_state")),
        sa.CheckConstraint("use IN ('log', 'token')", name=op.f("ck_signing_key_use")),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
    )
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.create_index(
            "uq_signing_key_current",
            ["use"],
            unique=True,
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.create_table(
        "user_account",
        sa.Column("id", Id(), nullable=False),
        sa.Column("user_name_key", sa.String(length=128), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("tier", sa.String(length=2), nullable=False),
        sa.Column("roles", Json(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("epoch_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'disabled')", name=op.f("ck_user_account_state")),
        sa.CheckConstraint("tier IN ('T0', 'T1', 'T2', 'T3', 'T4', 'T5')", name=op.f("ck_user_account_tier")),
        sa.CheckConstraint("user_name_key = lower(user_name_key)", name=op.f("ck_user_account_user_name_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_user_account_contact_id")),
        sa.UniqueConstraint("user_name_key", name=op.f("uq_user_account_user_name_key")),
    )
    op.create_table(
        "contact",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("worker_kind", sa.String(length=16), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("secrecy", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("name_en", sa.String(length=100), nullable=True),
        sa.Column("alias", sa.String(length=100), nullable=True),
        sa.Column("user_name", sa.String(length=128), nullable=True),
        sa.Column("user_name_key", sa.String(length=128), nullable=True),
        sa.Column("employee_no", sa.String(length=32), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=True),
        sa.Column("memberships", Json(), nullable=False),
        sa.Column("manager_id", Id(), nullable=True),
        sa.Column("dotted_manager_id", Id(), nullable=True),
        sa.Column("short_numbers", Json(), nullable=False),
        sa.Column("extension", sa.String(length=16), nullable=True),
        sa.Column("location", sa.String(length=100), nullable=True),
        sa.Column("duties", sa.String(length=500), nullable=True),
        sa.Column("work_area", sa.String(length=200), nullable=True),
        sa.Column("organisation", sa.String(length=200), nullable=True),
        sa.Column("relation", sa.String(length=100), nullable=True),
        sa.Column("contract_ref", sa.String(length=64), nullable=True),
        sa.Column("contract_until", sa.Date(), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("tags", Json(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.Column("backup_contact_id", Id(), nullable=True),
        sa.Column("office_phone", sa.LargeBinary(), nullable=True),
        sa.Column("fax", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("mobile", sa.LargeBinary(), nullable=True),
        sa.Column("wecom_id", sa.LargeBinary(), nullable=True),
        sa.Column("business_phone", sa.LargeBinary(), nullable=True),
        sa.Column("business_email", sa.LargeBinary(), nullable=True),
        sa.Column("personal_mobile", sa.LargeBinary(), nullable=True),
        sa.Column("personal_email", sa.LargeBinary(), nullable=True),
        sa.Column("wechat", sa.LargeBinary(), nullable=True),
        sa.Column("qq", sa.LargeBinary(), nullable=True),
        sa.Column("plate", sa.LargeBinary(), nullable=True),
        sa.Column("delivery_address", sa.LargeBinary(), nullable=True),
        sa.Column("home_address", sa.LargeBinary(), nullable=True),
        sa.Column("birth_date", sa.LargeBinary(), nullable=True),
        sa.Column("id_number", sa.LargeBinary(), nullable=True),
        sa.Column("private_notes", sa.LargeBinary(), nullable=True),
        sa.Column("archive", sa.LargeBinary(), nullable=True),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("(status = 'archived') = (archive IS NOT NULL)", name=op.f("ck_contact_archive")),
        sa.CheckConstraint(
            "kind IN ('employee','external','temporary','student','applicant','hotline')", name=op.f("ck_contact_kind")
        ),
        sa.CheckConstraint("secrecy IN ('normal','core','executive','protected')", name=op.f("ck_contact_secrecy")),
        sa.CheckConstraint(
            "status IN ('prehire','active','frozen','leaving','left','archived')", name=op.f("ck_contact_status")
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_contact_department_id_department")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("employee_no", name=op.f("uq_contact_employee_no")),
        sa.UniqueConstraint("user_name_key", name=op.f("uq_contact_user_name_key")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_department_id"), ["department_id"], unique=False)
        batch_op.create_index("ix_contact_name_id", ["name", "id"], unique=False)

    op.create_table(
        "contact_department",
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("department_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_department_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_contact_department_department_id_department")
        ),
        sa.PrimaryKeyConstraint("contact_id", "department_id", name=op.f("pk_contact_department")),
    )
    with op.batch_alter_table("contact_department", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_department_department_id"), ["department_id"], unique=False)

    op.create_table(
        "contact_tag",
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_tag_contact_id_contact")),
        sa.PrimaryKeyConstraint("contact_id", "tag", name=op.f("pk_contact_tag")),
    )
    with op.batch_alter_table("contact_tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_tag_tag"), ["tag"], unique=False)


def downgrade() -> None:
    """Give back the schema of the preceding revision."""
    with op.batch_alter_table("contact_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_tag_tag"))

    op.drop_table("contact_tag")
    with op.batch_alter_table("contact_department", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_department_department_id"))

    op.drop_table("contact_department")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_name_id")
        batch_op.drop_index(batch_op.f("ix_contact_department_id"))

    op.drop_table("contact")
    op.drop_table("user_account")
    with op.batch_alter_table("signing_key", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_signing_key_current",
            sqlite_where=sa.text("state = 'current'"),
            postgresql_where=sa.text("state = 'current'"),
        )

    op.drop_table("signing_key")
    with op.batch_alter_table("revoked_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revoked_token_expires_at"))

    op.drop_table("revoked_token")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_due", sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL")
        )

    op.drop_table("outbox")
    op.drop_table("subject_entry", schema="log")
    op.drop_table("quota", schema="log")
    op.drop_table("leaf", schema="log")
    op.drop_table("head", schema="log")
    with op.batch_alter_table("event", schema="log") as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_at_index"))
        batch_op.drop_index(batch_op.f("ix_event_actor_id_index"))

    op.drop_table("event", schema="log")
    op.drop_table("batch", schema="log")
    with op.batch_alter_table("kek", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_kek_current", sqlite_where=sa.text("state = 'current'"), postgresql_where=sa.text("state = 'current'")
        )

    op.drop_table("kek")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_resource_id"))
        batch_op.drop_index(batch_op.f("ix_idempotency_created_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("hr_event", schema=None) as batch_op:
        batch_op.drop_index("ix_hr_event_subject_hash_at")
        batch_op.drop_index("ix_hr_event_event_id_client_id")
        batch_op.drop_index(batch_op.f("ix_hr_event_contact_id"))

    op.drop_table("hr_event")
    op.drop_table("epoch")
    with op.batch_alter_table("department", schema=None) as batch_op:
        batch_op.drop_index("ix_department_parent_id")

    op.drop_table("department")
    with op.batch_alter_table("data_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_data_key_kek_version_subject_id"))

    op.drop_table("data_key")
    with op.batch_alter_table("contact_change", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_change_contact_id_row_version")

    op.drop_table("contact_change")
    op.drop_table("client")
    op.drop_table("audit_intent")
    with op.batch_alter_table("access_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_grant_account_id"))

    op.drop_table("access_grant")

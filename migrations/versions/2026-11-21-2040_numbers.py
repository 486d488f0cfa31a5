"""The number plan: domains, pools, ranges, numbers, who holds them, and the numbers that nobody may have.

Revision 7c3e9a51d0b2, after b7d2f09a6e14. A first domain is made, so that a pool can be made without a word about domains. Assignments are
history: triggers let a row be ended once and refuse everything else, and the service role may not delete there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant, Json

revision: str = "7c3e9a51d0b2"
down_revision: str | None = "b7d2f09a6e14"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FIRST_DOMAIN = UUID("01999999-0000-7000-8000-000000000001")
MADE_AT = datetime(2026, 11, 21, tzinfo=UTC)
DIGITS = sa.String(15).with_variant(sa.String(15, collation="C"), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "'planned','available','held','provisioning','assigned','quarantined','reserved','blocked','retired'"

RESERVED = (
    ("110", "emergency", "公安报警", "Police"),
    ("119", "emergency", "火警", "Fire brigade"),
    ("120", "emergency", "医疗急救", "Ambulance"),
    ("122", "emergency", "交通事故报警", "Traffic police"),
    ("112", "emergency", "国际紧急呼叫", "International emergency number"),
    ("911", "emergency", "境外紧急呼叫", "Emergency number abroad"),
    ("999", "emergency", "境外紧急呼叫", "Emergency number abroad"),
    ("114", "service", "查号台", "Directory enquiries"),
    ("12110", "emergency", "短信报警", "Police by text message"),
    ("12119", "emergency", "森林火警", "Forest fire"),
    ("12395", "emergency", "水上遇险求救", "Distress at sea"),
)
"""reference/directory-numbers.md (d), conflict check 5: what is a number of its own, not a mere prefix."""

TABLES = ("number_domain", "number_pool", "number_range", "number_reserved", "number")
KEPT = ("number_id", "pool_id", "holder_type", "holder_id", "role", "started_at", "caller", "consumer_ref", "ordinal")
"""Columns of an assignment that stay what they were."""


def upgrade() -> None:
    """Make the tables, what is in them from the start, and the fence around history."""
    make_plan()
    make_numbers()
    made = {"row_version": 1, "created_at": MADE_AT, "updated_at": MADE_AT}
    domain = sa.table(
        "number_domain",
        sa.column("id", Id()),
        sa.column("code", sa.String()),
        sa.column("name", sa.String()),
        sa.column("dialling", sa.String()),
        sa.column("row_version", sa.Integer()),
        sa.column("created_at", Instant()),
        sa.column("updated_at", Instant()),
    )
    op.bulk_insert(domain, [{"id": FIRST_DOMAIN, "code": "main", "name": "公司", "dialling": "en_bloc", **made}])
    members = ("digits", "kind", "name_zh", "name_en")
    reserved = sa.table("number_reserved", *(sa.column(name, sa.String()) for name in members))
    op.bulk_insert(reserved, [dict(zip(members, each, strict=True)) for each in RESERVED])
    if op.get_bind().dialect.name == "postgresql":
        fence_postgresql()
        grant_postgresql()
    else:
        fence_sqlite()


def downgrade() -> None:
    """Drop it all; triggers and grants go with the tables."""
    op.drop_table("number_assignment")
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION public.duanhao_assignment_is_history()")


def make_plan() -> None:
    """Make domains, pools, ranges and the reserved table."""
    op.create_table(
        "number_domain",
        sa.Column("id", Id(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("dialling", sa.String(length=16), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("dialling IN ('overlap','en_bloc')", name=op.f("ck_number_domain_dialling")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_domain")),
        sa.UniqueConstraint("code", name=op.f("uq_number_domain_code")),
    )
    op.create_table(
        "number_reserved",
        sa.Column("digits", DIGITS, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name_zh", sa.String(length=64), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=False),
        sa.CheckConstraint("kind IN ('emergency','service')", name=op.f("ck_number_reserved_kind")),
        sa.PrimaryKeyConstraint("digits", name=op.f("pk_number_reserved")),
    )
    op.create_table(
        "number_pool",
        sa.Column("id", Id(), nullable=False),
        sa.Column("domain_id", Id(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("class", sa.String(length=16), nullable=False),
        sa.Column("strategy", sa.String(length=16), nullable=False),
        sa.Column("quarantine_days", sa.Integer(), nullable=False),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("joiners", sa.Boolean(), nullable=False),
        sa.Column("low_water", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "class IN ('internal','partner','temporary','executive','service','nice')",
            name=op.f("ck_number_pool_class"),
        ),
        sa.CheckConstraint("strategy IN ('lowest','longest_idle','random')", name=op.f("ck_number_pool_strategy")),
        sa.CheckConstraint("quarantine_days BETWEEN 0 AND 3650", name=op.f("ck_number_pool_quarantine_days")),
        sa.CheckConstraint("low_water IS NULL OR low_water >= 0", name=op.f("ck_number_pool_low_water")),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["number_domain.id"], name=op.f("fk_number_pool_domain_id_number_domain")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["department.id"], name=op.f("fk_number_pool_department_id_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_pool")),
        sa.UniqueConstraint("code", name=op.f("uq_number_pool_code")),
    )
    op.create_table(
        "number_range",
        sa.Column("id", Id(), nullable=False),
        sa.Column("domain_id", Id(), nullable=False),
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("first", DIGITS, nullable=False),
        sa.Column("last", DIGITS, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("excluded", Json(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("materialised", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("step >= 1", name=op.f("ck_number_range_step")),
        sa.CheckConstraint("materialised BETWEEN 0 AND size", name=op.f("ck_number_range_materialised")),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["number_domain.id"], name=op.f("fk_number_range_domain_id_number_domain")
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["number_pool.id"], name=op.f("fk_number_range_pool_id_number_pool")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_range")),
    )
    op.create_index(op.f("ix_number_range_pool_id"), "number_range", ["pool_id"])
    op.create_index("ix_number_range_domain_id_width_first", "number_range", ["domain_id", "width", "first"])


def make_numbers() -> None:
    """Make numbers and assignments, with the indexes that are the free list and the fences."""
    op.create_table(
        "number",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("domain_id", Id(), nullable=False),
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("range_id", Id(), nullable=False),
        sa.Column("digits", DIGITS, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sort_key", sa.BigInteger(), nullable=False),
        sa.Column("available_from", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_number_state")),
        sa.CheckConstraint("state <> 'quarantined' OR available_from IS NOT NULL", name=op.f("ck_number_quarantine")),
        sa.ForeignKeyConstraint(["domain_id"], ["number_domain.id"], name=op.f("fk_number_domain_id_number_domain")),
        sa.ForeignKeyConstraint(["pool_id"], ["number_pool.id"], name=op.f("fk_number_pool_id_number_pool")),
        sa.ForeignKeyConstraint(["range_id"], ["number_range.id"], name=op.f("fk_number_range_id_number_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number")),
    )
    partial("uq_number_domain_id_digits", "number", ["domain_id", "digits"], "state <> 'retired'", unique=True)
    partial("ix_number_free", "number", ["pool_id", "sort_key"], "state = 'available'")
    partial("ix_number_quarantine", "number", ["pool_id", "available_from"], "state = 'quarantined'")
    op.create_index("ix_number_pool_id_digits_id", "number", ["pool_id", "digits", "id"])
    op.create_table(
        "number_assignment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("number_id", ROW_NUMBER, nullable=False),
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("holder_type", sa.String(length=16), nullable=False),
        sa.Column("holder_id", Id(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("caller", sa.String(length=96), nullable=False),
        sa.Column("consumer_ref", sa.String(length=128), nullable=True),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("ended_by_type", sa.String(length=16), nullable=True),
        sa.Column("ended_by_id", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "holder_type IN ('contact','department','room','device','hotline','external')",
            name=op.f("ck_number_assignment_holder_type"),
        ),
        sa.CheckConstraint("role IN ('short','extension','shared')", name=op.f("ck_number_assignment_role")),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_number_assignment_ended")),
        sa.ForeignKeyConstraint(["number_id"], ["number.id"], name=op.f("fk_number_assignment_number_id_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_assignment")),
    )
    table = "number_assignment"
    partial("uq_number_assignment_open", table, ["number_id"], "ended_at IS NULL AND role <> 'shared'", unique=True)
    reference = ["pool_id", "caller", "consumer_ref", "ordinal"]
    partial("uq_number_assignment_reference", table, reference, "consumer_ref IS NOT NULL", unique=True)
    op.create_index("ix_number_assignment_number_id_started_at", table, ["number_id", "started_at"])
    partial("ix_number_assignment_holder", table, ["holder_id"], "ended_at IS NULL")
    partial("ix_number_assignment_former", table, ["holder_id", "ended_at"], "ended_at IS NOT NULL")


def partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    """Index the rows that ``where`` picks."""
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def fence_sqlite() -> None:
    """Let an assignment be ended once; refuse every other change, a removal, and an insert that would replace."""
    refusal = "SELECT RAISE(ABORT, 'number_assignment is history')"
    moved = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in KEPT)
    op.execute(
        "CREATE TRIGGER number_assignment_no_update BEFORE UPDATE ON number_assignment "
        f"WHEN OLD.ended_at IS NOT NULL OR {moved} BEGIN {refusal}; END"
    )
    op.execute(f"CREATE TRIGGER number_assignment_no_delete BEFORE DELETE ON number_assignment BEGIN {refusal}; END")
    op.execute(
        "CREATE TRIGGER number_assignment_no_insert BEFORE INSERT ON number_assignment "
        f"WHEN EXISTS (SELECT 1 FROM number_assignment WHERE id = NEW.id) BEGIN {refusal}; END"
    )


def fence_postgresql() -> None:
    """Do the same, also in sessions that replicate."""
    moved = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in KEPT)
    op.execute(
        f"""
        CREATE FUNCTION public.duanhao_assignment_is_history() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.ended_at IS NULL AND NOT ({moved}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'number_assignment is history' USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    fences = (("history", "UPDATE OR DELETE", "ROW"), ("history_whole", "TRUNCATE", "STATEMENT"))
    for name, verbs, level in fences:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {verbs} ON public.number_assignment "
            f"FOR EACH {level} EXECUTE FUNCTION public.duanhao_assignment_is_history()"
        )
        op.execute(f"ALTER TABLE public.number_assignment ENABLE ALWAYS TRIGGER {name}")


def grant_postgresql() -> None:
    """Let the service role work on the plan, and add to and end what is history."""
    role = context.config.attributes.get("service_role")
    if not role:
        return
    name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO {name}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON number_assignment TO {name}")
    op.execute(f"GRANT USAGE ON SEQUENCE number_id_seq TO {name}")

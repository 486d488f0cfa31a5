"""The store itself: does it answer, is it the right one, does it keep what it is given, what may the service change in it."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Final

from app.config import Settings
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Part, SqliteStore, Store, StoreSilent
from app.kit.migrate import newest_revision
from app.production import Words

APPEND_ONLY: Final = (
    "log.leaf",
    "log.event",
    "log.subject_entry",
    "log.batch",
    "public.approval_comment",
    "public.approval_decision",
    "public.contact_change",
    "public.calendar_revision",
    "public.policy_version",
    "public.policy_activation",
    "public.consent",
    "public.privacy_notice",
    "public.privacy_acknowledgement",
    "public.person_link",
    "public.campaign_decision",
    "public.campaign_opening",
    "public.emergency_review",
    "public.emergency_opening",
    "public.history_purge",
    "public.provision_package",
    "public.provision_part",
    "public.provision_return",
    "public.undertaking_text",
    "public.undertaking",
    "public.erasure",
)
"""Tables that must be fenced, whatever else is."""

_OLDEST_SERVER: Final = 150_000
_SKEW: Final = 2.0
_GREAT_SKEW: Final = 30.0
_WAL: Final = b"\x02\x02"
_VERBS: Final = ("update", "delete", "insert")

_FENCES: Final = """
SELECT n.nspname || '.' || c.relname,
       pg_has_role(current_user, c.relowner, 'MEMBER'),
       has_any_column_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE'),
       EXISTS (SELECT 1 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE t.tgrelid = c.oid AND p.proname = 'duanhao_append_only' AND t.tgenabled = 'A')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND (n.nspname || '.' || c.relname = ANY($1)
      OR EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'append_only'))
"""


async def reachable(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Ask the store for its version; an older PostgreSQL, or none, is an error."""
    absent = [path for path in store.files.values() if not path.is_file()] if isinstance(store, SqliteStore) else []
    if isinstance(store, SqliteStore) and len(absent) == len(store.files):
        yield bad(
            "database",
            Level.WARNING,
            Words(f"there is no store in {settings.data_dir}", f"{settings.data_dir} 中没有数据库"),
            Words("the first start makes it: duanhao serve", "首次启动时会创建：duanhao serve"),
        )
        return
    for path in absent:
        yield bad(
            "database",
            Level.ERROR,
            Words(f"{path} is missing beside the other file", f"缺少 {path}，另一文件仍在"),
            Words("put both files back from one backup", "请从同一备份恢复两个文件"),
        )
    if not absent:
        yield await _answering(store)


async def _answering(store: Store) -> Finding:
    began = perf_counter()
    try:
        version = await _version(store)
    except StoreSilent as silent:
        return bad(
            "database",
            Level.ERROR,
            Words(f"the database does not answer: {silent}", f"数据库无应答：{silent}"),
            Words(
                "is it running, and are DUANHAO_DATABASE__URL, its role and password right? "
                "A damaged file: restore both from one backup",
                "请检查数据库是否运行，DUANHAO_DATABASE__URL、角色与密码是否正确；文件损坏时请从同一备份恢复两个文件",
            ),
        )
    milliseconds = 1000 * (perf_counter() - began)
    if store.dialect == "sqlite":
        name = f"SQLite {version}"
    elif int(version) < _OLDEST_SERVER:
        return bad(
            "database",
            Level.ERROR,
            Words(f"PostgreSQL {int(version) // 10_000} is too old", f"PostgreSQL {int(version) // 10_000} 版本过低"),
            Words("PostgreSQL 15 or newer is needed", "需要 PostgreSQL 15 或更高版本"),
        )
    else:
        name = f"PostgreSQL {int(version) // 10_000}"
    return ok("database", f"{name} answers in {milliseconds:.0f} ms", f"{name}，应答 {milliseconds:.0f} 毫秒")


async def _version(store: Store) -> str:
    """Give the engine's version, after something of each of its files has been read."""
    if store.dialect == "postgresql":
        ((number,),) = await store.ask("SELECT current_setting('server_version_num')")
        return str(number)
    await store.ask("SELECT count(*) FROM sqlite_master", part="log")
    ((version, _),) = await store.ask("SELECT sqlite_version(), count(*) FROM sqlite_master")
    return str(version)


async def schema(store: Store) -> AsyncIterator[Finding]:
    """Compare the revision of the store with that of this version."""
    newest = newest_revision()
    try:
        stored = ", ".join(str(row[0]) for row in await store.ask("SELECT version_num FROM alembic_version")) or "none"
    except StoreSilent:
        stored = "none"
    if stored == newest:
        yield ok("schema", f"at {newest}, as this version wants", f"{newest}，与本版本一致")
        return
    yield bad(
        "schema",
        Level.ERROR,
        Words(f"at {stored}, this version wants {newest}", f"当前为 {stored}，本版本需要 {newest}"),
        Words(
            "stop the service, make a backup, then: duanhao db upgrade (PostgreSQL: with DUANHAO_DATABASE__OWNER_URL); "
            "a newer store needs the newer version",
            "请停止服务并备份，然后执行 duanhao db upgrade（PostgreSQL 需 DUANHAO_DATABASE__OWNER_URL）；数据库较新时请使用新版本程序",
        ),
    )


async def durability(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Ask whether what was committed survives a power cut."""
    if isinstance(store, SqliteStore):
        loose = [path.name for path in store.files.values() if path.is_file() and _header(path) != _WAL]
        mend = Words("start the service once: it sets the journal", "启动一次服务即可恢复日志模式")
        faults = [f"{name}: not in WAL mode" for name in loose]
    else:
        rows = await store.ask(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name"
        )
        faults = [f"{name} = {value}" for name, value in rows if value == "off"]
        mend = Words("set them to on in postgresql.conf and reload", "请在 postgresql.conf 中改为 on 并重新加载")
    if not faults:
        yield ok("durability", "commits wait for the disk", "提交等待写盘")
        return
    level = Level.ERROR if settings.env == "production" and store.dialect == "postgresql" else Level.WARNING
    told = ", ".join(faults)
    yield bad(
        "durability", level, Words(f"a power cut could lose commits: {told}", f"断电可能丢失已提交数据：{told}"), mend
    )


def _header(path: object) -> bytes:
    """Read the two bytes of a SQLite file that tell its journal (file format, offset 18)."""
    with open(str(path), "rb") as file:  # noqa: PTH123 — a plain read
        return file.read(20)[18:20]


async def fences(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Look whether anything stands between the service and what is only ever appended."""
    if store.dialect == "sqlite":
        async for finding in _triggers(store):
            yield finding
        return
    level = Level.ERROR if settings.env == "production" else Level.WARNING
    ((role, powerful),) = await store.ask(
        "SELECT rolname::text, rolsuper OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    if powerful:
        yield bad(
            "roles",
            level,
            Words(
                f"the service role {role} is a superuser, or may make roles", f"服务角色 {role} 是超级用户或可创建角色"
            ),
            Words("give the service a plain role of its own", "请为服务使用独立的普通角色"),
        )
        return
    rows = await store.ask(_FENCES, list(APPEND_ONLY))
    owned = [row[0] for row in rows if row[1]]
    changeable = [row[0] for row in rows if row[2] and not row[1]]
    if owned:
        yield _loose("roles", level, f"the service role {role} owns", f"服务角色 {role} 拥有", owned, _OWNER)
    if changeable:
        yield _loose(
            "roles", level, f"the service role {role} may change", f"服务角色 {role} 可改动", changeable, _REVOKE
        )
    unfenced = sorted({row[0] for row in rows if not row[3]} | (set(APPEND_ONLY) - {row[0] for row in rows}))
    if unfenced:
        yield _loose("append_only", Level.ERROR, "no trigger guards", "缺少触发器保护", unfenced, _RESTORE)
    if not (owned or changeable or unfenced):
        yield ok("roles", f"{role} can only append to {len(rows)} tables", f"{role} 对 {len(rows)} 张表只能追加")


_OWNER: Final = Words(
    "let a role of its own own and migrate the tables (DUANHAO_DATABASE__OWNER_URL), and the service use another",
    "请由独立角色拥有并迁移表（DUANHAO_DATABASE__OWNER_URL），服务使用另一角色",
)
_REVOKE: Final = Words(
    "as the owner: REVOKE UPDATE, DELETE, TRUNCATE ON them", "请以属主执行 REVOKE UPDATE, DELETE, TRUNCATE"
)
_RESTORE: Final = Words(
    "somebody took the fence down: find out who, run duanhao audit verify, and restore the schema from a backup",
    "保护已被移除：请查明原因，执行 duanhao audit verify，并从备份恢复表结构",
)


def _loose(check: str, level: Level, en: str, zh: str, tables: Sequence[str], mend: Words) -> Finding:
    told = ", ".join(tables)
    return bad(check, level, Words(f"{en} {told}", f"{zh} {told}"), mend)


async def _triggers(store: Store) -> AsyncIterator[Finding]:
    missing = []
    parts: tuple[tuple[Part, str], ...] = (("business", "public"), ("log", "log"))
    for part, schema_name in parts:
        rows = await store.ask("SELECT name FROM sqlite_master WHERE type = 'trigger'", part=part)
        names = {row[0] for row in rows}
        wanted = [each.partition(".")[2] for each in APPEND_ONLY if each.startswith(f"{schema_name}.")]
        missing += [f"{table}_no_{verb}" for table in wanted for verb in _VERBS if f"{table}_no_{verb}" not in names]
    if missing:
        yield _loose("append_only", Level.ERROR, "missing triggers:", "缺少触发器：", missing, _RESTORE)
    else:
        yield ok("append_only", "triggers guard what is only appended", "只追加的表受触发器保护")


async def clock(store: Store) -> AsyncIterator[Finding]:
    """Compare this machine's clock with the database's."""
    if store.dialect == "sqlite":
        return
    before = datetime.now(UTC)
    ((theirs,),) = await store.ask("SELECT clock_timestamp()")
    after = datetime.now(UTC)
    seconds = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if seconds <= _SKEW:
        yield ok("clock", "agrees with the database", "与数据库时钟一致")
        return
    yield bad(
        "clock",
        Level.ERROR if seconds > _GREAT_SKEW else Level.WARNING,
        Words(f"{seconds:.0f} s apart from the database", f"与数据库相差 {seconds:.0f} 秒"),
        Words("let both machines follow a time server", "请让两台机器与时间服务器同步"),
    )

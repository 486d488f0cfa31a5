"""``doctor``: healthy installations are told so, each kind of damage by its name, nothing is written, and no secret is printed."""

import asyncio
import hashlib
import os
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from os import urandom
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
import orjson
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from app.cli.root import app
from app.composition import open_application
from app.config import Settings
from app.doctor.database import APPEND_ONLY
from app.doctor.findings import Finding, Level, language, lines, worst
from app.kit.migrate import newest_revision
from app.production import Words
from tests.support.application import opened_world
from tests.support.postgres import SERVICE, in_thread
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore

Told = dict[str, tuple[str, str]]
SECRET: Final = "5d1e09b3c7a24f68"


@contextmanager
def environment_of(settings: Settings, **more: str) -> Iterator[pytest.MonkeyPatch]:
    """Put a store's settings into the environment, as an operator does."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DUANHAO_")]:
            patch.delenv(name)
        patch.setenv("DUANHAO_DATA_DIR", str(settings.data_dir))
        for member in ("url", "owner_url"):
            secret = getattr(settings.database, member)
            if secret is not None:
                patch.setenv(f"DUANHAO_DATABASE__{member.upper()}", secret.get_secret_value())
        for name, value in more.items():
            patch.setenv(name, value)
        yield patch


def examined(settings: Settings, **more: str) -> Told:
    """Run ``doctor --json``; give level and English words by check, and hold the exit code to them."""
    with environment_of(settings, **more):
        done = CliRunner().invoke(app, ["doctor", "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    report = orjson.loads(done.stdout)
    assert done.exit_code == ["ok", "warning", "error"].index(report["level"])
    for each in report["findings"]:
        assert set(each["what"]) == {"en", "zh"}
        assert (each["mend"] is None) == (each["level"] == "ok")
    return {each["check"]: (each["level"], each["what"]["en"]) for each in report["findings"]}


def troubles(told: Told) -> dict[str, str]:
    """Give what is not well; that the suite's PostgreSQL does not wait for the disk is known, and a year may not be announced yet."""
    known = {"durability", "calendar"}
    return {check: level for check, (level, _) in told.items() if level != "ok" and check not in known}


def seen(folder: Path) -> dict[str, tuple[str, int]]:
    """Fingerprint everything in a folder: content and mode."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
    }


def in_sqlite(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as file:
        for statement in statements:
            file.execute(statement)
        file.commit()


def in_postgresql(dsn: str, *statements: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    in_thread(run())


def change(store: TestStore, statement: str) -> None:
    """Change the business tables behind the service's back."""
    if store.dialect == "sqlite":
        in_sqlite(store.business_path, statement)
    else:
        in_postgresql(store.superuser_dsn, statement)


@pytest.fixture
def used(store: TestStore) -> TestStore:
    """Give a store on either engine with a company in it, closed."""
    in_thread(_fill(store.settings))
    return store


@pytest.fixture
def used_sqlite(sqlite_store: SqliteTestStore) -> SqliteTestStore:
    in_thread(_fill(sqlite_store.settings))
    return sqlite_store


@pytest.fixture
def used_postgres(postgres_store: PostgresTestStore) -> PostgresTestStore:
    in_thread(_fill(postgres_store.settings))
    return postgres_store


async def _fill(settings: Settings) -> None:
    async with opened_world(settings):
        pass


# ------------------------------------------------------------------------------------------------------------- all is well


def test_a_healthy_store_is_told_so(used: TestStore) -> None:
    told = examined(used.settings)
    assert troubles(told) == {}
    checks = {"settings", "data_dir", "disk", "database", "keys.root", "keys.wrapped", "keys.log", "keys.token"}
    checks |= {
        "schema",
        "durability",
        "log",
        "checkpoints",
        "worker",
        "search_tags",
        "history",
        "erasures",
        "calendar",
        "notices",
        "rows",
    }
    checks |= {"append_only"} if used.dialect == "sqlite" else {"roles", "clock"}
    assert set(told) == checks
    assert newest_revision() in told["schema"][1]
    assert "and the head is what was signed" in told["log"][1]


def test_nothing_is_written(used: TestStore) -> None:
    before = seen(used.settings.data_dir)
    for arguments in (["doctor"], ["doctor", "--json"]):
        with environment_of(used.settings):
            CliRunner().invoke(app, arguments)
    assert seen(used.settings.data_dir) == before


def test_an_empty_place_stays_empty(tmp_path: Path, empty_sqlite_store: SqliteTestStore) -> None:
    told = examined(empty_sqlite_store.settings)
    assert troubles(told) == {"data_dir": "warning", "database": "warning"}
    assert list(tmp_path.iterdir()) == []


async def test_it_works_beside_a_server(store: TestStore) -> None:
    async with opened_world(store.settings) as world:
        await world.card("colleague", "staff")
        before = set(os.listdir(store.settings.data_dir))  # noqa: PTH208 — names only
        told = await asyncio.to_thread(examined, store.settings)
        assert troubles(told) == {}
        assert set(os.listdir(store.settings.data_dir)) == before  # noqa: PTH208 — as above
        await world.card("head", "staff")


def test_a_database_that_was_never_migrated(empty_postgres_store: PostgresTestStore) -> None:
    told = examined(empty_postgres_store.settings)
    assert told["schema"] == ("error", f"at none, this version wants {newest_revision()}")
    assert told["database"][0] == "ok"
    assert all(told[check][0] == "error" for check in ("log", "backlog", "append_only"))


# ---------------------------------------------------------------------------------------------------------------- what is broken


def loosened(name: str, mode: int) -> Callable[[SqliteTestStore], None]:
    return lambda store: (store.settings.data_dir / name).chmod(mode)


def sql(statement: str, *, log: bool = False) -> Callable[[SqliteTestStore], None]:
    return lambda store: in_sqlite(store.log_path if log else store.business_path, statement)


def removed(name: str) -> Callable[[SqliteTestStore], None]:
    return lambda store: (store.settings.data_dir / name).unlink()


def written(name: str, content: bytes, mode: int = 0o600) -> Callable[[SqliteTestStore], None]:
    def write(store: SqliteTestStore) -> None:
        path = store.settings.data_dir / name
        path.write_bytes(content)
        path.chmod(mode)

    return write


def rolled_back(store: SqliteTestStore) -> None:
    """Put the log back to a genuine older state, as somebody with the disk would."""
    older = store.settings.data_dir.parent / "older.sqlite3"
    shutil.copy(store.log_path, older)
    in_thread(_look_once_more(store.settings))
    for beside in ("-wal", "-shm"):
        store.log_path.with_name(store.log_path.name + beside).unlink(missing_ok=True)
    shutil.copy(older, store.log_path)
    store.log_path.chmod(0o600)


async def _look_once_more(settings: Settings) -> None:
    async with open_application(settings) as application:
        from app.audit.events import EventDraft  # noqa: PLC0415 — used here only
        from app.kit.models import new_id  # noqa: PLC0415 — as above

        at = application.clock.now()
        await application.log.record(
            EventDraft(id=new_id(), at=at, actor_type="system", action="test.made", decision="allowed")
        )


PAST: Final = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1_000_000)
AGES_AGO: Final = int((datetime.now(UTC) - timedelta(days=800)).timestamp() * 1_000_000)
FUTURE: Final = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1_000_000)
INTENT: Final = f"INSERT INTO audit_intent (id, at, payload) VALUES (x'{'00' * 16}', {PAST}, x'00')"
JOB: Final = (
    "INSERT INTO outbox (id, kind, payload, attempts, created_at, available_at) "
    f"VALUES (x'{'00' * 16}', 'x', '{{}}', 4, {PAST}, {PAST})"
)

BROKEN: Final[list[tuple[Callable[[SqliteTestStore], object], dict[str, str]]]] = [
    (loosened(".", 0o755), {"modes": "warning"}),
    (loosened("keys", 0o750), {"modes": "warning"}),
    (loosened("log.sqlite3", 0o640), {"modes": "warning"}),
    (loosened("keys/root.key", 0o644), {"modes": "warning", "keys.root": "error"}),
    (removed("keys/root.key"), {"keys.root": "error"}),
    (written("keys/root.key", b64encode(urandom(32))), {"keys.wrapped": "error"}),
    (written("keys/root.key", b"not base64 \xff"), {"keys.root": "error"}),
    (written("keys/root.key", b""), {"keys.root": "error"}),
    (removed("log.sqlite3"), {"database": "error"}),
    (removed("duanhao.sqlite3"), {"database": "error", "keys.root": "ok"}),
    (
        written("log.sqlite3", b"this is no database, and it is long enough to be looked at " * 20),
        {"database": "error"},
    ),
    (written("duanhao.sqlite3", b""), {"schema": "error", "durability": "warning"}),
    (sql("UPDATE alembic_version SET version_num = 'aad5aa9e4ecf'"), {"schema": "error"}),
    (sql("UPDATE alembic_version SET version_num = 'ffffffffffff'"), {"schema": "error"}),
    (sql("DELETE FROM kek WHERE purpose = 'index'"), {"keys.wrapped": "error"}),
    (sql("UPDATE kek SET wrapped = x'00' WHERE purpose = 'sign'"), {"keys.wrapped": "error"}),
    (sql("UPDATE kek SET version = 2 WHERE purpose = 'sign'"), {"keys.wrapped": "error"}),
    (sql(f"UPDATE kek SET created_at = {AGES_AGO}"), {"keys.wrapped": "warning"}),
    (sql(f"UPDATE signing_key SET created_at = {AGES_AGO} WHERE use = 'token'"), {"keys.token": "warning"}),
    (sql("DELETE FROM signing_key WHERE use = 'token'"), {"keys.token": "error"}),
    (sql("DELETE FROM signing_key WHERE use = 'log'"), {"keys.log": "error", "log": "error"}),
    (sql("DROP TRIGGER leaf_no_delete", log=True), {"append_only": "error"}),
    (sql("DROP TRIGGER contact_change_no_update"), {"append_only": "error"}),
    (sql("UPDATE head SET size = size + 1", log=True), {"log": "error"}),
    (sql("DELETE FROM head", log=True), {"log": "error"}),
    (rolled_back, {"log": "error"}),
    (sql(INTENT), {"worker": "error"}),
    (sql(JOB), {"worker": "error", "outbox": "warning"}),
    (sql("PRAGMA journal_mode = DELETE"), {"durability": "warning"}),
    (sql("DROP TABLE outbox"), {"backlog": "error"}),
]


@pytest.mark.parametrize("case", range(len(BROKEN)))
def test_what_is_broken_is_named(used_sqlite: SqliteTestStore, case: int) -> None:
    harm, expected = BROKEN[case]
    harm(used_sqlite)
    told = examined(used_sqlite.settings)
    for check, level in expected.items():
        assert told.get(check, ("absent", ""))[0] == level, told
    assert {check for check, (level, _) in told.items() if level != "ok"} <= {
        *expected,
        "log",
        "backlog",
        "append_only",
        *(("search_tags", "calendar", "notices", "history", "erasures") if "schema" in expected else ()),
        *(("rows",) if {"schema", "keys.root", "keys.wrapped"} & set(expected) else ()),
    } | {"checkpoints" if "log" in expected else "schema"}, told


def test_checkpoints_that_do_not_leave(used_sqlite: SqliteTestStore) -> None:
    used_sqlite.settings.checkpoint_file.unlink()
    triggers = [f"DROP TRIGGER batch_no_{verb}" for verb in ("update", "delete", "insert")]
    in_sqlite(used_sqlite.log_path, *triggers, f"UPDATE batch SET at = {PAST}")
    assert examined(used_sqlite.settings)["checkpoints"][0] == "warning"


def test_an_entry_of_the_future(used_sqlite: SqliteTestStore) -> None:
    triggers = [f"DROP TRIGGER batch_no_{verb}" for verb in ("update", "delete", "insert")]
    in_sqlite(used_sqlite.log_path, *triggers, f"UPDATE batch SET at = {FUTURE}")
    assert examined(used_sqlite.settings)["clock.log"][0] == "error"


def test_a_full_disk_is_told_before_it_is_full(used_sqlite: SqliteTestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, level in ((1 << 30, "warning"), (1 << 20, "error")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert examined(used_sqlite.settings)["disk"][0] == level


# ------------------------------------------------------------------------------------------------------------------- PostgreSQL


def test_a_service_that_may_change_the_log(used_postgres: PostgresTestStore) -> None:
    in_postgresql(used_postgres.superuser_dsn, f"GRANT UPDATE (payload) ON log.event TO {SERVICE}")
    level, what = examined(used_postgres.settings)["roles"]
    assert (level, what) == ("warning", f"the service role {SERVICE} may change log.event")


def test_a_service_that_owns_the_log(used_postgres: PostgresTestStore) -> None:
    in_postgresql(used_postgres.superuser_dsn, f"ALTER TABLE log.leaf OWNER TO {SERVICE}")
    assert "owns log.leaf" in examined(used_postgres.settings)["roles"][1]


def test_a_service_that_is_a_superuser(used_postgres: PostgresTestStore) -> None:
    told = examined(used_postgres.settings, DUANHAO_DATABASE__URL=used_postgres.superuser_dsn)
    assert told["roles"][0] == "warning"
    assert "superuser" in told["roles"][1]


@pytest.mark.parametrize(
    "how", ["DROP TRIGGER append_only ON log.batch", "ALTER TABLE log.batch DISABLE TRIGGER append_only"]
)
def test_a_fence_that_was_taken_down(used_postgres: PostgresTestStore, how: str) -> None:
    in_postgresql(used_postgres.superuser_dsn, how)
    assert examined(used_postgres.settings)["append_only"] == ("error", "no trigger guards log.batch")


@pytest.mark.parametrize("fault", ["server", "password", "database"])
def test_no_database(used_postgres: PostgresTestStore, tmp_path: Path, fault: str) -> None:
    url = make_url(used_postgres.service_dsn)
    address = {
        "server": f"postgresql://{SERVICE}:{SECRET}@127.0.0.1:1/x",
        "password": url.set(password=SECRET).render_as_string(hide_password=False),
        "database": url.set(database=f"no_{tmp_path.name[-8:]}").render_as_string(hide_password=False),
    }[fault]
    told = examined(used_postgres.settings, DUANHAO_DATABASE__URL=address)
    if fault == "password" and told["database"][0] == "ok":
        pytest.skip("this server asks nobody for a password")
    assert told["database"][0] == "error"
    assert told["keys.root"][0] == "ok"
    assert SECRET not in str(told)


@pytest.mark.parametrize(
    ("ago", "level"), [(timedelta(), "ok"), (timedelta(minutes=3), "warning"), (timedelta(hours=2), "error")]
)
def test_a_worker_that_does_not_work(used_postgres: PostgresTestStore, ago: timedelta, level: str) -> None:
    at = (datetime.now(UTC) - ago).isoformat()
    in_postgresql(
        used_postgres.superuser_dsn,
        f"INSERT INTO audit_intent (id, at, payload) VALUES (gen_random_uuid(), '{at}', '\\x00')",
    )
    told = examined(used_postgres.settings)
    assert told["worker"][0] == level
    assert told["worker"][1].startswith("1 events and 0 jobs wait")


def test_commits_that_do_not_wait_for_the_disk(used_postgres: PostgresTestStore) -> None:
    level, what = examined(used_postgres.settings)["durability"]
    if level == "ok":
        pytest.skip("DUANHAO_TEST_POSTGRES_URL names a server that waits for the disk")
    assert level == "warning"
    assert "fsync = off" in what


# ----------------------------------------------------------------------------------------------------------------- settings


def test_production_hears_everything_at_once(used: TestStore, tmp_path: Path) -> None:
    told = examined(
        used.settings,
        DUANHAO_ENV="production",
        DUANHAO_LOG_LEVEL="debug",
        DUANHAO_DATABASE__OWNER_URL=f"postgresql://owner:{SECRET}@db.corp.cn/x",
    )
    del tmp_path
    production = {check for check in told if check.startswith("production.")}
    assert production == {
        f"production.{code}"
        for code in ("root_key_generated", "no_proxy", "issuer_address", "log_level_debug", "database_tls")
    }
    assert told["tokens.issuers"][0] == "warning"
    assert told["checkpoints"][0] == "warning"
    assert told["demo"][0] == "ok"
    assert told["log"][0] == "ok"
    assert SECRET not in str(told)


def test_a_good_production(used: TestStore, tmp_path: Path) -> None:
    key = tmp_path / "placed.key"
    shutil.copy(used.settings.root_key_file, key)
    external = [{"issuer": "https://login.corp.cn", "jwks_url": "https://login.corp.cn/keys", "audience": "duanhao"}]
    told = examined(
        used.settings,
        DUANHAO_ENV="production",
        DUANHAO_KEYS__FILE=str(key),
        DUANHAO_TOKENS__ISSUER="https://directory.corp.cn",
        DUANHAO_TOKENS__EXTERNAL=orjson.dumps(external).decode(),
        DUANHAO_HTTP__PROXIES='["10.1.2.3"]',
        DUANHAO_AUDIT__CHECKPOINT_FILE=str(used.settings.checkpoint_file),
    )
    assert set(troubles(told)) <= {"user"}
    assert told["settings"] == ("ok", "readable; production refuses nothing of them")


def test_the_demo_in_production(used: TestStore) -> None:
    change(used, "UPDATE user_account SET user_name_key = 'demo-staff' WHERE user_name_key = 'staff'")
    told = examined(used.settings, DUANHAO_ENV="production")
    assert told["demo"] == ("error", "1 accounts of the demo are here")
    assert "demo" not in examined(used.settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DUANHAO_HTP__PORT": SECRET}, "DUANHAO_HTP__PORT"),
        ({"DUANHAO_HTTP__PORT": SECRET}, "http.port"),
        ({"DUANHAO_HTTP__PROXIES": SECRET}, 'field "http"'),
        ({"DUANHAO_ENV": SECRET}, "env"),
        ({"DUANHAO_CONFIG": "/nowhere/x.yaml"}, "/nowhere/x.yaml"),
        ({"DUANHAO_CONFIG": "{tmp}/list.yaml"}, "no mapping"),
        ({"DUANHAO_CONFIG": "{tmp}/broken.yaml"}, "no mapping"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_read(
    empty_sqlite_store: SqliteTestStore, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    (tmp_path / "list.yaml").write_text(f"- {SECRET}\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_text(f"a: [{SECRET}\nb: {{", encoding="utf-8")
    told = examined(
        empty_sqlite_store.settings, **{name: value.replace("{tmp}", str(tmp_path)) for name, value in given.items()}
    )
    assert set(told) == {"settings"}
    assert told["settings"][0] == "error"
    assert said in told["settings"][1]
    assert SECRET not in str(told)


def test_an_address_that_is_none(empty_sqlite_store: SqliteTestStore) -> None:
    told = examined(
        empty_sqlite_store.settings,
        DUANHAO_ENV="production",
        DUANHAO_DATABASE__URL=f"postgresql://x:{SECRET}@localhost:port/x",
    )
    assert told["production.database_address"][0] == "error"
    assert SECRET not in str(told)


def test_root_keys_in_the_environment(used_sqlite: SqliteTestStore) -> None:
    right = used_sqlite.settings.root_key_file.read_text(encoding="utf-8").strip()
    wrong = b64encode(urandom(32)).decode()
    for value, level in ((right, "ok"), (f"{wrong},{right}", "ok"), (wrong, "error")):
        told = examined(used_sqlite.settings, DUANHAO_KEYS__PROVIDER="env", DUANHAO_ROOT_KEY=value)
        assert told["keys.wrapped"][0] == level
        assert right not in str(told)
        assert wrong not in str(told)
    told = examined(used_sqlite.settings, DUANHAO_KEYS__PROVIDER="env")
    assert told["keys.root"][0] == "error"


# ------------------------------------------------------------------------------------------------------------------ the report


@pytest.mark.parametrize(
    ("environ", "configured", "expected"),
    [
        ({}, None, "en"),
        ({}, "auto", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "auto", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "en", "en"),
        ({"LANG": "en_US.UTF-8"}, "zh", "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "auto", "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh_TW.UTF-8"}, None, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, None, "zh"),
        ({}, "unreadable", "en"),
    ],
)
def test_the_language(environ: dict[str, str], configured: str | None, expected: str) -> None:
    assert language(configured, environ) == expected


REPORTS: Final = {
    "zh": ("警告", "对他人开放", "项正常，1 项警告，0 项错误"),
    "en": ("WARNING", "open to others", " ok, 1 warnings, 0 errors"),
}


def test_the_report_speaks_it(used_sqlite: SqliteTestStore) -> None:
    used_sqlite.settings.data_dir.chmod(0o755)
    for chosen, words in REPORTS.items():
        with environment_of(used_sqlite.settings, DUANHAO_LANGUAGE=chosen):
            done = CliRunner().invoke(app, ["doctor"])
        assert done.exit_code == 1
        assert all(word in done.stdout for word in words)
        assert f"→ chmod 0700 {used_sqlite.settings.data_dir}" in done.stdout


def test_levels_and_lines() -> None:
    words = Words("en", "zh")
    found = [
        Finding("a", Level.OK, words),
        Finding("b", Level.ERROR, words, words),
        Finding("c", Level.WARNING, words, words),
    ]
    assert worst(found) is Level.ERROR
    assert worst(found[:1]) is Level.OK
    assert worst([]) is Level.OK
    assert lines(found, "en") == [
        "ok  a: en",
        "ERROR  b: en",
        "    → en",
        "WARNING  c: en",
        "    → en",
        "1 ok, 1 warnings, 1 errors",
    ]


def test_every_append_only_table_is_looked_at(sqlite_store: SqliteTestStore) -> None:
    found: set[str] = set()
    for path, schema in ((sqlite_store.business_path, "public"), (sqlite_store.log_path, "log")):
        with closing(sqlite3.connect(path)) as file:
            names = file.execute(
                "SELECT tbl_name FROM sqlite_master WHERE name LIKE '%_no_update' AND sql NOT LIKE '% WHEN %'"
            )
            found |= {f"{schema}.{name}" for (name,) in names}
    assert found == set(APPEND_ONLY)


def whole_output(store: TestStore) -> str:
    with environment_of(store.settings):
        return "".join(CliRunner().invoke(app, arguments).output for arguments in (["doctor"], ["doctor", "--json"]))


def test_no_secret_is_printed(used: TestStore) -> None:
    printed = whole_output(used)
    secrets: list[Any] = [used.settings.root_key_file.read_text(encoding="utf-8").strip()]
    secrets += (
        [make_url(used.service_dsn).password, make_url(used.owner_dsn).password] if used.dialect == "postgresql" else []
    )
    assert all(secrets)
    assert [secret for secret in secrets if secret in printed] == []


# ------------------------------------------------------------------------------------------------------------- search tags


def test_values_without_a_tag_are_told_and_counted(used: TestStore) -> None:
    change(used, "DELETE FROM search_tag WHERE kind = 1")
    level, told = examined(used.settings)["search_tags"]
    assert (level, told) == ("error", "14 values have no search tag: lookups miss them")


def test_tags_of_who_is_gone_are_told(used: TestStore) -> None:
    gone = "(SELECT id FROM contact WHERE employee_no = 'E2113')"
    change(used, f"UPDATE contact SET status = 'archived', archive = digests WHERE id = {gone}")
    level, told = examined(used.settings)["search_tags"]
    assert (level, told) == ("error", "3 tags are of archived contacts")


def test_a_tag_of_one_value_alone_is_told(used: TestStore) -> None:
    plan = '\'{"email.exact": 0, "mobile.exact": 4, "mobile.last4": 0, "name.exact": 0}\''
    change(used, f"UPDATE search_plan SET bits = {plan}")
    change(
        used,
        "UPDATE search_tag SET tag = 1 WHERE kind = 1 AND contact_id = (SELECT min(id::text)::uuid FROM contact)"
        if used.dialect == "postgresql"
        else "UPDATE search_tag SET tag = 1 WHERE kind = 1 AND contact_id = (SELECT min(id) FROM contact)",
    )
    level, told = examined(used.settings)["search_tags"]
    assert (level, told) == ("warning", "there are tags of one value alone: mobile.exact")


def test_a_directory_that_is_not_tagged_yet_is_told(used: TestStore) -> None:
    change(used, "UPDATE search_plan SET generation = 0, bits = '{}'")
    level, told = examined(used.settings)["search_tags"]
    assert (level, told) == ("warning", "no search tags yet: lookups answer 503")


# ----------------------------------------------------------------------------------------------------------------- notices


def test_notices_that_nobody_takes_out_are_told(used: TestStore) -> None:
    assert examined(used.settings)["notices"] == ("ok", "0 delivered in the last month; no mail server is set")
    at = "now() - interval '1 hour'" if used.dialect == "postgresql" else PAST
    given = "'\\x00'::bytea" if used.dialect == "postgresql" else "x'00'"
    identity = "gen_random_uuid()" if used.dialect == "postgresql" else "randomblob(16)"
    change(
        used,
        "INSERT INTO notice (id, type, occurred_at, version, body, audience, created_at, mac) "
        f"VALUES ({identity}, 'request.filed', {at}, 0, '{{}}', '{{}}', {at}, {given})",
    )
    level, told = examined(used.settings)["notices"]
    assert (level, told) == ("error", "1 notices wait to be told, the oldest too long")


def test_a_disabled_webhook_is_told(used_sqlite: SqliteTestStore) -> None:
    columns = "id, kind, label, address, types, roles, state, row_version, mac, created_at, updated_at"
    in_sqlite(
        used_sqlite.business_path,
        f"INSERT INTO webhook ({columns}) VALUES (randomblob(16), 'standard', 'x', x'00', '[]', '[]', 'disabled', 1, x'00', 1, 1)",
    )
    level, told = examined(used_sqlite.settings)["notices"]
    assert (level, told) == ("warning", "1 webhooks are disabled, 0 deliveries of the last month were given up")

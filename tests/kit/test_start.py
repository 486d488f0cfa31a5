"""What stops a start: a second server, a stale schema, a setting that nobody knows, a production that is not one."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import literal, make_url, select
from structlog.testing import capture_logs

from app import main
from app.application import Application
from app.cli import root
from app.composition import open_application
from app.config import DatabaseSettings, Settings
from app.kit.db import Database
from app.kit.lock import ServerLock, StoreIsServedError
from app.kit.migrate import (
    ROOT,
    StaleSchema,
    StoreRefused,
    ensure_current,
    newest_revision,
    stored_revision,
    upgrade,
)
from app.permissions.errors import PolicyUnreadable
from app.production import ProductionRefused, refusals, require
from tests.support.stores import PostgresTestStore, SqliteTestStore


class TestLock:
    def test_one_server_serves_a_data_directory(self, tmp_path: Path) -> None:
        first = ServerLock(tmp_path).acquire()
        with pytest.raises(StoreIsServedError, match="already served"):
            ServerLock(tmp_path).acquire()
        first.release()
        ServerLock(tmp_path).acquire().release()

    def test_the_lock_names_its_process_and_is_not_for_others_to_read(self, tmp_path: Path) -> None:
        lock = ServerLock(tmp_path).acquire()
        path = tmp_path / "server.lock"
        assert path.read_text(encoding="utf-8") == f"{os.getpid()}\n"
        assert path.stat().st_mode & 0o777 == 0o600
        lock.release()
        lock.release()

    def test_a_killed_server_holds_nothing(self, tmp_path: Path) -> None:
        program = (
            "import sys, time; from pathlib import Path; from app.kit.lock import ServerLock;"
            "lock = ServerLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(60)"
        )
        holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreIsServedError):
            ServerLock(tmp_path).acquire()
        holder.kill()
        holder.wait(10)
        holder.stdout.close()
        ServerLock(tmp_path).acquire().release()


class TestSchema:
    async def test_sqlite_makes_and_upgrades_itself(self, empty_sqlite_store: SqliteTestStore) -> None:
        settings = empty_sqlite_store.settings
        async with open_application(settings) as application:
            assert await stored_revision(application.database) == newest_revision()
        assert settings.data_dir.stat().st_mode & 0o777 == 0o700

    async def test_every_file_of_the_store_is_its_owners_alone_whatever_the_umask(
        self, empty_sqlite_store: SqliteTestStore
    ) -> None:
        folder, before = empty_sqlite_store.settings.data_dir, os.umask(0)
        try:
            async with open_application(empty_sqlite_store.settings) as application:
                while_open = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()}
                await application.database.engine.dispose()
        finally:
            os.umask(before)
        names = {f"{name}{beside}" for name in ("duanhao.sqlite3", "log.sqlite3") for beside in ("", "-wal", "-shm")}
        assert {name: while_open[name] for name in names} == dict.fromkeys(names, 0o600)

    @pytest.mark.parametrize("opens", ["engine", "reader"])
    async def test_whoever_opens_a_store_first_makes_it_for_its_owner(self, tmp_path: Path, opens: str) -> None:
        database, before = Database(Settings(data_dir=tmp_path)), os.umask(0)
        try:
            if opens == "engine":
                assert await stored_revision(database) is None
            else:
                await database.reader.fetch(database.reader.prepare(select(literal(1))))
        finally:
            os.umask(before)
            await database.close()
        assert database.business_path.stat().st_mode & 0o777 == 0o600

    async def test_a_sqlite_store_of_another_future_is_refused(self, sqlite_store: SqliteTestStore) -> None:
        connection = sqlite3.connect(sqlite_store.business_path)
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.commit()
        connection.close()
        with pytest.raises(Exception, match="ffffffffffff"):
            async with open_application(sqlite_store.settings):
                pass

    async def test_postgresql_is_refused_until_its_owner_has_upgraded_it(
        self, empty_postgres_store: PostgresTestStore
    ) -> None:
        with pytest.raises(StaleSchema, match="duanhao db upgrade"):
            async with open_application(empty_postgres_store.settings):
                pass

    @pytest.mark.parametrize("wrong", ["password", "database"])
    async def test_a_postgresql_that_lets_nobody_in_is_not_called_stale(
        self, postgres_store: PostgresTestStore, wrong: str
    ) -> None:
        assert postgres_store.settings.database.url is not None
        right = make_url(postgres_store.settings.database.url.get_secret_value())
        address = right.set(database="nowhere") if wrong == "database" else right.set(username="nobody_here")
        settings = Settings(database=DatabaseSettings(url=SecretStr(address.render_as_string(hide_password=False))))
        database = Database(settings)
        with pytest.raises(StoreRefused, match="look at DUANHAO_DATABASE__URL") as refused:
            await ensure_current(settings, database)
        await database.close()
        assert "请检查 DUANHAO_DATABASE__URL" in refused.value.detail_zh

    async def test_the_service_role_is_told_that_it_cannot_upgrade(
        self, empty_postgres_store: PostgresTestStore
    ) -> None:
        url = empty_postgres_store.settings.database.url
        assert url is not None
        settings = Settings(data_dir=empty_postgres_store.settings.data_dir, database=DatabaseSettings(url=url))
        with pytest.raises(StoreRefused, match=r"permission denied.*DUANHAO_DATABASE__OWNER_URL"):
            await asyncio.to_thread(upgrade, settings)

    async def test_an_older_postgresql_is_refused(self, postgres_store: PostgresTestStore) -> None:
        owner = await asyncpg.connect(postgres_store.superuser_dsn)
        await owner.execute("UPDATE alembic_version SET version_num = 'aad5aa9e4ecf'")
        await owner.close()
        database = Database(postgres_store.settings)
        with pytest.raises(StaleSchema):
            await ensure_current(postgres_store.settings, database)
        await database.close()

    async def test_current_stores_are_taken_as_they_are(
        self, sqlite_store: SqliteTestStore, postgres_store: PostgresTestStore
    ) -> None:
        for settings in (sqlite_store.settings, postgres_store.settings):
            database = Database(settings)
            await ensure_current(settings, database)
            await asyncio.gather(database.close())

    def test_the_newest_revision_is_alembics_head(self) -> None:
        from alembic.config import Config  # noqa: PLC0415 — as slow as in the service
        from alembic.script import ScriptDirectory  # noqa: PLC0415 — as above

        config = Config(ROOT / "alembic.ini")
        config.set_main_option("script_location", str(ROOT / "migrations"))
        assert ScriptDirectory.from_config(config).get_current_head() == newest_revision()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give an environment with no setting of ours."""
    for name in [name for name in os.environ if name.startswith("DUANHAO_")]:
        monkeypatch.delenv(name)
    return monkeypatch


class TestSettings:
    def test_nothing_needs_to_be_set(self, environment: pytest.MonkeyPatch) -> None:
        del environment
        settings = Settings()
        assert (settings.env, settings.on_postgresql, settings.http.host) == ("development", False, "127.0.0.1")
        assert settings.root_key_file == settings.data_dir / "keys" / "root.key"

    def test_the_environment_wins_over_the_file_and_arguments_over_both(
        self, environment: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = tmp_path / "duanhao.yaml"
        path.write_text("http: {port: 1111, host: 192.0.2.1}\nlog_level: error\n", encoding="utf-8")
        environment.setenv("DUANHAO_CONFIG", str(path))
        environment.setenv("DUANHAO_HTTP__PORT", "2222")
        settings = Settings()
        assert (settings.http.port, settings.http.host, settings.log_level) == (2222, "192.0.2.1", "error")
        assert Settings(log_level="debug").log_level == "debug"

    @pytest.mark.parametrize(
        "given",
        [
            {"databse": {}},
            {"http": {"prot": 1}},
            {"audit": {"deadline": 1}},
            {"env": "staging"},
            {"http": {"port": 70_000}},
            {"audit": {"deadline_seconds": 0}},
            {"keys": {"provider": "memory"}},
            {"tokens": {"external": [{"issuer": "x"}]}},
            {"tokens": {"external": [{"issuer": "x", "jwks_url": "x", "audience": "x", "algorithms": ["HS256"]}]}},
            {"contacts": {"default_region": "China"}},
        ],
    )
    def test_what_nobody_knows_is_refused(self, environment: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
        del environment
        with pytest.raises(ValidationError):
            Settings(**given)

    @pytest.mark.parametrize("name", ["DUANHAO_HTTP__PROT", "DUANHAO_AUDIT__DEADLINE", "DUANHAO_TOKENS__LEWAY"])
    def test_a_misspelt_variable_is_refused(self, environment: pytest.MonkeyPatch, name: str) -> None:
        environment.setenv(name, "1")
        with pytest.raises(ValidationError):
            Settings()

    @pytest.mark.parametrize(
        "name",
        [
            "DUANHAO_HTP__PORT",
            "DUANHAO_LOG_LEVL",
            "DUANHAO_HTTP_PORT",
            "DUANHAO_PORT",
            "DUANHAO_ENV__NAME",
            "DUANHAO_",
            "DUANHAO_TOKEN_",
            "duanhao_htp__port",
        ],
    )
    def test_a_variable_that_nobody_reads_is_refused_by_name(
        self, environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, name: str
    ) -> None:
        environment.setenv(name, "hunter2")
        environment.setenv("DUANHAO_DATABASE__URL", "postgresql://someone:hunter2@127.0.0.1/x")
        with pytest.raises(ValidationError, match=f"no setting has the name {name}: ") as refused:
            Settings()
        assert "hunter2" not in str(refused.value)
        environment.setenv("DUANHAO_DATA_DIR", str(tmp_path / "var"))
        environment.setattr(sys, "argv", ["duanhao", "db", "upgrade"])
        with pytest.raises(SystemExit) as left:
            root.main()
        told = capfd.readouterr()
        assert left.value.code == 2
        assert f"no setting has the name {name}" in told.err
        assert "hunter2" not in told.err + told.out
        assert not (tmp_path / "var").exists()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DUANHAO_TOKEN", "x"),
            ("DUANHAO_URL", "http://127.0.0.1:8000"),
            ("DUANHAO_CLIENT_ID", "x"),
            ("DUANHAO_CLIENT_SECRET", "x"),
            ("DUANHAO_CONFIG", ""),
            ("DUANHAO_ROOT_KEY", "x"),
            ("DUANHAO_TEST_POSTGRES_URL", "x"),
            ("DUANHAO_BENCHMARK_PROFILE", "x"),
            ("DUANHAO_PORT", "tcp://10.0.0.1:8000"),
            ("DUANHAO_SERVICE_HOST", "10.0.0.1"),
            ("DUANHAO_SERVICE_PORT_HTTP", "8000"),
            ("DUANHAO_DB_PORT_5432_TCP_ADDR", "10.0.0.2"),
            ("DUANHAO_HTTP", '{"port": 9000}'),
            ("duanhao_http__port", "9000"),
            ("DUANHAOX", "x"),
        ],
    )
    def test_a_variable_that_somebody_else_reads_is_left_alone(
        self, environment: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        environment.setenv(name, value)
        assert Settings().env == "development"

    def test_the_root_keys_variable_may_have_another_name(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("DUANHAO_MASTER", "x")
        environment.setenv("DUANHAO_KEYS__VARIABLE", "DUANHAO_MASTER")
        assert Settings().keys.variable == "DUANHAO_MASTER"
        environment.setenv("DUANHAO_ROOT_KEY", "x")
        with pytest.raises(ValidationError, match="DUANHAO_ROOT_KEY"):
            Settings()

    @pytest.mark.parametrize("content", ["- a list", "just text", "unknown: 1"])
    def test_a_malformed_file_stops_the_start(
        self, environment: pytest.MonkeyPatch, tmp_path: Path, content: str
    ) -> None:
        path = tmp_path / "duanhao.yaml"
        path.write_text(content, encoding="utf-8")
        environment.setenv("DUANHAO_CONFIG", str(path))
        with pytest.raises((TypeError, ValidationError)):
            Settings()

    def test_a_missing_file_stops_the_start(self, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
        environment.setenv("DUANHAO_CONFIG", str(tmp_path / "none.yaml"))
        with pytest.raises(FileNotFoundError):
            Settings()

    def test_settings_do_not_change(self, environment: pytest.MonkeyPatch) -> None:
        del environment
        settings = Settings()
        with pytest.raises(ValidationError):
            settings.env = "production"  # type: ignore[misc]  # frozen
        with pytest.raises(ValidationError):
            settings.http.port = 1  # type: ignore[misc]  # frozen

    def test_an_address_with_a_password_is_not_printed(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("DUANHAO_DATABASE__URL", "postgresql://someone:hunter2@127.0.0.1/x")
        assert "hunter2" not in repr(Settings())

    def test_production_takes_no_generated_key(self, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
        environment.setenv("DUANHAO_ENV", "production")
        with pytest.raises(ProductionRefused, match="DUANHAO_KEYS__FILE"):
            require(Settings())
        environment.setenv("DUANHAO_KEYS__FILE", str(tmp_path / "root.key"))
        assert Settings().root_key_file == tmp_path / "root.key"
        assert "root_key_generated" not in [each.code for each in refusals(Settings())]


class TestPreparation:
    async def test_a_server_is_ready_when_its_first_caller_waits_for_nothing_but_their_own(
        self, sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settled: list[bool] = []

        def settle() -> None:
            settled.append(True)

        monkeypatch.setattr(main, "_settle_memory", settle)
        monkeypatch.setattr(sys, "setswitchinterval", settled.append)
        app = main.create_app(sqlite_store.settings)
        async with app.router.lifespan_context(app):
            application: Application = app.state.application
            assert application.standings._tree is not None
            assert application.packs._held is not None
            assert application.contact_rows._by_ids.keys() == {1, 2, 4, 8, 16, 32, 64}
        assert settled[-1] is True

    async def test_what_cannot_be_read_at_the_start_keeps_no_server_from_starting(
        self, sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_application(sqlite_store.settings) as application:

            async def unreadable(*_: object) -> None:
                raise PolicyUnreadable

            monkeypatch.setattr(application.packs, "current", unreadable)
            with capture_logs() as lines:
                await application.prepare()
        assert [line["event"] for line in lines] == ["not_prepared"]

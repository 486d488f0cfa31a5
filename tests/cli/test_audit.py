"""``audit head`` and ``audit verify`` find a whole log whole, name what was edited, and leave the store as it was."""

import asyncio
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from app import assembly
from app.audit.events import EventDraft
from app.audit.note import Signer, Verifier
from app.audit.verification import DamageKind
from app.cli.audit import app
from app.cli.verifying import BITS, KINDS
from app.composition import open_application
from app.config import Settings
from app.kit.models import new_id
from tests.support.application import World, opened_world
from tests.support.postgres import in_thread
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore

ROOT = Path(__file__).parents[2]


@contextmanager
def settings_of(settings: Settings) -> Iterator[None]:
    """Put where the store is into the environment, as an operator does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUANHAO_DATA_DIR", str(settings.data_dir))
        if settings.database.url is not None:
            patch.setenv("DUANHAO_DATABASE__URL", settings.database.url.get_secret_value())
        yield


def run(settings: Settings, *arguments: str | Path) -> Result:
    """Run ``audit`` on a store."""
    with settings_of(settings):
        return CliRunner().invoke(app, [str(each) for each in arguments])


async def run_beside(settings: Settings, *arguments: str | Path) -> Result:
    """Run ``audit`` while the application of this test is open."""
    return await asyncio.to_thread(run, settings, *arguments)


def seen(folder: Path) -> dict[str, str]:
    """Hash every file of a store but the two that SQLite itself keeps beside an open database."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


async def some_reads(world: World) -> None:
    for name in ("staff", "colleague", "outsider"):
        await world.card(name, "staff")


@pytest.fixture
def closed(sqlite_store: SqliteTestStore) -> Settings:
    """Give a store with a few reads in its log that nobody serves."""

    async def filled() -> None:
        async with opened_world(sqlite_store.settings) as world:
            await some_reads(world)

    in_thread(filled())
    return sqlite_store.settings


def one_more(settings: Settings) -> None:
    """Add an event that opens nothing."""

    async def go_on() -> None:
        async with open_application(settings) as application:
            await application.log.record(
                EventDraft(
                    id=new_id(), at=application.clock.now(), actor_type="system", action="test.made", decision="allowed"
                )
            )

    in_thread(go_on())


def tamper(settings: Settings, statement: str, *values: object) -> None:
    """Edit the log's file as an intruder with the disk would: triggers away, then the edit."""
    with closing(sqlite3.connect(settings.data_dir / "log.sqlite3")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        assert triggers, "the log has no append-only triggers"
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        changed = connection.execute(statement, values)
        assert changed.rowcount > 0
        connection.commit()


def edited(payload: bytes) -> bytes:
    return payload.replace(b'"contact.read"', b'"contact.list"')


def an_event(settings: Settings) -> tuple[int, bytes]:
    with closing(sqlite3.connect(settings.data_dir / "log.sqlite3")) as connection:
        index, payload = connection.execute(
            'SELECT "index", payload FROM event WHERE action = \'contact.read\' ORDER BY "index" LIMIT 1'
        ).fetchone()
    assert edited(payload) != payload
    return index, payload


# ------------------------------------------------------------------------------------------------------------- a whole log


async def test_a_log_that_is_being_served_verifies(world: World) -> None:
    await some_reads(world)
    done = await run_beside(world.application.settings, "verify", "--json")
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout)
    head = await world.application.events.checkpoint()
    assert head is not None
    assert told["intact"] is True
    assert told["damage"] == []
    assert told["size"] == world.application.log_signer.verifier().open(head).size
    assert told["verifier_key"] == world.application.log_signer.verifier().text()


def test_a_log_that_nobody_serves_verifies_and_stays_as_it_is(closed: Settings) -> None:
    before = seen(closed.data_dir)
    assert {"duanhao.sqlite3", "log.sqlite3"} <= before.keys()
    for arguments in (("verify",), ("head",)):
        done = run(closed, *arguments)
        assert done.exit_code == 0, done.output
    assert seen(closed.data_dir) == before


def test_the_report_speaks_english_and_chinese(closed: Settings) -> None:
    done = run(closed, "verify")
    assert "INTACT" in done.stdout
    assert "完好" in done.stdout
    assert done.stderr == ""


def test_a_terminal_sees_how_far_it_is(closed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = run(closed, "verify")
    assert done.exit_code == 0
    assert "校验" in done.stderr


def test_the_head_is_a_note_that_other_tools_can_check(closed: Settings) -> None:
    shown = run(closed, "head", "--json")
    assert shown.exit_code == 0, shown.output
    told = orjson.loads(shown.stdout)
    checkpoint = Verifier.parse(told["verifier_key"]).open(told["checkpoint"])
    assert told["size"] == checkpoint.size > 0
    plain = run(closed, "head")
    assert plain.stdout.startswith(told["checkpoint"])
    assert told["verifier_key"] in plain.stdout


# ---------------------------------------------------------------------------------------------------------- a damaged log


def test_an_edited_event_is_named_by_its_index(closed: Settings) -> None:
    index, payload = an_event(closed)
    tamper(closed, 'UPDATE event SET payload = ? WHERE "index" = ?', edited(payload), index)
    done = run(closed, "verify")
    assert done.exit_code == 1
    assert f"DAMAGED index {index}: edited_payload" in done.stdout
    assert f"已损坏 序号 {index}：事件内容被修改" in done.stdout
    told = orjson.loads(run(closed, "verify", "--json").stdout)
    assert told["intact"] is False
    assert [(each["index"], each["last"], each["kind"]) for each in told["damage"]] == [
        (index, index, "edited_payload")
    ]


def test_the_entry_point_leaves_with_the_same_code(closed: Settings) -> None:
    index, payload = an_event(closed)
    command = [sys.executable, "-c", "from app.cli.root import main; main()", "audit", "verify"]
    with settings_of(closed):
        whole = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
        tamper(closed, 'UPDATE event SET payload = ? WHERE "index" = ?', edited(payload), index)
        damaged = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert (whole.returncode, damaged.returncode) == (0, 1), whole.stderr + damaged.stderr
    assert f"index {index}: edited_payload" in damaged.stdout.decode()


def test_an_edited_leaf_is_told_from_an_edited_event(closed: Settings) -> None:
    index, _ = an_event(closed)
    tamper(closed, 'UPDATE leaf SET hash = zeroblob(32) WHERE "index" = ?', index)
    assert f"index {index}: edited_leaf" in run(closed, "verify").stdout


def test_an_edited_search_column_is_found(closed: Settings) -> None:
    index, _ = an_event(closed)
    tamper(closed, "UPDATE event SET actor_id = 'nobody' WHERE \"index\" = ?", index)
    done = run(closed, "verify")
    assert (done.exit_code, f"index {index}: edited_column" in done.stdout) == (1, True)


def test_a_cut_end_is_found(closed: Settings) -> None:
    one_more(closed)
    size = orjson.loads(run(closed, "head", "--json").stdout)["size"]
    tamper(closed, 'DELETE FROM event WHERE "index" = ?', size - 1)
    with closing(sqlite3.connect(closed.data_dir / "log.sqlite3")) as connection:
        connection.execute('DELETE FROM leaf WHERE "index" = ?', (size - 1,))
        connection.commit()
    done = run(closed, "verify")
    assert (done.exit_code, f"index {size - 1}: truncated" in done.stdout) == (1, True)


def test_a_forged_head_is_found_at_once(closed: Settings) -> None:
    tamper(closed, "UPDATE head SET size = size - 1")
    done = run(closed, "head")
    assert done.exit_code == 1
    assert "DAMAGED" in done.stderr
    assert orjson.loads(run(closed, "head", "--json").stdout)["intact"] is False


@pytest_asyncio.fixture
async def postgres_world(postgres_store: PostgresTestStore) -> AsyncIterator[World]:
    async with opened_world(postgres_store.settings) as world:
        yield world


async def test_an_edited_event_is_named_on_postgresql(postgres_world: World, postgres_store: PostgresTestStore) -> None:
    await some_reads(postgres_world)

    async def edit() -> int:
        connection = await asyncpg.connect(postgres_store.superuser_dsn)
        try:
            await connection.execute("ALTER TABLE log.event DISABLE TRIGGER ALL")
            row = await connection.fetchrow(
                'SELECT "index", payload FROM log.event WHERE action = \'contact.read\' ORDER BY "index" LIMIT 1'
            )
            assert row is not None
            await connection.execute('UPDATE log.event SET payload = $1 WHERE "index" = $2', edited(row[1]), row[0])
            index: int = row[0]
            return index
        finally:
            await connection.close()

    index = await edit()
    done = await run_beside(postgres_store.settings, "verify")
    assert done.exit_code == 1, done.output
    assert f"DAMAGED index {index}: edited_payload" in done.stdout


def test_index_rows_are_read_in_the_order_in_which_the_service_writes_them() -> None:
    assert BITS.order == assembly.BITS.order


def test_every_class_of_damage_has_words() -> None:
    assert set(KINDS) == set(DamageKind)
    assert all(english and chinese for english, chinese in KINDS.values())


# ------------------------------------------------------------------------------- with the public key, and against copies


def test_a_copy_of_the_log_verifies_with_the_public_key_alone(closed: Settings, tmp_path: Path) -> None:
    key = orjson.loads(run(closed, "head", "--json").stdout)["verifier_key"]
    evidence, kept = tmp_path / "evidence.sqlite3", tmp_path / "key"
    shutil.copy(closed.data_dir / "log.sqlite3", evidence)
    kept.write_text(key + "\n", encoding="utf-8")
    elsewhere = Settings(data_dir=tmp_path / "nowhere")
    for given in (key, kept):
        done = run(elsewhere, "verify", "--log", evidence, "--public-key", given)
        assert done.exit_code == 0, done.output
    assert not elsewhere.data_dir.exists()


def test_another_key_verifies_nothing(closed: Settings) -> None:
    stranger = Signer(closed.audit.origin, Ed25519PrivateKey.generate()).verifier().text()
    done = run(closed, "verify", "--public-key", stranger)
    assert (done.exit_code, "bad_signature" in done.stdout) == (1, True)
    assert run(closed, "head", "--public-key", stranger).exit_code == 1


def test_checkpoints_kept_elsewhere_agree_and_show_a_log_that_was_put_back(closed: Settings, tmp_path: Path) -> None:
    kept, earlier = tmp_path / "kept", tmp_path / "earlier.sqlite3"
    shutil.copy(closed.data_dir / "log.sqlite3", earlier)
    size = orjson.loads(run(closed, "head", "--json").stdout)["size"]
    one_more(closed)
    kept.write_text(orjson.loads(run(closed, "head", "--json").stdout)["checkpoint"], encoding="utf-8")
    whole = run(closed, "verify", "--against", kept, "--json")
    assert (whole.exit_code, orjson.loads(whole.stdout)["checkpoints"]) == (0, 1)
    back = run(closed, "verify", "--log", earlier, "--against", kept)
    assert (back.exit_code, f"index {size}" in back.stdout, "rolled_back" in back.stdout) == (1, True, True)


# ----------------------------------------------------------------------------------------------------- what cannot be read


def test_without_a_store_there_is_nothing_to_read_and_nothing_is_made(tmp_path: Path) -> None:
    nowhere = Settings(data_dir=tmp_path / "nowhere")
    for verb in ("verify", "head"):
        done = run(nowhere, verb)
        assert done.exit_code == 2
        assert "无法读取" in done.stderr
    assert not nowhere.data_dir.exists()


def test_what_is_no_key_no_log_and_no_checkpoint_is_said_to_be_unreadable(closed: Settings, tmp_path: Path) -> None:
    empty, noise = tmp_path / "empty", tmp_path / "noise.sqlite3"
    empty.write_text("nothing\n", encoding="utf-8")
    noise.write_bytes(b"not a database" * 100)
    for arguments in (
        ("verify", "--public-key", "name+id"),
        ("verify", "--public-key", empty),
        ("verify", "--against", empty),
        ("verify", "--against", tmp_path / "missing"),
        ("verify", "--log", noise),
        ("verify", "--log", tmp_path / "missing.sqlite3"),
    ):
        done = run(closed, *arguments)
        assert (arguments, done.exit_code) == (arguments, 2)
        assert done.stderr.startswith("cannot read the log: ")
        assert done.stdout == ""


def test_a_database_that_is_down_is_unreadable(empty_sqlite_store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUANHAO_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/none")
    for verb in ("verify", "head"):
        assert run(empty_sqlite_store.settings, verb).exit_code == 2


def test_help_is_instant() -> None:
    code = "import sys, app.cli.audit; sys.exit('sqlalchemy' in sys.modules or 'cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
    shown = CliRunner().invoke(app, ["verify", "--help"])
    assert "校验整个访问日志" in shown.output

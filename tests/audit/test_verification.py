"""Tampering: every way of changing the log behind its back is found, named, and put at the right index."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any, Final
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit import sources
from app.audit.errors import LogDamaged
from app.audit.events import encode_event
from app.audit.merkle import Frontier, leaf_hash
from app.audit.note import Signer
from app.audit.stores import StoreUnavailable, entry_of
from app.audit.verification import DamageKind, Report, check_head, verify
from tests.audit.places import BITS, ORIGIN, SIGNER, Place, SqlitePlace, contact, draft, filled

BATCHES = [3, 1, 4, 2]
"""Ten events in batches that end at 3, 4, 8 and 10."""

OTHER = Signer(ORIGIN, Ed25519PrivateKey.generate())
Tamper = Callable[[Place], Awaitable[None]]


async def checked(place: Place, **more: Any) -> Report:  # noqa: ANN401 — options of verify
    return await verify(place.source(), verifier=SIGNER.verifier(), bits=BITS, **more)


async def rows(place: Place) -> list[tuple[Any, ...]]:
    return await place.run('SELECT "index", hash FROM {log}leaf ORDER BY "index"')


async def payload(place: Place, index: int) -> bytes:
    ((found,),) = await place.run('SELECT payload FROM {log}event WHERE "index" = ?1', index)
    return bytes(found)


async def flip_payload(place: Place) -> None:
    raw = bytearray(await payload(place, 5))
    raw[raw.index(b"contact.read")] ^= 1
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 5', bytes(raw))


async def garble_payload(place: Place) -> None:
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 5', b"\x00")


async def flip_leaf(place: Place) -> None:
    await place.run('UPDATE {log}leaf SET hash = ?1 WHERE "index" = 5', leaf_hash(b"other"))


async def flip_both(place: Place) -> None:
    raw = (await payload(place, 5)).replace(b"allowed", b"refused")
    await place.run("UPDATE {log}event SET payload = ?1, decision = 'refused' WHERE \"index\" = 5", raw)
    await place.run('UPDATE {log}leaf SET hash = ?1 WHERE "index" = 5', leaf_hash(raw))


async def swap_payloads(place: Place) -> None:
    fifth, sixth = await payload(place, 5), await payload(place, 6)
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 5', sixth)
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 6', fifth)


async def swap_whole_events(place: Place) -> None:
    for table in ("leaf", "event", "subject_entry", "subject_page"):
        for old, new in ((5, -1), (6, 5), (-1, 6)):
            await place.run('UPDATE {log}{table} SET "index" = ?1 WHERE "index" = ?2', new, old, table=table)


async def delete_leaf(place: Place) -> None:
    await place.run('DELETE FROM {log}leaf WHERE "index" = 5')


async def delete_payload(place: Place) -> None:
    await place.run('DELETE FROM {log}event WHERE "index" = 5')


async def delete_event_and_leaf(place: Place) -> None:
    await delete_leaf(place)
    await delete_payload(place)


async def delete_and_close_the_gap(place: Place) -> None:
    for table in ("leaf", "event", "subject_entry", "subject_page"):
        await place.run('DELETE FROM {log}{table} WHERE "index" = 5', table=table)
        for index in range(6, 10):
            await place.run('UPDATE {log}{table} SET "index" = "index" - 1 WHERE "index" = ?1', index, table=table)


async def append_forged(place: Place) -> None:
    event = draft(contact(99))
    raw = encode_event(event)
    await place.run('INSERT INTO {log}leaf ("index", hash) VALUES (10, ?1)', leaf_hash(raw))


async def renumber(place: Place) -> None:
    for table in ("leaf", "event"):
        await place.run('UPDATE {log}{table} SET "index" = 1000 WHERE "index" = 5', table=table)


async def truncate(place: Place) -> None:
    for table in ("leaf", "event", "subject_entry", "subject_page"):
        await place.run('DELETE FROM {log}{table} WHERE "index" >= 5', table=table)


async def truncate_with_batches(place: Place) -> None:
    await truncate(place)
    await place.run("DELETE FROM {log}batch WHERE size > 4")


async def drop_index_row(place: Place) -> None:
    await place.run('DELETE FROM {log}subject_entry WHERE "index" = 5 AND contact_id = ?1', contact(10))


async def edit_bits(place: Place) -> None:
    await place.run('UPDATE {log}subject_entry SET bits = 0 WHERE "index" = 5 AND contact_id = ?1', contact(10))


async def move_index_row(place: Place) -> None:
    await place.run(
        'UPDATE {log}subject_entry SET contact_id = ?1 WHERE "index" = 5 AND contact_id = ?2', contact(77), contact(10)
    )


async def add_index_row_beyond(place: Place) -> None:
    await place.run('INSERT INTO {log}subject_entry (contact_id, "index", bits) VALUES (?1, 50, 1)', contact(1))


async def drop_page(place: Place) -> None:
    await place.run('DELETE FROM {log}subject_page WHERE "index" = 5')


async def edit_page_bits(place: Place) -> None:
    await place.run('UPDATE {log}subject_page SET bits = 0 WHERE "index" = 5')


async def edit_page(place: Place) -> None:
    await place.run(
        'UPDATE {log}subject_page SET contacts = ?1 WHERE "index" = 5', contact(77).bytes + contact(10).bytes
    )


async def cut_page(place: Place) -> None:
    await place.run('UPDATE {log}subject_page SET contacts = ?1 WHERE "index" = 5', contact(10).bytes + b"short")


async def repeat_page(place: Place) -> None:
    await place.run('INSERT INTO {log}subject_entry (contact_id, "index", bits) VALUES (?1, 5, 9)', contact(10))


@pytest.mark.parametrize("tamper", [drop_page, edit_page_bits, edit_page, cut_page, repeat_page])
async def test_index_rows_that_are_still_packed_are_verified_too(place: Place, tamper: Tamper) -> None:
    await filled(place, BATCHES, packed=True)
    assert (await checked(place)).intact
    await tamper(place)
    report = await checked(place)
    assert [(each.kind, each.index) for each in report.damage] == [(DamageKind.EDITED_INDEX_ROW, 5)]


async def sign_otherwise(place: Place) -> None:
    ((root,),) = await place.run("SELECT root FROM {log}batch WHERE size = 8")
    await place.run("UPDATE {log}batch SET note = ?1 WHERE size = 8", OTHER.sign(8, bytes(root)))


async def copy_a_note(place: Place) -> None:
    await place.run("UPDATE {log}batch SET note = (SELECT note FROM {log}batch WHERE size = 4) WHERE size = 8")


async def edit_batch_root(place: Place) -> None:
    await place.run("UPDATE {log}batch SET root = ?1 WHERE size = 8", leaf_hash(b"other"))


async def delete_batch(place: Place) -> None:
    await place.run("DELETE FROM {log}batch WHERE size = 8")


async def delete_last_batch(place: Place) -> None:
    await place.run("DELETE FROM {log}batch WHERE size = 10")


async def head_back(place: Place) -> None:
    leaves = await rows(place)
    frontier = Frontier()
    for _, leaf in leaves[:8]:
        frontier.append(bytes(leaf))
    root = frontier.root()
    await place.run(
        "UPDATE {log}head SET size = 8, frontier = ?1, root = ?2, note = ?3",
        frontier.encode(),
        root,
        SIGNER.sign(8, root),
    )


async def head_root(place: Place) -> None:
    await place.run("UPDATE {log}head SET root = ?1", leaf_hash(b"other"))


async def head_gone(place: Place) -> None:
    await place.run("DELETE FROM {log}head")


def column(assignment: str) -> Tamper:
    async def edit(place: Place) -> None:
        at = "at + 1" if isinstance(place, SqlitePlace) else "at + interval '1 microsecond'"
        change = assignment.replace("LATER", at)
        await place.run('UPDATE {log}event SET {change} WHERE "index" = 5', change=change)

    edit.__name__ = assignment.partition(" ")[0]
    return edit


async def edit_id(place: Place) -> None:
    await place.run('UPDATE {log}event SET id = ?1 WHERE "index" = 5', UUID(int=5))


K = DamageKind


@pytest.mark.parametrize(
    ("tamper", "kind", "index", "last"),
    [
        (flip_payload, K.EDITED_PAYLOAD, 5, 5),
        (garble_payload, K.EDITED_PAYLOAD, 5, 5),
        (flip_leaf, K.EDITED_LEAF, 5, 5),
        (flip_both, K.REWRITTEN, 4, 7),
        (swap_payloads, K.EDITED_PAYLOAD, 5, 5),
        (swap_whole_events, K.REWRITTEN, 4, 7),
        (delete_leaf, K.MISSING_LEAF, 5, 5),
        (delete_payload, K.MISSING_PAYLOAD, 5, 5),
        (delete_event_and_leaf, K.MISSING_LEAF, 5, 5),
        (delete_and_close_the_gap, K.REWRITTEN, 4, 7),
        (append_forged, K.UNSIGNED_TAIL, 10, 10),
        (renumber, K.MISSING_LEAF, 5, 5),
        (truncate, K.TRUNCATED, 5, 9),
        (truncate_with_batches, K.TRUNCATED, 5, 9),
        (drop_index_row, K.EDITED_INDEX_ROW, 5, 5),
        (edit_bits, K.EDITED_INDEX_ROW, 5, 5),
        (move_index_row, K.EDITED_INDEX_ROW, 5, 5),
        (add_index_row_beyond, K.EDITED_INDEX_ROW, 50, 50),
        (sign_otherwise, K.BAD_SIGNATURE, 4, 7),
        (copy_a_note, K.FORGED_BATCH, 4, 7),
        (edit_batch_root, K.FORGED_BATCH, 4, 7),
        (delete_batch, K.MISSING_BATCH, 4, 7),
        (delete_last_batch, K.MISSING_BATCH, 8, 9),
        (head_back, K.HEAD_MISMATCH, 8, 10),
        (head_root, K.HEAD_MISMATCH, 10, 10),
        (head_gone, K.HEAD_MISMATCH, 0, 0),
        (column("actor_id = 'another'"), K.EDITED_COLUMN, 5, 5),
        (column("actor_id = NULL"), K.EDITED_COLUMN, 5, 5),
        (column("actor_type = 'system'"), K.EDITED_COLUMN, 5, 5),
        (column("action = 'contact.list'"), K.EDITED_COLUMN, 5, 5),
        (column("decision = 'refused'"), K.EDITED_COLUMN, 5, 5),
        (column("at = LATER"), K.EDITED_COLUMN, 5, 5),
        (edit_id, K.EDITED_COLUMN, 5, 5),
    ],
)
async def test_damage_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, tamper: Tamper, kind: DamageKind, index: int, last: int
) -> None:
    await filled(place, BATCHES)
    assert (await checked(place)).intact
    await tamper(place)
    for chunk in (2000, 3):
        monkeypatch.setattr(sources, "CHUNK", chunk)
        report = await checked(place)
        assert report.first is not None
        assert (report.first.index, report.first.last, report.first.kind) == (index, last, kind), report.damage


async def test_an_intact_log(place: Place) -> None:
    await filled(place, [])
    empty = await checked(place)
    assert empty.intact
    assert (empty.size, empty.batches) == (0, 0)
    await filled(place, BATCHES)
    report = await checked(place, every_signature=False)
    assert report.intact
    assert (report.size, report.batches) == (10, 4)
    ((root,),) = await place.run("SELECT root FROM {log}head")
    assert report.root == root


async def test_only_the_newest_signature_on_request(place: Place) -> None:
    await filled(place, BATCHES)
    await sign_otherwise(place)
    assert (await checked(place, every_signature=False)).intact
    ((root,),) = await place.run("SELECT root FROM {log}batch WHERE size = 10")
    await place.run("UPDATE {log}batch SET note = ?1 WHERE size = 10", OTHER.sign(10, bytes(root)))
    report = await checked(place, every_signature=False)
    assert [damage.kind for damage in report.damage] == [K.BAD_SIGNATURE]


async def test_single_bytes_of_an_event(sqlite_place: SqlitePlace) -> None:
    """Every byte of a leaf, and every seventh of a payload, flipped one at a time."""
    await filled(sqlite_place, [2, 2])
    raw = await payload(sqlite_place, 1)
    ((leaf,),) = await sqlite_place.run('SELECT hash FROM {log}leaf WHERE "index" = 1')
    source = sqlite_place.source()
    cases = (
        ('UPDATE event SET payload = ? WHERE "index" = 1', raw, K.EDITED_PAYLOAD, 7),
        ('UPDATE leaf SET hash = ? WHERE "index" = 1', leaf, K.EDITED_LEAF, 1),
    )
    for update, value, kind, step in cases:
        with closing(sqlite3.connect(sqlite_place.path, isolation_level=None)) as connection:
            for place in range(0, len(value), step):
                changed = value[:place] + bytes([value[place] ^ 0x10]) + value[place + 1 :]
                connection.execute(update, (changed,))
                report = await verify(source, verifier=SIGNER.verifier(), bits=BITS)
                assert (1, kind) in {(damage.index, damage.kind) for damage in report.damage}, place
                assert report.first is not None
                assert report.first.index == 1
            connection.execute(update, (value,))
    assert (await checked(sqlite_place)).intact


async def put_back(place: Place, size: int) -> None:
    """Put everything back to what it was at ``size``, signatures included."""
    for table in ("leaf", "event", "subject_entry", "subject_page"):
        await place.run('DELETE FROM {log}{table} WHERE "index" >= ?1', size, table=table)
    await place.run("DELETE FROM {log}batch WHERE size > ?1", size)
    frontier = Frontier()
    for _, leaf in await rows(place):
        frontier.append(bytes(leaf))
    root = frontier.root()
    await place.run(
        "UPDATE {log}head SET size = ?1, frontier = ?2, root = ?3, note = ?4",
        size,
        frontier.encode(),
        root,
        SIGNER.sign(size, root),
    )


async def notes(place: Place) -> list[str]:
    return [note for (note,) in await place.run("SELECT note FROM {log}batch ORDER BY size")]


async def appended(place: Place, count: int) -> None:
    store = place.store()
    await store.open()
    await store.append([entry_of(draft(contact(number)), BITS) for number in range(count)])
    await store.close()


async def test_against_checkpoints_kept_elsewhere(place: Place) -> None:
    await filled(place, BATCHES)
    kept = await notes(place)
    report = await checked(place, against=kept)
    assert report.intact
    assert report.checkpoints == 4

    await put_back(place, 8)
    assert (await checked(place)).intact, "the log alone cannot know"
    rolled = await checked(place, against=kept)
    assert [(damage.index, damage.last, damage.kind) for damage in rolled.damage] == [(8, 9, K.ROLLED_BACK)]

    await appended(place, 2)
    assert (await checked(place)).intact
    forked = await checked(place, against=kept)
    assert [(damage.last, damage.kind) for damage in forked.damage] == [(9, K.FORKED)]

    await put_back(place, 8)
    await appended(place, 5)
    rewritten = await checked(place, against=kept)
    assert [(damage.last, damage.kind) for damage in rewritten.damage] == [(9, K.REWRITTEN)]

    foreign = await checked(place, against=[*kept[:3], OTHER.sign(8, leaf_hash(b"")), "no note"])
    assert [damage.kind for damage in foreign.damage] == [K.BAD_SIGNATURE, K.BAD_SIGNATURE]
    twice = await checked(place, against=[*kept[:3], SIGNER.sign(8, leaf_hash(b""))])
    assert K.FORKED in {damage.kind for damage in twice.damage}


async def test_start_is_refused_on_damage(place: Place) -> None:
    source, verifier = place.source(), SIGNER.verifier()
    await check_head(source, verifier=verifier)
    await filled(place, BATCHES)
    published = (await notes(place))[-1]
    await check_head(source, verifier=verifier, published=published)
    with pytest.raises(LogDamaged):
        await check_head(source, verifier=OTHER.verifier())
    await put_back(place, 8)
    await check_head(source, verifier=verifier)
    with pytest.raises(LogDamaged, match="rolled_back"):
        await check_head(source, verifier=verifier, published=published)


@pytest.mark.parametrize("tamper", [truncate, append_forged, delete_last_batch, head_back, head_root, head_gone])
async def test_start_is_refused_on_damage_at_the_end(place: Place, tamper: Tamper) -> None:
    await filled(place, BATCHES)
    await tamper(place)
    with pytest.raises(LogDamaged):
        await check_head(place.source(), verifier=SIGNER.verifier())


async def test_start_is_refused_on_a_changed_last_event(place: Place) -> None:
    await filled(place, BATCHES)
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 9', b"{}")
    with pytest.raises(LogDamaged, match="last event"):
        await check_head(place.source(), verifier=SIGNER.verifier())


async def test_start_is_refused_without_the_log_that_was_published(place: Place) -> None:
    with pytest.raises(LogDamaged):
        await check_head(place.source(), verifier=SIGNER.verifier(), published=SIGNER.sign(3, leaf_hash(b"")))


async def test_a_log_that_cannot_be_read(sqlite_place: SqlitePlace) -> None:
    sqlite_place.path.unlink()
    with pytest.raises(StoreUnavailable):
        await checked(sqlite_place)


async def test_evidence_of_a_later_version_is_refused_politely(place: Place) -> None:
    await filled(place, [2])
    store = place.store()
    await store.open()
    later = entry_of(draft(), BITS)
    raw = later.payload.replace(b'"v":1', b'"v":2')
    await store.append([later._replace(payload=raw, leaf=leaf_hash(raw))])
    await store.close()
    assert [(damage.index, damage.kind) for damage in (await checked(place)).damage] == [(2, K.UNREADABLE)]


async def test_a_log_may_grow_while_it_is_verified(sqlite_place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHUNK", 3)
    await filled(sqlite_place, BATCHES)
    source = sqlite_place.source()
    read = source.extent

    async def then_grow() -> sources.Extent:
        found = await read()
        await appended(sqlite_place, 2)
        return found

    monkeypatch.setattr(source, "extent", then_grow)
    report = await verify(source, verifier=SIGNER.verifier(), bits=BITS)
    assert report.intact
    assert report.size == 10


async def test_findings_are_bounded(sqlite_place: SqlitePlace) -> None:
    await filled(sqlite_place, [150])
    await sqlite_place.run("UPDATE {log}event SET action = 'other'")
    assert len((await checked(sqlite_place)).damage) == 100


COLUMNS: Final = (
    ("leaf", "hash"),
    ("event", "at"),
    ("event", "actor_type"),
    ("event", "actor_id"),
    ("event", "action"),
    ("event", "decision"),
    ("event", "payload"),
    ("subject_entry", "bits"),
    ("batch", "root"),
    ("batch", "note"),
    ("head", "frontier"),
    ("head", "root"),
    ("head", "note"),
)


@pytest.mark.parametrize("written", ["'text'", "x'ff00ff'", "17.5", "CAST(x'ff' AS TEXT)"])
@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_a_value_of_another_kind_is_named_and_stops_nothing(
    sqlite_place: SqlitePlace, table: str, column: str, written: str
) -> None:
    await filled(sqlite_place, BATCHES)
    await sqlite_place.run(f'UPDATE {{log}}{table} SET "{column}" = {written}')
    report = await verify(sqlite_place.source(), verifier=SIGNER.verifier(), bits=BITS)
    assert not report.intact


async def test_a_payload_edited_with_sql_text_functions_is_named(sqlite_place: SqlitePlace) -> None:
    await filled(sqlite_place, BATCHES)
    await sqlite_place.run(
        "UPDATE {log}event SET payload = replace(payload, 'contact.read', 'contact.list') WHERE \"index\" = 2"
    )
    report = await verify(sqlite_place.source(), verifier=SIGNER.verifier(), bits=BITS)
    assert report.first is not None
    assert report.first.index == 2

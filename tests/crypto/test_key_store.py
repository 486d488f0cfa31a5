"""The lives of the keys on both engines: made once, loaded at every start, turned while the service runs."""

import asyncio
from typing import Literal, get_args
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jose import jws
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError, NoResultFound

from app.crypto import rotation
from app.crypto.bootstrap import InitReport, init_keys, load_keyring, refresh_keyring
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import KeyUnavailable, SealBroken
from app.crypto.keyring import Keyring, Opener
from app.crypto.models import DataKeyRow, Kek, Purpose, SigningKeyRow
from app.crypto.permit import mint
from app.crypto.providers import EnvProvider, KeyProvider, encode_root, root_id
from app.crypto.rotation import RotationRefused
from app.crypto.sealer import Sealer
from app.crypto.signing import load_log_signer, load_log_verifiers, load_token_keys, thumbprint
from app.kit.models import new_id
from tests.crypto.material import EVENT, NUMBER, Sessions, TurningProvider, counted
from tests.support.clock import NOON, FrozenClock


async def loaded(sessions: Sessions, provider: KeyProvider) -> Keyring:
    async with sessions() as session:
        return await load_keyring(session, provider)


async def people(sessions: Sessions, keyring: Keyring, count: int) -> list[tuple[UUID, bytes]]:
    """Store data keys; give each person with a sealed number."""
    sealer = Sealer(keyring)
    made = []
    async with sessions.begin() as session:
        for _ in range(count):
            subject = new_id()
            own, wrapped = sealer.new(subject)
            session.add(
                DataKeyRow(
                    subject_id=subject,
                    handle=wrapped.handle,
                    version=wrapped.version,
                    kek_version=wrapped.kek_version,
                    wrapped=wrapped.wrapped,
                    created_at=NOON,
                )
            )
            made.append((subject, own.seal("mobile", NUMBER).envelope))
    return made


async def opened(sessions: Sessions, keyring: Keyring, subject: UUID, box: bytes) -> str:
    async with sessions() as session:
        row = await session.get_one(DataKeyRow, subject)
    wrapped = WrappedDataKey(row.handle, row.version, row.kek_version, row.wrapped)
    return opened_with(keyring, subject, wrapped, box)


def opened_with(keyring: Keyring, subject: UUID, wrapped: WrappedDataKey, box: bytes) -> str:
    permit = mint(event_id=EVENT, index=1, expires=1.0, scope={subject: frozenset({"mobile"})})
    return Opener(keyring, clock=lambda: 0.0).open_fields(permit, subject, wrapped, [("mobile", box)])[0]


async def test_a_first_start_makes_every_key_once(sessions: Sessions, provider: TurningProvider) -> None:
    async with sessions.begin() as session:
        first = await init_keys(session, provider, clock=FrozenClock())
    async with sessions.begin() as session:
        second = await init_keys(session, provider)
    assert first == InitReport(provider.describe(), ("field", "index", "sign"), ("log", "token"))
    assert second == InitReport(provider.describe(), (), ())
    async with sessions() as session:
        keks = (await session.scalars(select(Kek))).all()
        signing = (await session.scalars(select(SigningKeyRow))).all()
    assert {(kek.purpose, kek.version, kek.state, kek.root_id, kek.created_at) for kek in keks} == {
        (purpose, 1, "current", root_id(counted(32, 1)), NOON) for purpose in get_args(Purpose)
    }
    assert {(row.use, row.algorithm, row.state) for row in signing} == {
        ("log", "EdDSA", "current"),
        ("token", "ES256", "current"),
    }
    assert all(row.kid == thumbprint(row.public) and len(row.kid) == 43 for row in signing)


async def test_making_keys_leaves_the_commit_to_the_caller(sessions: Sessions, provider: TurningProvider) -> None:
    async with sessions() as session:
        await init_keys(session, provider)
        await session.rollback()
        assert not (await session.scalars(select(Kek))).all()


async def test_every_start_loads_the_same_keys(ready: Sessions, provider: TurningProvider) -> None:
    one, other = await loaded(ready, provider), await loaded(ready, provider)
    ((subject, box),) = await people(ready, one, 1)
    assert await opened(ready, other, subject, box) == NUMBER
    assert one.mac_key("row:grant") == other.mac_key("row:grant")


async def test_a_store_without_keys_or_under_another_root_does_not_load(
    sessions: Sessions, provider: TurningProvider
) -> None:
    with pytest.raises(KeyUnavailable, match="never made"):
        await loaded(sessions, provider)
    async with sessions.begin() as session:
        await init_keys(session, provider)
    foreign = EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, 99))})
    with pytest.raises(KeyUnavailable, match=root_id(counted(32, 1))):
        await loaded(sessions, foreign)


async def test_keks_swapped_between_purposes_do_not_load(ready: Sessions, provider: TurningProvider) -> None:
    async with ready.begin() as session:
        field = (await session.get_one(Kek, ("field", 1))).wrapped
        await session.execute(update(Kek).where(Kek.purpose == "index").values(wrapped=field))
    with pytest.raises(KeyUnavailable, match="wrapped for another place"):
        await loaded(ready, provider)


async def test_the_store_refuses_a_second_current_key_of_a_kind(ready: Sessions, provider: TurningProvider) -> None:
    async with ready() as session:
        version = await rotation.add_kek(session, provider, "field")
        with pytest.raises(IntegrityError):
            await session.execute(update(Kek).where(Kek.version == version).values(state="current"))
    keyring = await loaded(ready, provider)
    async with ready() as session:
        kid = await rotation.add_signing_key(session, keyring, "log")
        with pytest.raises(IntegrityError):
            await session.execute(update(SigningKeyRow).where(SigningKeyRow.kid == kid).values(state="current"))


async def test_no_key_material_rests_in_clear(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready() as session:
        pem = (await load_token_keys(session, keyring)).private_pem
        signer = (await load_log_signer(session, keyring)).private_bytes_raw()
        stored = await session.scalars(text("SELECT wrapped FROM kek UNION ALL SELECT wrapped FROM signing_key"))
        raw = b"".join(bytes(value) for value in stored)
    assert len(raw) > 5 * 64
    for secret in (*keyring._index.values(), signer, pem.encode()):
        assert secret not in raw
    assert b"PRIVATE" not in raw


async def test_the_token_key_signs_what_its_published_jwk_verifies(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready() as session:
        keys = await load_token_keys(session, keyring)
    assert [key["kid"] for key in keys.jwks["keys"]] == [keys.kid]
    assert keys.public[0].keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    signed = jws.sign({"sub": "ada"}, keys.private_pem, headers={"kid": keys.kid}, algorithm=keys.algorithm)
    assert jws.verify(signed, dict(keys.public[0]), algorithms=["ES256"]) == b'{"sub":"ada"}'


async def test_the_log_key_signs_what_its_public_half_verifies(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready() as session:
        signer = await load_log_signer(session, keyring)
        (verifier,) = await load_log_verifiers(session)
    assert isinstance(signer, Ed25519PrivateKey)
    verifier.public.verify(signer.sign(b"root"), b"root")
    assert (verifier.state, verifier.created_at) == ("current", NOON)


@pytest.mark.parametrize("column", ["wrapped", "public", "algorithm", "kid"])
async def test_a_signing_key_whose_row_was_edited_does_not_load(
    ready: Sessions, provider: TurningProvider, column: str
) -> None:
    keyring = await loaded(ready, provider)
    async with ready.begin() as session:
        other = await rotation.add_signing_key(session, keyring, "log")
        foreign = {
            "wrapped": (await session.get_one(SigningKeyRow, other)).wrapped,
            "public": (await session.get_one(SigningKeyRow, other)).public,
            "algorithm": "none",
            "kid": "x",
        }
        current = (SigningKeyRow.use == "log") & (SigningKeyRow.state == "current")
        await session.execute(update(SigningKeyRow).where(current).values({column: foreign[column]}))
    async with ready() as session:
        with pytest.raises(KeyUnavailable, match="altered, or stands in another"):
            await load_log_signer(session, keyring)


async def test_signing_keys_turn_without_a_gap_in_what_is_published(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready.begin() as session:
        first = (await load_token_keys(session, keyring)).kid
        second = await rotation.add_signing_key(session, keyring, "token", clock=FrozenClock())
        waiting = await load_token_keys(session, keyring)
        with pytest.raises(RotationRefused, match="already waits"):
            await rotation.add_signing_key(session, keyring, "token")
        assert await rotation.promote_signing_key(session, "token") == second
        turned = await load_token_keys(session, keyring)
        with pytest.raises(RotationRefused, match="waits"):
            await rotation.promote_signing_key(session, "token")
        for kid in (second, "unknown"):
            with pytest.raises(RotationRefused, match="only a previous"):
                await rotation.retire_signing_key(session, kid)
        await rotation.retire_signing_key(session, first)
        over = await load_token_keys(session, keyring)
    published = [[key["kid"] for key in keys.public] for keys in (waiting, turned, over)]
    assert published == [[first, second], [second, first], [second]]
    assert (waiting.kid, turned.kid, over.kid) == (first, second, second)


async def test_the_logs_public_keys_outlive_retirement(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready.begin() as session:
        (first,) = await load_log_verifiers(session)
        await rotation.add_signing_key(session, keyring, "log")
        await rotation.promote_signing_key(session, "log")
        await rotation.retire_signing_key(session, first.kid)
        assert {verifier.state for verifier in await load_log_verifiers(session)} == {"retired", "current"}


async def test_a_new_root_takes_over_every_kek_and_touches_no_data(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    ((subject, box),) = await people(ready, keyring, 1)
    async with ready.begin() as session:
        before = (await session.get_one(DataKeyRow, subject)).wrapped
        assert await rotation.rotate_root(session, provider) == 3
        assert await rotation.rewrap_keks(session, provider) == 0
    only_new = EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, 2))})
    assert await opened(ready, await loaded(ready, only_new), subject, box) == NUMBER
    async with ready() as session:
        assert (await session.get_one(DataKeyRow, subject)).wrapped == before
        assert set(await session.scalars(select(Kek.root_id))) == {root_id(counted(32, 2))}


async def test_a_root_rotation_that_was_cut_off_is_finished_by_rewrapping(
    ready: Sessions, provider: TurningProvider
) -> None:
    async with ready() as session:
        await rotation.rotate_root(session, provider)
        await session.rollback()
    await loaded(ready, provider)
    async with ready.begin() as session:
        assert await rotation.rewrap_keks(session, provider) == 3
    await loaded(ready, EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, 2))}))


async def test_a_new_field_kek_takes_over_in_batches_while_another_process_keeps_reading(
    ready: Sessions, provider: TurningProvider
) -> None:
    here, there = await loaded(ready, provider), await loaded(ready, provider)
    made = await people(ready, here, 7)
    async with ready.begin() as session:
        assert await rotation.add_kek(session, provider, "field", clock=FrozenClock()) == 2
        with pytest.raises(RotationRefused, match="already waits"):
            await rotation.add_kek(session, provider, "field")
    for keyring in (here, there):
        async with ready() as session:
            await refresh_keyring(session, provider, keyring)
        assert keyring.current_version("field") == 1
    async with ready.begin() as session:
        assert await rotation.activate_kek(session, "field") == 2
        await refresh_keyring(session, provider, here)
        with pytest.raises(RotationRefused, match="waits to be activated"):
            await rotation.activate_kek(session, "field")
    async with ready.begin() as session:
        first = await rotation.rewrap_data_keys(session, here, limit=3)
    assert (first.rewrapped, first.broken) == (3, ())
    assert [await opened(ready, there, subject, box) for subject, box in made] == [NUMBER] * 7
    async with ready.begin() as session:
        with pytest.raises(RotationRefused, match="4 keys are still wrapped"):
            await rotation.retire_kek(session, "field", 1)
    async with ready.begin() as session:
        second = await rotation.rewrap_data_keys(session, here, after=first.after, limit=3)
        third = await rotation.rewrap_data_keys(session, here, after=second.after, limit=3)
        again = await rotation.rewrap_data_keys(session, here)
        await rotation.retire_kek(session, "field", 1)
        with pytest.raises(RotationRefused, match="not a previous one"):
            await rotation.retire_kek(session, "field", 2)
    assert [(batch.rewrapped, batch.after is None) for batch in (second, third, again)] == [
        (3, False),
        (1, True),
        (0, True),
    ]
    fresh = await loaded(ready, provider)
    assert [await opened(ready, fresh, subject, box) for subject, box in made] == [NUMBER] * 7
    assert not [place for place in fresh._ciphers if place == ("field", 1)]


async def test_a_key_that_does_not_unwrap_is_named_and_left_and_the_others_go_on(
    ready: Sessions, provider: TurningProvider
) -> None:
    keyring = await loaded(ready, provider)
    made = await people(ready, keyring, 3)
    broken = made[1][0]
    async with ready.begin() as session:
        await session.execute(update(DataKeyRow).where(DataKeyRow.subject_id == broken).values(wrapped=counted(92)))
        await rotation.add_kek(session, provider, "field")
        await rotation.activate_kek(session, "field")
        await refresh_keyring(session, provider, keyring)
        batch = await rotation.rewrap_data_keys(session, keyring)
    assert (batch.rewrapped, batch.broken, batch.after) == (2, (broken,), None)
    async with ready() as session:
        assert (await session.get_one(DataKeyRow, broken)).wrapped == counted(92)


async def test_a_new_sign_kek_takes_over_the_signing_keys(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    async with ready.begin() as session:
        before = await load_token_keys(session, keyring)
        await rotation.add_kek(session, provider, "sign")
        await rotation.activate_kek(session, "sign")
        await refresh_keyring(session, provider, keyring)
        assert await rotation.rewrap_signing_keys(session, keyring) == 2
        assert await rotation.rewrap_signing_keys(session, keyring) == 0
        await rotation.retire_kek(session, "sign", 1)
    fresh = await loaded(ready, provider)
    async with ready() as session:
        after = await load_token_keys(session, fresh)
    assert (after.kid, after.private_pem) == (before.kid, before.private_pem)


async def test_an_old_process_meets_a_kek_it_does_not_know_as_unavailable_and_recovers_by_refreshing(
    ready: Sessions, provider: TurningProvider
) -> None:
    here, there = await loaded(ready, provider), await loaded(ready, provider)
    async with ready.begin() as session:
        await rotation.add_kek(session, provider, "field")
        await rotation.activate_kek(session, "field")
        await refresh_keyring(session, provider, here)
    ((subject, box),) = await people(ready, here, 1)
    with pytest.raises(KeyUnavailable, match="field key of version 2"):
        await opened(ready, there, subject, box)
    async with ready() as session:
        await refresh_keyring(session, provider, there)
    assert await opened(ready, there, subject, box) == NUMBER


async def test_without_its_row_a_person_is_erased(ready: Sessions, provider: TurningProvider) -> None:
    keyring = await loaded(ready, provider)
    ((subject, box),) = await people(ready, keyring, 1)
    assert await opened(ready, keyring, subject, box) == NUMBER
    async with ready.begin() as session:
        await session.delete(await session.get_one(DataKeyRow, subject))
    keyring.forget(subject)
    with pytest.raises(NoResultFound):
        await opened(ready, keyring, subject, box)
    _, replacement = Sealer(keyring).new(subject)
    with pytest.raises(SealBroken):
        opened_with(keyring, subject, replacement, box)


async def test_two_first_starts_at_once_make_one_set_of_keys(sessions: Sessions, provider: TurningProvider) -> None:
    async def start() -> InitReport:
        async with sessions.begin() as session:
            return await init_keys(session, provider)

    if sessions.kw["bind"].dialect.name == "sqlite":
        pytest.skip("one server process holds the lock file of a SQLite store")
    reports = await asyncio.gather(*(start() for _ in range(4)))
    assert sorted(len(report.keks) + len(report.signing_keys) for report in reports) == [0, 0, 0, 5]


@pytest.mark.parametrize("state", ["unknown", "CURRENT", ""])
async def test_the_store_refuses_a_state_that_is_none(ready: Sessions, state: Literal["current"]) -> None:
    async with ready() as session:
        with pytest.raises(IntegrityError):
            await session.execute(update(Kek).where(Kek.purpose == "field").values(state=state))

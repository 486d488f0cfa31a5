"""Keys of history: one per person and quarter, bound to both; what they seal opens with them alone, whoever wrote it without opening."""

import copy
import pickle
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from app.crypto import quarters, rotation
from app.crypto.bootstrap import load_keyring, refresh_keyring
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import KeyUnavailable, PermitRefused, SealBroken
from app.crypto.history_store import history_key_row
from app.crypto.historykey import HistoryKey, WrappedHistoryKey, contents
from app.crypto.models import HistoryKeyRow
from app.crypto.rotation import RotationRefused
from app.crypto.sealer import Sealer
from tests.crypto.material import ADA, BEN, NUMBER, Sessions, TurningProvider, Vault, counted

SPRING: Final = datetime(2023, 5, 4, 3, 2, 1, tzinfo=UTC)
SUMMER: Final = datetime(2023, 8, 4, 3, 2, 1, tzinfo=UTC)


def opened(
    vault: Vault,
    own: WrappedDataKey,
    past: Sequence[WrappedHistoryKey],
    envelope: bytes,
    *,
    field: str = "mobile",
    subject: UUID = ADA,
) -> str:
    permit = vault.permit({subject: [field]})
    by_handle = {each.handle: each for each in past}
    return vault.opener.open_past(permit, subject, own, by_handle, [(field, envelope)])[0]


class TestQuarters:
    @pytest.mark.parametrize(
        ("at", "quarter"),
        [
            (datetime(2023, 12, 31, 15, 59, 59, tzinfo=UTC), 20234),
            (datetime(2023, 12, 31, 16, 0, tzinfo=UTC), 20241),
            (datetime(2024, 4, 1, tzinfo=UTC), 20242),
        ],
    )
    def test_they_begin_at_midnight_of_the_company(self, at: datetime, quarter: int) -> None:
        assert quarters.quarter_of(at) == quarter
        assert quarters.quarter_of(at.astimezone(tz=None)) == quarter

    @given(day=st.dates(min_value=date(2, 1, 1), max_value=date(9000, 1, 1)), by=st.integers(0, 7))
    def test_every_day_lies_in_the_quarter_that_began_before_it(self, day: date, by: int) -> None:
        quarter = quarters.quarter_on(day)
        first = quarters.begins(quarter)
        assert timedelta() <= day - first < timedelta(days=92)
        before = quarters.begins(quarters.earlier(quarter, by))
        months = (first.year - before.year) * 12 + first.month - before.month
        assert (before.day, months) == (1, 3 * by)

    def test_they_have_names(self) -> None:
        assert quarters.name(20233) == "2023-Q3"
        with pytest.raises(ValueError, match="no quarter"):
            quarters.begins(20235)


@given(value=st.text())
def test_values_come_back(value: str) -> None:
    assert contents("v" + value) == value


@pytest.mark.parametrize("text", ["", "x", "b***", "bQQ"])
def test_what_was_not_laid_in_so_is_no_content(text: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        contents(text)


def test_a_value_and_a_closed_box_come_back_under_the_quarters_key(vault: Vault) -> None:
    own, wrapped = vault.sealer.new(ADA)
    history, past = vault.sealer.new_history(ADA, SPRING)
    card = own.seal("mobile", NUMBER)
    for box in (history.seal("mobile", NUMBER), history.seal("mobile", card)):
        assert opened(vault, wrapped, [past], box.envelope) == NUMBER
        assert card.envelope not in box.envelope
    assert past.quarter == 20232
    assert vault.opener.opened == 2
    again = vault.sealer.history(ADA, past)
    assert opened(vault, wrapped, [past], again.seal("mobile", "b" + NUMBER).envelope) == "b" + NUMBER


def test_without_its_key_nothing_that_is_left_opens_it(vault: Vault) -> None:
    own, wrapped = vault.sealer.new(ADA)
    spring, past = vault.sealer.new_history(ADA, SPRING)
    _, later = vault.sealer.new_history(ADA, SUMMER)
    for box in (spring.seal("mobile", NUMBER), spring.seal("mobile", own.seal("mobile", NUMBER))):
        for left in ([], [later]):
            with pytest.raises(SealBroken) as broken:
                opened(vault, wrapped, left, box.envelope)
            assert broken.value.cause_code == "handle"
        renamed = WrappedHistoryKey(past.handle, later.quarter, later.kek_version, later.wrapped)
        with pytest.raises(SealBroken):
            opened(vault, wrapped, [renamed], box.envelope)


def test_what_the_cards_key_sealed_before_still_opens(vault: Vault) -> None:
    own, wrapped = vault.sealer.new(ADA)
    assert opened(vault, wrapped, [], own.seal("mobile", NUMBER).envelope) == NUMBER


def test_a_key_is_of_one_person_and_one_quarter(vault: Vault) -> None:
    _, past = vault.sealer.new_history(ADA, SPRING)
    moved = (
        (BEN, past),
        (ADA, WrappedHistoryKey(past.handle, 20233, past.kek_version, past.wrapped)),
        (ADA, WrappedHistoryKey(counted(8), past.quarter, past.kek_version, past.wrapped)),
        (ADA, WrappedHistoryKey(past.handle, past.quarter, past.kek_version, past.wrapped[:-1])),
        (ADA, WrappedHistoryKey(past.handle, 0, past.kek_version, past.wrapped)),
    )
    for subject, wrapped in moved:
        with pytest.raises(SealBroken) as broken:
            vault.sealer.history(subject, wrapped)
        assert broken.value.cause_code == "history_key"
    with pytest.raises(KeyUnavailable):
        vault.sealer.history(ADA, WrappedHistoryKey(past.handle, past.quarter, 9, past.wrapped))


def test_neither_kind_of_key_stands_for_the_other(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    _, past = vault.sealer.new_history(ADA, SPRING)
    with pytest.raises(SealBroken):
        vault.sealer.existing(ADA, WrappedDataKey(past.handle, 1, past.kek_version, past.wrapped))
    with pytest.raises(SealBroken):
        vault.sealer.history(ADA, WrappedHistoryKey(wrapped.handle, 20232, wrapped.kek_version, wrapped.wrapped))


def test_a_box_inside_that_is_anothers_or_of_another_field_does_not_open(vault: Vault) -> None:
    own, wrapped = vault.sealer.new(ADA)
    other, _ = vault.sealer.new(BEN)
    history, past = vault.sealer.new_history(ADA, SPRING)
    for inside in (other.seal("mobile", NUMBER), own.seal("wechat", NUMBER)):
        with pytest.raises(SealBroken):
            opened(vault, wrapped, [past], history.seal("mobile", inside).envelope)
    with pytest.raises(SealBroken):
        opened(vault, wrapped, [past], history.seal("wechat", NUMBER).envelope)


def test_a_box_that_says_nothing_known_does_not_open(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wrapped = vault.sealer.new(ADA)
    history, past = vault.sealer.new_history(ADA, SPRING)
    monkeypatch.setattr("app.crypto.historykey._VALUE", "w")
    box = history.seal("mobile", NUMBER)
    with pytest.raises(SealBroken) as broken:
        opened(vault, wrapped, [past], box.envelope)
    assert broken.value.cause_code == "plaintext"


def test_it_takes_a_permit_for_every_field(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    history, past = vault.sealer.new_history(ADA, SPRING)
    boxes = [(name, history.seal(name, NUMBER).envelope) for name in ("mobile", "wechat")]
    for permit in (vault.permit({ADA: ["mobile"]}), vault.permit({BEN: ["mobile", "wechat"]})):
        with pytest.raises(PermitRefused):
            vault.opener.open_past(permit, ADA, wrapped, {past.handle: past}, boxes)
    assert vault.opener.opened == 0


def test_a_history_key_is_remembered_nowhere(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    history, past = vault.sealer.new_history(ADA, SPRING)
    envelope = history.seal("mobile", NUMBER).envelope
    assert opened(vault, wrapped, [past], envelope) == NUMBER
    remembered = [entry[2] for entry in vault.keyring._cache.values()]
    assert remembered == [vault.keyring.unlock(ADA, wrapped)]


def test_it_shows_nothing_and_leaves_no_copy(vault: Vault) -> None:
    history, past = vault.sealer.new_history(ADA, SPRING)
    key = HistoryKey.generate(ADA, 20232)
    assert (repr(history), repr(key)) == ("<history sealer>", "<history key>")
    assert "wrapped" not in repr(past)
    for thing in (history, key):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)
    with pytest.raises(ValueError, match="32 bytes"):
        HistoryKey(subject=ADA, handle=counted(8), quarter=20232, raw=counted(31))


async def test_a_rotated_kek_takes_over_history_and_brings_nothing_back(
    ready: Sessions, provider: TurningProvider
) -> None:
    async with ready() as session:
        keyring = await load_keyring(session, provider)
    sealer = Sealer(keyring)
    made = [sealer.new_history(ADA, SPRING) for _ in range(4)]
    rows = [dict(history_key_row(ADA, wrapped, at=SPRING)) for _, wrapped in made]
    gone = rows[0]["handle"]
    rows[0] |= {"wrapped": None, "destroyed_at": SUMMER, "purge_id": BEN}
    async with ready.begin() as session:
        await session.execute(insert(HistoryKeyRow), rows)
        await rotation.add_kek(session, provider, "field")
        await rotation.activate_kek(session, "field")
        await refresh_keyring(session, provider, keyring)
        with pytest.raises(RotationRefused, match="3 keys are still wrapped"):
            await rotation.retire_kek(session, "field", 1)
        first = await rotation.rewrap_history_keys(session, keyring, limit=2)
        second = await rotation.rewrap_history_keys(session, keyring, after=first.after, limit=2)
        assert (first.rewrapped, second.rewrapped, second.after, first.broken) == (2, 1, None, ())
        await rotation.retire_kek(session, "field", 1)
        await refresh_keyring(session, provider, keyring)
    async with ready() as session:
        assert (await session.get_one(HistoryKeyRow, gone)).wrapped is None
        for _, before in made[1:]:
            row = await session.get_one(HistoryKeyRow, before.handle)
            assert row.wrapped is not None
            sealer.history(ADA, WrappedHistoryKey(row.handle, row.quarter, row.kek_version, row.wrapped))

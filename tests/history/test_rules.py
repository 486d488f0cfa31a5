"""Which quarters a purge may reach, and what a certificate says, without a store."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.merkle import leaf_hash, root_of
from app.audit.note import NoteInvalid, Signer, Verifier
from app.crypto.history_purging import KeptKey
from app.history.rules import KIND, Tally, certified, cutoff, moment, newest, opened, stated

HERE: Final = timedelta(hours=8)
NOON: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
STATEMENT: Final = {"request": str(UUID(int=1)), "keys": 3, "at": NOON}


@pytest.fixture
def signer() -> Signer:
    return Signer("log.example.com", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2024, 1, 1), 20241),
        (date(2024, 10, 1), 20244),
        (date(2024, 1, 2), None),
        (date(2024, 2, 1), None),
        (date(2023, 12, 31), None),
    ],
)
def test_history_goes_by_whole_quarters(day: date, quarter: int | None) -> None:
    assert cutoff(day) == quarter


@pytest.mark.parametrize(
    ("now", "kept", "day"),
    [
        (NOON, 2, date(2026, 4, 1)),
        (NOON, 12, date(2023, 10, 1)),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), 3, date(2026, 1, 1)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), 3, date(2026, 4, 1)),
    ],
)
def test_the_running_quarter_and_as_many_whole_ones_stay(now: datetime, kept: int, day: date) -> None:
    assert newest(now, kept, HERE) == day


def test_a_day_begins_where_the_company_is() -> None:
    assert moment(date(2024, 1, 1), HERE) == datetime(2023, 12, 31, 16, 0, tzinfo=UTC)


def test_a_tally_is_the_tree_over_its_keys() -> None:
    keys = [KeptKey(bytes([at] * 8), UUID(int=at % 2), 20191 + at % 3) for at in range(5)]
    tally = Tally()
    assert tally.told() == {"subjects": 0, "keys": 0, "quarters": []}
    for key in keys:
        tally.add(key)
    assert tally.told() == {"subjects": 2, "keys": 5, "quarters": ["2019-Q1", "2019-Q3"]}
    assert tally.root == root_of([leaf_hash(each.leaf()) for each in keys]).hex()
    assert len({each.leaf() for each in keys}) == 5


def test_what_was_certified_is_read_by_who_has_the_public_key_alone(signer: Signer) -> None:
    note = certified(signer, STATEMENT)
    other = Verifier("log.example.com", Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())
    read = {**STATEMENT, "at": "2026-11-20T04:00:00Z"}
    assert note.splitlines()[0] == KIND
    assert opened([other, signer.verifier()], note) == stated(note) == read
    assert opened([other], note) is None
    for forged in (note.replace('"keys":3', '"keys":4'), note.replace(KIND, "another.kind/1"), note[:-2], "", "x\n"):
        assert opened([signer.verifier()], forged) is None
    assert stated("x") == stated("x\n[]\n") == stated("x\ny\n") == {}


def test_no_certificate_is_a_checkpoint_and_no_checkpoint_a_certificate(signer: Signer) -> None:
    with pytest.raises(NoteInvalid):
        signer.verifier().open(certified(signer, STATEMENT))
    assert opened([signer.verifier()], signer.sign(7, bytes(32))) is None
    for kind, statement in ((KIND, "two\nlines"), (KIND, ""), ("", "x"), (KIND, "bell\x07")):
        with pytest.raises(NoteInvalid):
            signer.attest(kind, statement)

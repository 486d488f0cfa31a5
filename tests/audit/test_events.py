"""The evidence: one serialisation, read back whole, and index rows that mean what they say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import (
    MEMBERS,
    PAGE_CONTACTS,
    CohortEntry,
    EventDraft,
    EventMalformed,
    FieldBits,
    decode_event,
    encode_event,
    encode_states,
)
from tests.audit.places import BITS, SAMPLE, STATES, contact, draft

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
cohorts = st.builds(
    CohortEntry,
    st.dictionaries(texts, st.sampled_from(["shown", "masked", "withheld", "empty"]), max_size=4),
    st.lists(st.uuids(), max_size=4).map(tuple),
)
drafts = st.builds(
    EventDraft,
    id=st.uuids(),
    at=st.datetimes(timezones=st.just(UTC)),
    actor_type=st.sampled_from(["person", "service", "operator", "system", "anonymous"]),
    action=texts,
    decision=st.sampled_from(["allowed", "refused"]),
    actor_id=st.none() | texts,
    tier=st.none() | texts,
    department_id=st.none() | st.uuids(),
    client_id=st.none() | texts,
    on_behalf_of=st.none() | texts,
    code=st.none() | texts,
    purpose=st.none() | texts,
    reason=st.none() | st.binary(max_size=40),
    policy_version=st.none() | texts,
    cohorts=st.lists(cohorts, max_size=3).map(tuple),
    fields=st.lists(texts, max_size=3).map(tuple),
    query=st.none() | st.dictionaries(texts, st.integers(0, 99) | texts, max_size=3),
    count=st.none() | st.integers(0, 10**6),
    address=st.none() | texts,
    request_id=st.none() | texts,
)


@given(drafts)
def test_round_trip(event: EventDraft) -> None:
    payload = encode_event(event)
    assert decode_event(payload) == event
    assert tuple(orjson.loads(payload)) == MEMBERS


def test_prepared_states_change_nothing() -> None:
    plain = draft(contact(1))
    prepared = replace(plain, cohorts=(CohortEntry(STATES, (contact(1),), encode_states(STATES), BITS.of(STATES)),))
    assert encode_event(prepared) == encode_event(plain)
    assert BITS.pages(prepared.cohorts) == BITS.pages(plain.cohorts)


def test_prepared_ids_change_nothing() -> None:
    people = (contact(1), contact(2))
    plain = draft(*people)
    prepared = replace(plain, cohorts=(CohortEntry(STATES, people, packed=b"".join(each.bytes for each in people)),))
    assert encode_event(prepared) == encode_event(plain)
    assert BITS.pages(prepared.cohorts) == BITS.pages(plain.cohorts)


def test_the_bytes_are_fixed() -> None:
    """A change here would be a new version of the evidence, never a new spelling of this one."""
    event = replace(SAMPLE, cohorts=(CohortEntry(STATES, (UUID(int=2),)),), reason=b"\x00\xff")
    assert encode_event(event) == (
        b'{"v":1,"id":"00000000-0000-0000-0000-000000000001","at":"2026-11-20T12:00:00Z","actor_type":"person",'
        b'"actor_id":"0193e5a0-0000-7000-8000-00000000aaaa","tier":null,"department_id":null,"client_id":null,'
        b'"on_behalf_of":null,"action":"contact.read","decision":"allowed","code":null,"purpose":null,'
        b'"reason":"AP8=","policy_version":null,"cohorts":[{"states":{"email":"shown","mobile":"masked",'
        b'"wechat":"withheld"},"contacts":"AAAAAAAAAAAAAAAAAAAAAg=="}],"fields":[],"query":null,"count":null,'
        b'"address":null,"request_id":null}'
    )


def without(document: dict[str, Any], member: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != member}


GOOD: dict[str, Any] = orjson.loads(encode_event(draft(contact(1))))


@pytest.mark.parametrize(
    "document",
    [
        [],
        without(GOOD, "v"),
        {**GOOD, "v": 2},
        without(GOOD, "query"),
        {**GOOD, "more": 1},
        dict(reversed(GOOD.items())),
        {**GOOD, "id": "x"},
        {**GOOD, "at": "2026-11-20T12:00:00+08:00"},
        {**GOOD, "at": None},
        {**GOOD, "actor_type": "robot"},
        {**GOOD, "decision": "perhaps"},
        {**GOOD, "actor_id": 7},
        {**GOOD, "reason": "no base64"},
        {**GOOD, "cohorts": [{"states": {}}]},
        {**GOOD, "cohorts": [{"states": {}, "contacts": "AAAA"}]},
    ],
)
def test_other_documents_are_no_events(document: object) -> None:
    with pytest.raises(EventMalformed):
        decode_event(orjson.dumps(document))


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff"])
def test_other_bytes_are_no_events(payload: bytes) -> None:
    with pytest.raises(EventMalformed):
        decode_event(payload)


@pytest.mark.parametrize(
    "event",
    [
        replace(SAMPLE, at=datetime(2026, 1, 1)),  # noqa: DTZ001 — the naive time is the point
        replace(SAMPLE, at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8)))),
        replace(SAMPLE, query={"term": object()}),
        replace(SAMPLE, address="\ud800"),
    ],
)
def test_what_cannot_be_evidence(event: EventDraft) -> None:
    with pytest.raises(EventMalformed):
        encode_event(event)


def test_bits_say_masked_and_shown() -> None:
    assert BITS.of(STATES) == 0b00_10_01
    assert BITS.states(0b00_10_01) == {"mobile": "masked", "email": "shown"}
    assert BITS.of({"mobile": "withheld", "email": "empty", "elsewhere": "shown"}) == 0
    assert FieldBits((*BITS.order, "added")).states(BITS.of(STATES)) == BITS.states(BITS.of(STATES))


def packed(*numbers: int) -> bytes:
    return b"".join(contact(number).bytes for number in numbers)


def test_index_rows_join_cohorts() -> None:
    rows = BITS.pages(
        (
            CohortEntry({"mobile": "masked"}, (contact(1), contact(2), contact(3))),
            CohortEntry({"mobile": "shown"}, (contact(1),)),
        )
    )
    assert rows == [(0b11, packed(1)), (0b01, packed(2, 3))]
    assert BITS.states(0b11) == {"mobile": "shown"}


def test_pages_hold_so_many_and_each_contact_once() -> None:
    bits = BITS.of(STATES)
    assert BITS.pages(()) == []
    assert BITS.pages((CohortEntry(STATES, (contact(1),)),)) == [(bits, packed(1))]
    assert BITS.pages((CohortEntry(STATES, (contact(1), contact(1))),)) == [(bits, packed(1))]
    many = tuple(map(contact, range(PAGE_CONTACTS + 1)))
    assert BITS.pages((CohortEntry(STATES, many),)) == [
        (bits, packed(*range(PAGE_CONTACTS))),
        (bits, packed(PAGE_CONTACTS)),
    ]


@pytest.mark.parametrize("order", [["a", "a"], [str(number) for number in range(32)]])
def test_field_order_is_bounded(order: list[str]) -> None:
    with pytest.raises(ValueError, match="at most 31"):
        FieldBits(order)
    assert FieldBits([str(number) for number in range(31)]).of({"30": "shown"}) < 1 << 63

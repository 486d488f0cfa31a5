"""One event and one question: the decision on evidence is the plain reading of the draft, and damage hides behind no question."""

from base64 import b64encode
from dataclasses import replace
from ipaddress import ip_network

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import CohortEntry, encode_event
from app.audit.matching import EventFilter, Walk, document_of, holds, unreadable
from tests.audit.places import SAMPLE, contact
from tests.audit.questions import QUESTIONS, a_few, fits, some_events
from tests.support.clock import NOON


@given(seed=st.integers(0, 10_000), wanted=QUESTIONS | a_few(), index=st.integers(0, 80))
def test_evidence_is_read_as_the_draft_says(seed: int, wanted: EventFilter, index: int) -> None:
    decide = wanted.reading()
    for event in some_events(seed, 6):
        document = document_of(encode_event(event))
        assert document is not None
        there = wanted.contact_id is None or any(wanted.contact_id in cohort.contacts for cohort in event.cohorts)
        acted = wanted.walk is not Walk.ACTOR or wanted.actor_id == event.actor_id
        assert (there and acted and decide(index, event.at, document)) == fits(event, index, wanted)


@pytest.mark.parametrize(
    ("wanted", "walk", "whole"),
    [
        (EventFilter(), Walk.LOG, True),
        (EventFilter(since=NOON), Walk.TIME, True),
        (EventFilter(actor_id="a"), Walk.ACTOR, True),
        (EventFilter(actor_id="a", until=NOON), Walk.ACTOR, False),
        (EventFilter(contact_id=contact(1)), Walk.CONTACT, True),
        (EventFilter(contact_id=contact(1), actor_id="a"), Walk.CONTACT, False),
        (EventFilter(since=NOON, decision="refused"), Walk.TIME, False),
        (EventFilter(below=7), Walk.LOG, False),
        (EventFilter(purpose="audit"), Walk.LOG, False),
    ],
)
def test_the_most_selective_index_is_walked(wanted: EventFilter, walk: Walk, whole: bool) -> None:  # noqa: FBT001 — a column
    assert (wanted.walk, wanted.is_walked_whole) == (walk, whole)


def test_an_action_below_is_below_a_dot() -> None:
    decide = EventFilter(action="access.*").reading()
    told = [
        decide(0, NOON, document_of(encode_event(replace(SAMPLE, action=action))))
        for action in ("access.read", "access.read.more", "access", "access_event.read")
    ]
    assert told == [True, True, False, False]


def test_a_state_is_that_of_the_contact_who_is_named() -> None:
    one, other = contact(1), contact(2)
    event = replace(
        SAMPLE, cohorts=(CohortEntry({"mobile": "shown"}, (one,)), CohortEntry({"mobile": "masked"}, (other,)))
    )
    document = document_of(encode_event(event))
    for identity, state, told in (
        (one, "shown", True),
        (one, "masked", False),
        (other, "masked", True),
        (None, "masked", True),
    ):
        wanted = EventFilter(contact_id=identity, field="mobile", state=state)
        assert wanted.reading()(0, NOON, document) is told
        assert replace(wanted, field=None).reading()(0, NOON, document) is told


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"[1]", b"null", b'{"v":1}', b"\xff", encode_event(SAMPLE).replace(b'"v":1', b'"v":2')],
)
def test_what_is_no_event_is_told_as_such(payload: bytes) -> None:
    assert document_of(payload) is None
    wanted = EventFilter(purpose="audit", field="mobile", action="contact.read")
    assert wanted.reading()(0, NOON, None)
    assert unreadable(SAMPLE.id, NOON).code == "event_unreadable"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("cohorts", 7),
        ("cohorts", [7]),
        ("cohorts", [{"states": {"mobile": "shown"}, "contacts": "?"}]),
        ("fields", None),
        ("action", 1),
        ("address", 1),
    ],
)
def test_damage_inside_hides_behind_no_question(member: str, value: object) -> None:
    document = {**orjson.loads(encode_event(SAMPLE)), member: value}
    wanted = EventFilter(
        contact_id=contact(1),
        action="contact.*" if member == "action" else None,
        field="mobile" if member in {"cohorts", "fields"} else None,
        state="shown" if member == "cohorts" else None,
        network=ip_network("10.0.0.0/8") if member == "address" else None,
    )
    assert wanted.reading()(0, NOON, document)


def test_times_hold_for_damage_too() -> None:
    assert not EventFilter(until=NOON).reading()(0, NOON, None)
    assert not EventFilter(below=3).reading()(3, NOON, None)


@given(
    ids=st.lists(st.binary(min_size=16, max_size=16), max_size=5),
    odd=st.integers(1, 15),
)
def test_an_id_is_found_at_its_place_and_not_across_two(ids: list[bytes], odd: int) -> None:
    packed = b"".join(ids)
    text = b64encode(packed).decode()
    assert all(holds(text, each) for each in ids)
    for at in range(odd, len(packed) - 15, 16):
        assert holds(text, packed[at : at + 16]) == (packed[at : at + 16] in ids)

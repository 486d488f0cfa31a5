"""The summary's counts are those of a plain count over the same events, and what is counted apart has a bound."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import CohortEntry, EventDraft, encode_event
from app.audit.matching import UNREADABLE, document_of
from app.disclosure.log_tally import Tally, zone
from tests.audit.places import SAMPLE, contact
from tests.audit.questions import CROWD, some_events
from tests.support.clock import NOON


def counted(events: list[EventDraft], *, offset: timedelta = timedelta(0), only: UUID | None = None) -> Tally:
    tally = Tally(offset=offset, only=only)
    for event in events:
        tally.add(event.at, document_of(encode_event(event)))
    return tally


def people(event: EventDraft, only: UUID | None) -> set[UUID]:
    """Give the contacts of an event that count."""
    found = {each for cohort in event.cohorts for each in cohort.contacts}
    return found if only is None else found & {only}


@given(
    seed=st.integers(0, 10_000),
    hours=st.integers(-12, 14),
    only=st.none() | st.integers(0, CROWD).map(contact),
    top=st.integers(1, 12),
)
def test_counts_are_those_of_a_plain_count(seed: int, hours: int, only: UUID | None, top: int) -> None:
    events, offset = some_events(seed, 40), timedelta(hours=hours)
    tally = counted(events, offset=offset, only=only)
    looks = [each for each in events if each.decision == "allowed" and each.purpose is not None]
    refused = [each for each in events if each.decision == "refused"]
    assert (tally.events, tally.looks) == (len(events), len(looks))
    assert tally.contacts == sum(len(people(each, only)) for each in looks)
    for counts, name in (
        (tally.departments, lambda each: each.department_id),
        (tally.purposes, lambda each: each.purpose),
        (tally.actions, lambda each: each.action),
        (tally.hours, lambda each: each.at.astimezone(timezone(offset)).hour),
    ):
        every, some = Counter(map(name, events)), Counter(map(name, refused))
        told = counts.most()
        assert {key: (count, refusals) for key, count, refusals in told} == {
            key: (every[key], some[key]) for key in every
        }
        assert [count for _, count, _ in told] == sorted(every.values(), reverse=True)
    assert tally.codes == Counter(each.code for each in refused)
    seen = Counter(who for each in looks for who in people(each, only))
    sought = Counter(who for each in refused for who in people(each, only))
    ranked = sorted(seen | sought, key=lambda who: (-seen[who], -sought[who], who.bytes))
    assert tally.subjects(top) == [(who, seen[who], sought[who]) for who in ranked[:top]]
    _assert_actors(tally, looks, refused, top)


def _assert_actors(tally: Tally, looks: list[EventDraft], refused: list[EventDraft], top: int) -> None:
    often = Counter((each.actor_type, each.actor_id) for each in looks)
    vain = Counter((each.actor_type, each.actor_id) for each in refused)
    readers = tally.readers(top)
    assert [each.looks for _, each in readers] == sorted(often.values(), reverse=True)[:top]
    for key, each in readers:
        mine = [look for look in looks if (look.actor_type, look.actor_id) == key]
        assert (each.looks, each.last_look) == (len(mine), max(look.at for look in mine))
    assert {key: each.refusals for key, each in tally.refused(1000)} == dict(vain)
    assert len(tally.refused(top)) == min(top, len(vain))


def test_a_contact_in_two_cohorts_was_looked_at_once() -> None:
    one = contact(1)
    event = replace(
        SAMPLE,
        purpose="audit",
        cohorts=(CohortEntry({"mobile": "shown"}, (one,)), CohortEntry({"email": "shown"}, (one, contact(2)))),
    )
    tally = counted([event])
    assert (tally.contacts, tally.subjects(5)) == (2, [(one, 1, 0), (contact(2), 1, 0)])


def test_a_write_is_no_look() -> None:
    tally = counted([replace(SAMPLE, action="contact.update", cohorts=(CohortEntry({}, (contact(1),)),))])
    assert (tally.events, tally.looks, tally.readers(5), tally.subjects(5)) == (1, 0, [], [])


def test_the_newest_event_says_where_an_actor_belongs() -> None:
    late = replace(SAMPLE, purpose="audit", at=NOON + timedelta(hours=1), tier="T5", department_id=UUID(int=9))
    for order in ([late, replace(SAMPLE, purpose="audit", tier="T1")], [replace(SAMPLE, purpose="audit"), late]):
        ((_, actor),) = counted(order).readers(5)
        assert (actor.tier, actor.department_id, actor.looks) == ("T5", UUID(int=9), 2)


@pytest.mark.parametrize("damage", [None, {}, {"cohorts": [{"contacts": "?"}]}, {"department_id": 7}])
def test_damage_is_counted_as_such(damage: dict[str, object] | None) -> None:
    whole = document_of(encode_event(SAMPLE)) or {}
    tally = Tally()
    tally.add(NOON, None if damage is None else {**whole, **damage} if damage else {})
    assert (tally.events, tally.actions.most(), tally.codes) == (1, [(UNREADABLE, 1, 1)], {"event_unreadable": 1})


def test_what_is_counted_apart_has_a_bound() -> None:
    tally = Tally(most=3)
    assert not tally.full
    tally.add(NOON, document_of(encode_event(replace(SAMPLE, decision="refused"))))
    assert not tally.full
    for number in range(2):
        event = replace(SAMPLE, decision="refused", cohorts=(CohortEntry({}, (contact(number),)),))
        tally.add(NOON, document_of(encode_event(event)))
    assert tally.full


@pytest.mark.parametrize(
    ("written", "minutes"), [("+00:00", 0), ("+08:00", 480), ("-03:30", -210), ("+14:00", 840), ("-00:30", -30)]
)
def test_offsets(written: str, minutes: int) -> None:
    assert zone(written) == timedelta(minutes=minutes)

"""Events of every kind, questions of every kind, and the plain reading of a question that the log's answers are held against.

The reference asks drafts, not evidence, in the most obvious way; nothing of ``app.audit.matching`` decides here.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import fields as dataclass_fields
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Final
from uuid import UUID

from hypothesis import strategies as st

from app.audit.events import CohortEntry, EventDraft
from app.audit.matching import EventFilter
from tests.audit.places import contact
from tests.support.clock import NOON

ACTIONS: Final = ("contact.read", "contact.list", "contact.update", "contact.reveal", "access_event.list", "access.x")
ASKED_ACTIONS: Final = (*ACTIONS, "contact.*", "access_event.*", "contact", "access.*")
ACTORS: Final = ("0193e5a0-0000-7000-8000-00000000aaaa", "siem", "os:root", None)
DEPARTMENTS: Final = (UUID(int=71), UUID(int=72), UUID(int=73))
PURPOSES: Final = ("work_contact", "audit", None)
FIELDS: Final = ("mobile", "email", "wechat", "title")
STATES: Final = ("shown", "masked", "withheld", "empty")
ADDRESSES: Final = ("10.1.2.3", "10.1.2.4", "10.2.0.1", "2001:db8::7", "::ffff:10.1.2.3", "testclient", None)
NETWORKS: Final = ("10.1.2.3/32", "10.1.0.0/16", "2001:db8::/32", "0.0.0.0/0")
REQUESTS: Final = ("request-0001", "request-0002", None)
CROWD: Final = 9


def some_event(chance: random.Random, number: int) -> EventDraft:
    """Make an event of which everything is drawn; time runs unevenly, and backwards now and then."""
    cohorts = tuple(
        CohortEntry(
            {name: chance.choice(STATES) for name in FIELDS[:3] if chance.random() < 0.7},
            tuple(contact(each) for each in chance.sample(range(CROWD), chance.randint(0, 3))),
        )
        for _ in range(chance.choice((0, 1, 1, 1, 2)))
    )
    return EventDraft(
        id=UUID(int=(0xE << 120) + chance.getrandbits(64) * 4096 + number),
        at=NOON + timedelta(minutes=number - 4 * (chance.random() < 0.2), hours=chance.choice((0, 0, 0, 9))),
        actor_type=chance.choice(("person", "service", "operator", "system")),
        actor_id=chance.choice(ACTORS),
        tier=chance.choice(("T1", None)),
        department_id=chance.choice((*DEPARTMENTS, None)),
        action=chance.choice(ACTIONS),
        decision=chance.choice(("allowed", "allowed", "refused")),
        code=chance.choice(("not_found", "forbidden", None)),
        purpose=chance.choice(PURPOSES),
        cohorts=cohorts,
        fields=tuple(name for name in FIELDS if chance.random() < 0.2),
        address=chance.choice(ADDRESSES),
        request_id=chance.choice(REQUESTS),
    )


def some_events(seed: int, count: int) -> list[EventDraft]:
    """Make events of which everything follows from the seed."""
    chance = random.Random(seed)
    return [some_event(chance, number) for number in range(count)]


def fits(event: EventDraft, index: int, wanted: EventFilter) -> bool:
    """Answer, as plainly as can be, whether ``event`` is what is asked for."""
    contacts = {each for cohort in event.cohorts for each in cohort.contacts}
    told = [
        (name, state)
        for cohort in event.cohorts
        if wanted.contact_id is None or wanted.contact_id in cohort.contacts
        for name, state in cohort.states.items()
    ]
    answers: dict[str, Callable[[], bool]] = {
        "contact_id": lambda: wanted.contact_id in contacts,
        "actor_id": lambda: wanted.actor_id == event.actor_id,
        "action": lambda: _same_action(str(wanted.action), event.action),
        "decision": lambda: wanted.decision == event.decision,
        "since": lambda: event.at >= (wanted.since or event.at),
        "until": lambda: event.at < (wanted.until or event.at),
        "departments": lambda: event.department_id in (wanted.departments or ()),
        "purpose": lambda: wanted.purpose == event.purpose,
        "request_id": lambda: wanted.request_id == event.request_id,
        "network": lambda: _same_network(str(wanted.network), event.address),
        "below": lambda: index < (wanted.below or 0),
        "field": lambda: (
            (wanted.state is None and wanted.field in event.fields)
            or any(name == wanted.field and wanted.state in {None, state} for name, state in told)
        ),
        "state": lambda: wanted.field is not None or any(state == wanted.state for _, state in told),
    }
    return all(answer() for name, answer in answers.items() if getattr(wanted, name) is not None)


def expected(events: Sequence[EventDraft], wanted: EventFilter, *, oldest_first: bool = False) -> list[int]:
    """Give the indexes of the events asked for, in the order of the pages."""
    found = [index for index, event in enumerate(events) if fits(event, index, wanted)]
    timed = wanted.since is not None or wanted.until is not None
    if timed and wanted.contact_id is None and wanted.actor_id is None:
        found.sort(key=lambda index: (events[index].at, index))
    return found if oldest_first else found[::-1]


def _same_action(asked: str, action: str) -> bool:
    return action == asked or (asked.endswith(".*") and action.split(".")[:-1] == asked.split(".")[:-1])


def _same_network(asked: str, address: str | None) -> bool:
    plain = (address or "").removeprefix("::ffff:")
    try:
        return ip_address(plain) in ip_network(asked)
    except ValueError:
        return False


def _times(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


QUESTIONS: Final = st.builds(
    EventFilter,
    contact_id=st.none() | st.integers(0, CROWD).map(contact),
    actor_id=st.none() | st.sampled_from(("0193e5a0-0000-7000-8000-00000000aaaa", "siem", "nobody")),
    action=st.none() | st.sampled_from(ASKED_ACTIONS),
    decision=st.none() | st.sampled_from(("allowed", "refused")),
    since=st.none() | st.integers(-5, 90).map(_times),
    until=st.none() | st.integers(-5, 700).map(_times),
    departments=st.none() | st.frozensets(st.sampled_from((*DEPARTMENTS, UUID(int=74)))),
    field=st.none() | st.sampled_from((*FIELDS, "fax")),
    state=st.none() | st.sampled_from(STATES),
    purpose=st.none() | st.sampled_from(("work_contact", "audit", "incident")),
    request_id=st.none() | st.sampled_from(("request-0001", "request-0009")),
    network=st.none() | st.sampled_from(NETWORKS).map(ip_network),
    below=st.none() | st.integers(0, 80),
)
"""Any combination; mostly so many that hardly anything fits, so ``a_few`` draws some members at a time."""


@st.composite
def a_few(draw: st.DrawFn) -> EventFilter:
    """Draw a question of up to four members."""
    whole = draw(QUESTIONS)
    names = draw(st.sets(st.sampled_from([each.name for each in dataclass_fields(EventFilter)]), max_size=4))
    return EventFilter(**{name: getattr(whole, name) for name in names})

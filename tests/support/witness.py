"""The witness: whatever any test opens must stand in the access log, as shown or masked, for that person and field.

A plugin and not a promise: it listens to every opener that belongs to an application, in every test, and after the test's body, while its
stores still stand, reads the log past the application, with a connection of its own. A box that was opened for a look that is not on
record fails the test that opened it, whatever else that test proves.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
import pytest

from app import assembly
from app.application import Application
from app.audit.events import EventDraft, decode_event
from app.crypto.datakey import WrappedDataKey
from app.crypto.envelope import Box
from app.crypto.keyring import Opener
from app.crypto.permit import Permit
from tests.support.postgres import in_thread

_DISCLOSED: Final = frozenset({"shown", "masked", "used"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an application keeps its log."""

    dsn: str | None
    path: Path

    def events(self, wanted: Iterable[UUID]) -> dict[UUID, EventDraft]:
        """Read committed events by id, past the application."""
        ids = sorted(set(wanted))
        payloads = self._sqlite(ids) if self.dsn is None else in_thread(self._postgres(self.dsn, ids))
        return {draft.id: draft for draft in map(decode_event, payloads)}

    def _sqlite(self, ids: Sequence[UUID]) -> list[bytes]:
        connection = sqlite3.connect(self.path)
        try:
            found = [
                connection.execute("SELECT payload FROM event WHERE id = ?", (each.bytes,)).fetchone() for each in ids
            ]
        finally:
            connection.close()
        return [row[0] for row in found if row is not None]

    @staticmethod
    async def _postgres(dsn: str, ids: Sequence[UUID]) -> list[bytes]:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            rows = await connection.fetch("SELECT payload FROM log.event WHERE id = ANY($1::uuid[])", list(ids))
        finally:
            await connection.close()
        return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Opening:
    """One person's fields, opened under one event."""

    place: Place
    event_id: UUID
    subject: UUID
    fields: tuple[str, ...]


@dataclass(slots=True)
class Witness:
    """What was opened since the last test was judged."""

    places: WeakKeyDictionary[Opener, Place] = field(default_factory=WeakKeyDictionary)
    openings: list[Opening] = field(default_factory=list)

    def unrecorded(self) -> list[str]:
        """Name every opening that the log does not bear out, and begin anew."""
        openings, self.openings = self.openings, []
        by_place: Mapping[Place, list[Opening]] = defaultdict(list)
        for each in openings:
            by_place[each.place].append(each)
        return [fault for place, some in by_place.items() for fault in _unrecorded(place, some)]


def _unrecorded(place: Place, openings: Sequence[Opening]) -> Iterator[str]:
    events = place.events(each.event_id for each in openings)
    for each in openings:
        event = events.get(each.event_id)
        if event is None or event.decision != "allowed":
            yield f"{each.subject}: {', '.join(each.fields)} opened for {each.event_id}, which is not in the log"
            continue
        told = {
            name
            for cohort in event.cohorts
            if each.subject in cohort.contacts
            for name, state in cohort.states.items()
            if state in _DISCLOSED
        }
        missing = [name for name in each.fields if name not in told]
        if missing:
            yield f"{each.subject}: {', '.join(missing)} opened, but not disclosed according to {each.event_id}"


WITNESS: Final = Witness()


def pytest_configure(config: pytest.Config) -> None:
    """Listen to every opener of every application from now on."""
    config.addinivalue_line(
        "markers", "unwitnessed: its log cannot be read after the test's body, because the test destroys it"
    )
    assembled, open_boxes = assembly.assembled, Opener.open_boxes

    @wraps(assembled)
    def watched(*arguments: Any, **named: Any) -> Application:  # noqa: ANN401 — passed through
        application = assembled(*arguments, **named)
        WITNESS.places[application.opener] = Place(application.database.dsn, application.database.log_path)
        return application

    @wraps(open_boxes)
    def heard(self: Opener, permit: Permit, subject: UUID, wrapped: WrappedDataKey, boxes: Sequence[Box]) -> list[str]:
        values = open_boxes(self, permit, subject, wrapped, boxes)
        place = WITNESS.places.get(self)
        if place is not None and boxes:
            WITNESS.openings.append(Opening(place, permit.event_id, subject, tuple(box.name for box in boxes)))
        return values

    assembly.assembled = watched
    Opener.open_boxes = heard  # type: ignore[method-assign]  # as above


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Judge a test after its body and before its stores are gone; a test that failed is judged enough."""
    try:
        yield
    except BaseException:
        WITNESS.openings.clear()
        raise
    if item.get_closest_marker("unwitnessed") is not None:
        WITNESS.openings.clear()
    if faults := WITNESS.unrecorded():
        pytest.fail("opened without a record:\n" + "\n".join(faults), pytrace=False)

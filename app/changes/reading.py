"""Reading the feed for a caller: numbered, judged trace by trace, on record, then written.

What a page says depends on nothing that the caller may not know of: which versions it names, where it ends and its tag are the same
whether or not somebody hidden changed. Only whoever sees nothing in thousands of traces is sent on past them (``MOST_ROUNDS``).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
import structlog

from app.changes.errors import FeedTruncated
from app.changes.judging import Sight, Told, of_contact, of_department
from app.changes.schemas import ChangePage, ChangeQuery
from app.changes.sight import Sights
from app.contacts.fields import CATALOGUE
from app.contacts.rights import CurrentRights, seek
from app.crypto.errors import SealBroken
from app.departments.tree import Tree
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.dependencies import names_version
from app.permissions.outcomes import Purpose
from app.permissions.plan import CohortKey, Plan
from app.permissions.standing import Viewer
from app.traces.numbering import Place, Sequencer
from app.traces.repository import TraceRepository
from app.traces.trace import Numbered, Trace

ACTION: Final = "change.list"
PURPOSE: Final = Purpose.WORK_CONTACT
MOST_TRACES: Final = 1000
"""Traces that are judged at once."""
MOST_ROUNDS: Final = 4
"""How often, for one answer; after so many the page ends although it may be empty."""

_log = structlog.get_logger("duanhao.security")


class ClosedRecords(Protocol):
    """Where contacts are found, closed."""

    async def by_ids(self, identities: Sequence[UUID], tree: Tree) -> dict[UUID, Record]:
        """Load those among ``identities`` that there are."""
        ...


class Boxes(Protocol):
    """What reads in a trace what policy could read before."""

    def before(self, trace: Trace) -> CohortKey | None:
        """Give it; ``None`` where policy reads the same since. Raises ``SealBroken``."""
        ...


@dataclass(frozen=True, slots=True)
class _Page:
    since: int
    sets: list[tuple[int, datetime, list[Told]]]
    following: int | None
    latest: int

    @property
    def told(self) -> list[Told]:
        return [each for _, _, found in self.sets for each in found]

    def written(self, view: str) -> dict[str, Any]:
        return {
            "since": self.since,
            "items": [
                {
                    "version": version,
                    "at": at,
                    "items": [
                        {"type": each.type, "id": each.subject, "change": each.change, "groups": each.groups}
                        for each in found
                    ],
                }
                for version, at, found in self.sets
            ],
            "next": self.following,
            "latest": self.latest,
            "view": view,
        }


class ChangeFeed:
    """Tells what changed."""

    def __init__(
        self,
        *,
        sequencer: Sequencer,
        traces: TraceRepository,
        boxes: Boxes,
        contacts: ClosedRecords,
        gate: Gate,
        rights: CurrentRights,
        reader: Reader,
    ) -> None:
        """Take what numbers, the traces and what reads their boxes, the contacts, the gate, the rights of now, and where to read."""
        self._sequencer, self._traces, self._boxes = sequencer, traces, boxes
        self._contacts, self._gate, self._rights, self._reader = contacts, gate, rights, reader
        self._sights = Sights()

    async def read(self, viewer: Viewer, query: ChangeQuery, *, known: str | None = None) -> Disclosed[ChangePage]:
        """Tell what changed after ``since``; 304 when ``known`` (``If-None-Match``) names the answer.

        Raises ``FeedTruncated``, and ``LogUnavailable`` when the look cannot be recorded.
        """
        seek(ACTION, PURPOSE)
        look = Look(action=ACTION, purpose=PURPOSE, query={"since": query.since, "limit": query.limit})

        async def attempt(viewer: Viewer) -> Disclosed[ChangePage]:
            plan, place = viewer.plan(PURPOSE), await self._sequencer.place()
            page = await self._page(viewer, plan, place, query)
            view = self._gate.version(b"view" + self._sights.of(plan))
            body = orjson.dumps(page.written(view), option=orjson.OPT_UTC_Z)
            version, told = self._gate.version(body), page.told
            contacts = dict.fromkeys(each.subject for each in told if each.type == "contact")
            note = await self._gate.disclose_plain(viewer, look, count=len(told), contacts=list(contacts))
            if known is not None and names_version(known, version):
                return Disclosed(b"", etag=version, status_code=304)
            return Disclosed(b'%b,"disclosure":%b}' % (body[:-1], note), etag=version)

        return await self._rights.of(viewer, attempt)

    async def _page(self, viewer: Viewer, plan: Plan, place: Place, query: ChangeQuery) -> _Page:
        if query.since is None:
            latest = await self._newest(viewer, plan, place)
            return _Page(latest, [], None, latest)
        if query.since < place.floor:
            raise FeedTruncated
        return await self._after(viewer, plan, place, since=query.since, limit=query.limit)

    async def _after(self, viewer: Viewer, plan: Plan, place: Place, *, since: int, limit: int) -> _Page:
        sets: list[tuple[int, datetime, list[Told]]] = []
        at, is_all = since, since >= place.version
        for _ in range(MOST_ROUNDS):
            if is_all or len(sets) > limit:
                break
            found = await self._traces.oldest(self._reader, after=at, until=place.version, most=MOST_TRACES)
            sets += await self._judged(viewer, plan, found, after=at)
            at = max((each.version or at for each in found), default=place.version)
            is_all = at >= place.version
        shown = sets[:limit]
        latest = shown[-1][0] if shown else since
        if len(sets) > limit:
            return _Page(since, shown, latest, latest)
        return _Page(since, shown, None, latest) if is_all else _Page(since, shown, at, at)

    async def _newest(self, viewer: Viewer, plan: Plan, place: Place) -> int:
        """Give the newest version that has something for the caller; if none of the last many has, the one before those."""
        found = await self._traces.newest(self._reader, after=place.floor, until=place.version, most=MOST_TRACES)
        before = (found[0].version or place.floor) - 1 if found else place.floor
        sets = await self._judged(viewer, plan, found, after=before)
        return sets[-1][0] if sets else max(before, place.floor)

    async def _judged(
        self, viewer: Viewer, plan: Plan, found: Sequence[Numbered], *, after: int
    ) -> list[tuple[int, datetime, list[Told]]]:
        """Judge traces of whole versions after one; give by version what there is to tell, in the order in which it happened."""
        if not found:
            return []
        by_subject: dict[UUID, list[Numbered]] = defaultdict(list)
        for each in found:
            by_subject[each.trace.subject].append(each)
        contacts = [subject for subject, traces in by_subject.items() if traces[0].trace.type == "contact"]
        wanted = dict.fromkeys([*contacts, *(each.trace.about for each in found if each.trace.about is not None)])
        records = await self._contacts.by_ids(list(wanted), viewer.tree)
        later: dict[UUID, list[Numbered]] = defaultdict(list)
        if contacts:
            last, first = max(each.version or after for each in found), min(each.seq for each in found)
            for each in await self._traces.later(self._reader, after=after, until=last, beyond=first):
                later[each.trace.subject].append(each)
        known = frozenset(each for each, record in records.items() if self._gate.verdict(plan, record) is not None)
        told: dict[int, list[Told]] = defaultdict(list)
        for subject, traces in by_subject.items():
            if traces[0].trace.type == "department":
                judged: Iterable[tuple[int, Told]] = of_department(
                    traces, is_there=subject in viewer.tree.nodes, known=known
                )
            else:
                record = records[subject] if subject in known else None
                judged = of_contact(self._sight(plan, subject, record), traces, later[subject])
            for version, each_told in judged:
                told[version].append(each_told)
        times = {each.version: each.at for each in found}
        return [(version, at, told[version]) for version in sorted(told) if (at := times[version]) is not None]

    def _sight(self, plan: Plan, subject: UUID, record: Record | None) -> Sight:
        hidden = frozenset[str]() if record is None else self._gate.untold(plan, record)
        return Sight(
            present=None if record is None else record.cohort,
            decide=lambda key: plan.cohort(key, subject),
            untold=frozenset(CATALOGUE.classes[name].value for name in hidden),
            before=self._before,
        )

    def _before(self, trace: Trace) -> CohortKey | None:
        try:
            return self._boxes.before(trace)
        except SealBroken:
            _log.error("row_mac_mismatch", table="directory_change", row=str(trace.subject))
            return None

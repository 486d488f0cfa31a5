"""Showing requests to those whom they concern: who asks, gains, is or was asked, stands in for one who is, or oversees.

To everybody else a request is not there. Every answer is a look at the people whom it names, on record before it leaves; names are told to
those who may know of the person, ids to all who have to do with the request.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals import listing
from app.approvals.advancing import Rules
from app.approvals.chains import Kind
from app.approvals.consents import taken_back
from app.approvals.deciding import StandIns, version_of
from app.approvals.decision_repository import DecisionRepository
from app.approvals.ending import Oversees
from app.approvals.filing import Acquainted, Filing
from app.approvals.machine import IN_FORCE, OPEN, OVER, State, words
from app.approvals.repository import RequestRepository
from app.approvals.request import Request
from app.approvals.schemas import KindList, PreviewRead, RequestCreate, RequestListQuery, RequestPage, RequestRead
from app.auth.repository import Source
from app.disclosure.looks import Look
from app.disclosure.rights import CurrentRights
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.errors import NotFound
from app.permissions.errors import NoContact
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_PURPOSE: Final = Purpose.WORK_CONTACT


class RequestSight:
    """Who may know of a request."""

    def __init__(self, *, requests: RequestRepository, stand_ins: StandIns, oversees: Oversees, clock: Clock) -> None:
        """Take the rows, who stands in for whom, who oversees, and the clock."""
        self._requests, self._stand_ins, self._oversees, self._clock = requests, stand_ins, oversees, clock

    async def sees(self, source: Source, viewer: Viewer, request: Request) -> bool:
        """Tell whether ``viewer`` has to do with it, or oversees."""
        if viewer.standing.contact_id is not None and self._oversees(viewer):
            return True
        return await self.concerns(source, viewer, request)

    async def concerns(self, source: Source, viewer: Viewer, request: Request) -> bool:
        """Tell whether ``viewer`` has to do with it: asks, gains, is or was asked, or stands in for one who is."""
        me = viewer.standing.contact_id
        if me is None:
            return False
        if me in request.people():
            return True
        if me in await self._requests.involved(source, request.id):
            return True
        return any(
            each.principal in request.asked() and (each.kinds is None or request.kind in each.kinds)
            for each in await self._stand_ins.acting_for(source, me, self._clock.now())
        )

    async def desks(self, source: Source, me: UUID) -> dict[UUID, frozenset[str] | None]:
        """Give whose tasks somebody answers, each in all kinds or some: their own, and those of people for whom they stand in."""
        found: dict[UUID, frozenset[str] | None] = {me: None}
        for each in await self._stand_ins.acting_for(source, me, self._clock.now()):
            before = found.get(each.principal, frozenset())
            found[each.principal] = None if each.kinds is None or before is None else before | each.kinds
        return found

    def oversees(self, viewer: Viewer) -> bool:
        """Tell whether everybody's requests are told to ``viewer``."""
        return self._oversees(viewer)


class RequestReader:
    """Shows requests."""

    def __init__(
        self,
        *,
        rules: Rules,
        requests: RequestRepository,
        decisions: DecisionRepository,
        sight: RequestSight,
        people: Acquainted,
        filing: Filing,
        showing: Showing,
    ) -> None:
        """Take the kinds, the rows, who may see them, whom viewers may know, what previews, and what every look shares."""
        self._rules, self._requests, self._decisions, self._sight = rules, requests, decisions, sight
        self._people, self._filing, self._gate = people, filing, showing.gate
        self._cursors, self._reader, self._rights = showing.cursors, showing.reader, CurrentRights(showing.standings)

    def kinds(self, viewer: Viewer) -> KindList:
        """List the kinds that can be filed; whether the caller may file each. Rules, nobody's data."""
        chains = self._rules.chains
        return KindList.model_validate(
            {
                "version": chains.version,
                "items": [
                    {
                        "kind": each.kind,
                        "title": _title(each),
                        "subject": each.subject,
                        "clauses": list(each.clauses),
                        "form": each.form,
                        "may_file": not each.filers.roles or not viewer.standing.roles.isdisjoint(each.filers.roles),
                    }
                    for each in chains.kinds
                    if each.enabled
                ],
            }
        )

    async def preview(self, viewer: Viewer, body: RequestCreate) -> Disclosed[PreviewRead]:
        """Show the chain that a request would go through, and who would be asked. Raises as filing does."""
        return await self._rights.of(viewer, lambda viewer: self._preview(viewer, body))

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[RequestRead]:
        """Show a request, whole. Raises ``NotFound``, also to whom it does not concern."""
        return await self._rights.of(viewer, lambda viewer: self._one(viewer, identity))

    async def page(self, viewer: Viewer, query: RequestListQuery) -> Disclosed[RequestPage]:
        """List requests that concern the caller, or what awaits them; overseers may ask for everybody's."""
        return await self._rights.of(viewer, lambda viewer: self._page(viewer, query))

    async def _preview(self, viewer: Viewer, body: RequestCreate) -> Disclosed[PreviewRead]:
        found = await self._filing.preview(viewer, self._reader, body)
        everybody = [person for each in found.steps for person in each.found.people]
        known = await self._people.known(viewer, everybody)
        steps = [
            {
                "id": step.id,
                "title": {"zh": step.zh, "en": step.en},
                "type": step.type.value,
                "days": step.days,
                "due_at": None if each.deadline is None else each.deadline.due,
                "predicted": None if each.deadline is None else each.deadline.predicted,
                "escalated": each.found.escalated,
                "people": [_person(person, known) for person in each.found.people],
            }
            for each in found.steps
            for step in (found.variant.steps[each.at],)
        ]
        note = await self._noted(viewer, "request.preview", known, {"kind": found.kind.kind})
        body_ = {
            "kind": found.kind.kind,
            "chain": found.variant.name,
            "form": found.examined.form,
            "steps": steps,
            "disclosure": note,
        }
        return Disclosed(orjson.dumps(body_, option=orjson.OPT_UTC_Z))

    async def _one(self, viewer: Viewer, identity: UUID) -> Disclosed[RequestRead]:
        request = await self._requests.one(self._reader, identity)
        if request is None or not await self._sight.sees(self._reader, viewer, request):
            raise NotFound
        asked = await self._requests.asked(self._reader, identity)
        said = {
            (each.step, each.person): each
            for each in await self._decisions.said(self._reader, identity)
            if each.round == request.round
        }
        comments = await self._decisions.comments(self._reader, identity)
        actors = [each.actor for each in said.values()] + [each.author for each in comments]
        alone = self._alone(viewer, request)
        if alone is not None:
            said = {at: each for at, each in said.items() if at[1] == alone or not request.asks_separately(at[0])}
            comments = [each for each in comments if each.author == alone]
            actors = [each.actor for each in said.values()]
        known = await self._people.known(viewer, [*request.told_of(alone), *actors, *_subject_person(request)])
        desks = await self._desks(viewer)
        steps = [
            {
                "id": stage.id,
                "title": {"zh": step.zh, "en": step.en},
                "type": stage.type.value,
                "state": stage.state.value,
                "due_at": deadline.due if deadline else None,
                "first_due_at": deadline.first if deadline else None,
                "predicted": deadline.predicted if deadline else None,
                "people": [
                    {
                        "person": _person(task.person, known),
                        "how": asking.how if asking else "chain",
                        "by": asking.by if asking else None,
                        "decision": task.word.value if task.word else None,
                        "decided_by": _person(word.actor, known) if word else None,
                        "decided_at": word.at if word else None,
                        "comment": word.comment if word else None,
                        "moved": task.moved,
                    }
                    for task in stage.tasks
                    if alone is None or not stage.separately or task.person == alone
                    for asking in (request.askings.get((stage.id, task.person)),)
                    for word in (said.get((stage.id, task.person)),)
                ],
            }
            for stage in request.course.stages
            for step in (request.step(stage.id),)
            for deadline in (request.deadlines.get(stage.id),)
        ]
        body = {
            **self._item(viewer, request, known, desks),
            "form": asked.form if alone is None else _own_part(asked.form, request.about, alone),
            "term": {
                "duration_minutes": None if request.term.length is None else request.term.length.total_seconds() // 60,
                "until": request.term.until,
            },
            "round": request.round,
            "chain": request.variant,
            "digest": request.digest.hex(),
            "closes_at": request.closes,
            "problem": request.problem,
            "steps": steps,
            "comments": [
                {"id": each.id, "author": _person(each.author, known), "text": each.text, "at": each.at}
                for each in comments
            ],
            "attachments": [
                {"id": each.id, "digest": each.digest.hex()} for each in request.attachments if alone is None
            ],
            "effects": [
                {
                    "effect": each.effect,
                    "result": each.result,
                    "applied_at": each.applied_at,
                    "ended_at": each.ended_at,
                    "cause": each.cause,
                }
                for each in await self._requests.effects(self._reader, identity)
            ],
            "actions": self._actions(viewer, request, desks),
            "disclosure": await self._noted(viewer, "request.read", known, {"request": str(identity)}),
        }
        return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z), etag=body["version"])

    async def _page(self, viewer: Viewer, query: RequestListQuery) -> Disclosed[RequestPage]:
        me = viewer.standing.contact_id
        if me is None:
            raise NoContact
        shape = query.model_dump(mode="json", exclude={"cursor", "limit"})
        position = None if query.cursor is None else self._cursors.open(viewer.caller, shape, query.cursor)
        desks, waiting, following = await self._desks(viewer), None, None
        if query.inbox:
            at = None if position is None else (datetime.fromisoformat(position[0]), UUID(position[1]))
            tasks = await listing.inbox(self._reader, desks, kind=query.kind, after=at, limit=query.limit)
            waiting = await listing.waiting(self._reader, desks)
            if len(tasks) > query.limit:
                last = tasks[query.limit - 1]
                following = self._cursors.seal(viewer.caller, shape, [last.due.isoformat(), str(last.request)])
            identities = list(dict.fromkeys(each.request for each in tasks[: query.limit]))
        else:
            everybody = query.all and self._sight.oversees(viewer)
            wanted = listing.Wanted(
                concerning=None if everybody else me,
                kind=query.kind,
                state=None if query.state is None else query.state.value,
                subject=query.subject,
                before=None if position is None else UUID(position),
            )
            identities = await listing.page(self._reader, wanted, limit=query.limit)
            if len(identities) > query.limit:
                identities = identities[: query.limit]
                following = self._cursors.seal(viewer.caller, shape, str(identities[-1]))
        found = await self._requests.many(self._reader, identities)
        requests = [found[each] for each in identities if each in found]
        people = {
            each for request in requests for each in (request.requester, request.beneficiary, *_subject_person(request))
        }
        known = await self._people.known(viewer, people)
        body = {
            "items": [self._item(viewer, each, known, desks) for each in requests],
            "next": following,
            "waiting": waiting,
            "disclosure": await self._noted(viewer, "request.list", known, shape),
        }
        return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

    async def _desks(self, viewer: Viewer) -> dict[UUID, frozenset[str] | None]:
        me = viewer.standing.contact_id
        return {} if me is None else await self._sight.desks(self._reader, me)

    async def _noted(
        self, viewer: Viewer, action: str, known: Mapping[UUID, object], query: Mapping[str, Any]
    ) -> orjson.Fragment:
        told = {name: value for name, value in query.items() if value not in {None, False}}
        look = Look(action=action, purpose=_PURPOSE, query=told)
        return orjson.Fragment(await self._gate.disclose_plain(viewer, look, count=len(known), contacts=sorted(known)))

    def _item(
        self,
        viewer: Viewer,
        request: Request,
        known: Mapping[UUID, dict[str, Any]],
        desks: Mapping[UUID, frozenset[str] | None],
    ) -> dict[str, Any]:
        stage = request.course.at
        deadline = None if stage is None else request.deadlines.get(stage.id)
        about = next(iter(_subject_person(request)), None)
        return {
            "id": request.id,
            "kind": request.kind,
            "title": _title(self._rules.chains.by_name[request.kind]),
            "state": request.state.value,
            "version": version_of(request, viewer.standing.contact_id),
            "requester": _person(request.requester, known),
            "beneficiary": _person(request.beneficiary, known),
            "subject": {
                "type": request.subject.type,
                "id": request.subject.id,
                "name": known[about].get("name") if about is not None and about in known else None,
            },
            "step": None if stage is None else stage.id,
            "due_at": None if deadline is None else deadline.due,
            "awaits_me": stage is not None and any(_answers(desks, each, request.kind) for each in stage.waiting_for),
            "filed_at": request.filed_at,
            "updated_at": request.filed_at if self._alone(viewer, request) is not None else request.updated_at,
            "ends_at": request.ends,
        }

    def _alone(self, viewer: Viewer, request: Request) -> UUID | None:
        """Give the caller where all that they have to do with it is their own separate consent: who else is asked is not told to them."""
        me = viewer.standing.contact_id
        return me if request.lone(me) and not self._sight.oversees(viewer) else None

    def _actions(self, viewer: Viewer, request: Request, desks: Mapping[UUID, frozenset[str] | None]) -> list[str]:
        """Name what the caller may try: the sub-resources to post to, and the words that the active step takes."""
        me, stage, found = viewer.standing.contact_id, request.course.at, list[str]()
        if stage is not None and any(_answers(desks, each, request.kind) for each in stage.waiting_for):
            found += [f"decisions:{each.value}" for each in sorted(words(stage.type))]
            found += ["transfers", "additions"]
        if me == request.requester and request.state in OPEN:
            found.append("withdrawals")
        if me == request.requester and request.state in {State.AMENDING, State.NEEDS_REAPPROVAL}:
            found.append("amendments")
        if request.state in IN_FORCE and me in {request.requester, request.beneficiary}:
            found.append("returns")
        withdraws = me is not None and taken_back(request.course, me) is not None
        over = request.state in IN_FORCE and (me in request.decided or self._sight.oversees(viewer))
        if over or (withdraws and request.state not in OVER):
            found.append("revocations")
        if request.takes_files and me in request.people():
            found.append("attachments")
        return [*found, "comments"]


def _answers(desks: Mapping[UUID, frozenset[str] | None], person: UUID, kind: str) -> bool:
    if person not in desks:
        return False
    kinds = desks[person]
    return kinds is None or kind in kinds


def _subject_person(request: Request) -> tuple[UUID, ...]:
    identity = request.subject.uuid
    return (identity,) if request.subject.type == "contact" and identity is not None else ()


def _own_part(form: Mapping[str, Any], about: Iterable[UUID], person: UUID) -> dict[str, Any]:
    """Leave of a member that lists whom the request is about nobody but ``person``."""
    listed, own = {str(each) for each in about}, str(person)
    return {
        name: [own] if isinstance(value, list) and own in value and listed.issuperset(map(str, value)) else value
        for name, value in form.items()
    }


def _title(kind: Kind) -> dict[str, str]:
    return {"zh": kind.zh, "en": kind.en}


def _person(identity: UUID, known: Mapping[UUID, dict[str, Any]]) -> dict[str, Any]:
    return known.get(identity) or {"id": identity, "name": None, "title": None, "department": None}

"""Filing a request: may it be asked, by whom is it decided, and what would become of it, before anybody is bothered with it.

A preview goes the same way and keeps nothing. What cannot be asked is refused at once, with every fault of its form; a request that nobody
in the company may decide is not taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from app.approvals.advancing import Advancing
from app.approvals.chains import Kind, StepType, Variant
from app.approvals.effects import Asked, Effect, Examined, Proposed, Subject
from app.approvals.errors import (
    AlreadyRequested,
    BadForm,
    MayNotFile,
    NotOpen,
    UnknownBeneficiary,
    UnknownRequestKind,
)
from app.approvals.machine import Amended, Refused, begun, moved
from app.approvals.request import Attached, Deadline, Request, fresh
from app.approvals.resolving import Found, Question
from app.approvals.schemas import RequestAmend, RequestCreate
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, NotFound
from app.kit.models import new_id
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer, author_of

_MOST_FAULTS = 50


class Boxes(Protocol):
    """Where a protected value is sealed under its contact's own key, as its card would keep it."""

    async def seal(self, unit: UnitOfWork, contact: UUID, values: Mapping[str, str]) -> Mapping[str, Proposed]:
        """Give a box for each field; raise ``NotFound`` for a contact that is not there."""
        ...


class Files(Protocol):
    """Where files lie that somebody has uploaded to file with."""

    async def staged(
        self, source: Source, owner: UUID, wanted: Mapping[UUID, str], *, beside: int
    ) -> tuple[Attached, ...]:
        """Give files that are ``owner``'s to file with, held until the transaction ends; ``wanted`` says which member names each.

        Raises ``UnknownAttachment`` and, where there would be too many with those that are there, ``TooManyAttachments``.
        """
        ...

    async def bind(self, unit: UnitOfWork, request: UUID, attached: Iterable[Attached]) -> None:
        """Give them to a request."""
        ...


class Acquainted(Protocol):
    """Whom a viewer may know of."""

    async def known(self, viewer: Viewer, contacts: Any) -> dict[UUID, dict[str, Any]]:  # noqa: ANN401 — any iterable of ids
        """Give those of ``contacts`` of whom ``viewer`` may know, each as people are told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewStep:
    """A step as it would be: who would be asked now, by when they would have to answer if it began now."""

    variant: Variant
    at: int
    found: Found
    deadline: Deadline | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would become of a request."""

    kind: Kind
    variant: Variant
    examined: Examined
    steps: tuple[PreviewStep, ...]


class Filing:
    """Takes requests."""

    def __init__(self, *, advancing: Advancing, people: Acquainted, boxes: Boxes, files: Files, clock: Clock) -> None:
        """Take what brings requests on, whom viewers may know, where protected values are sealed and files lie, and the clock."""
        self._advancing, self._people, self._boxes, self._clock = advancing, people, boxes, clock
        self._files = files
        self._rules, self._requests = advancing.rules, advancing.requests

    async def preview(self, viewer: Viewer, source: Source, body: RequestCreate) -> Preview:
        """Tell what a request would go through; raises as ``file`` does, and keeps nothing."""
        kind, asked = await self._asked(viewer, body)
        examined = await self._effect(kind).examine(source, viewer, asked)
        await self._files.staged(source, asked.requester, _named(kind, asked.form, body.attachments), beside=0)
        facts = await self._advancing.facts(source, asked.beneficiary, examined)
        variant = kind.variant(facts)
        question = Question(
            kind=kind.kind,
            requester=asked.requester,
            beneficiary=asked.beneficiary,
            about=examined.about,
            owner=examined.owner,
            form=examined.form,
        )
        now, steps, decided = self._clock.now(), list[PreviewStep](), list[UUID]()
        for at, step in enumerate(variant.steps):
            found, deadline = Found(people=(), left_out={}), None
            if step.type is not StepType.CHECK:
                found = await self._advancing.resolving.people(source, step, question, decided)
                deadline = await self._advancing.deadline(source, step, now)
                if step.type.approves and len(found.people) == 1:
                    decided.extend(found.people)
            steps.append(PreviewStep(variant=variant, at=at, found=found, deadline=deadline))
        return Preview(kind=kind, variant=variant, examined=examined, steps=tuple(steps))

    async def file(self, viewer: Viewer, unit: UnitOfWork, body: RequestCreate) -> Request:
        """File a request and open its first step; a chain that asks nobody is through at once.

        Raises ``UnknownRequestKind``, ``MayNotFile``, ``BadForm``, ``UnknownBeneficiary``, ``UnknownAttachment``, ``TooManyAttachments``,
        ``AlreadyRequested``, ``NobodyMayDecide``, and what the kind's effect raises.
        """
        kind, asked = await self._asked(viewer, body)
        examined = await self._effect(kind).examine(unit.session, viewer, asked)
        asked = replace(asked, form=examined.form)
        author, now = author_of(viewer), self._clock.now()
        wanted = _named(kind, asked.form, body.attachments)
        files = await self._files.staged(unit.session, asked.requester, wanted, beside=0)
        facts = await self._advancing.facts(unit.session, asked.beneficiary, examined)
        variant = kind.variant(facts)
        request = Request(
            id=new_id(),
            kind=kind.kind,
            chains=self._rules.chains.digest,
            variant=variant.name,
            steps=variant.steps,
            round=1,
            version=1,
            requester=asked.requester,
            beneficiary=asked.beneficiary,
            subject=asked.subject,
            about=examined.about,
            owner=examined.owner,
            facts=facts,
            term=examined.term,
            begins=examined.begins,
            course=begun(fresh(each) for each in variant.steps),
            filed_at=now,
            updated_at=now,
            opened=now,
            pending_days=kind.pending_days,
            closes=await self._advancing.closing(unit.session, now, kind.pending_days),
            digest=self._requests.digest(asked, examined.values, files),
            attachments=files,
        )
        if await self._requests.same(unit.session, request) is not None:
            raise AlreadyRequested
        await self._requests.add(unit.session, request, asked)
        await self._files.bind(unit, request.id, files)
        await self._keep(unit, request, examined)
        await self._advancing.told(unit, author, "request.file", request)
        settled = await self._advancing.settled(unit, author, request, asked, new=True)
        await self._requests.save(unit.session, request, settled)
        return settled

    async def amend(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: RequestAmend) -> Request:
        """File a request anew that was returned or has to be approved again: everything said before is void.

        Raises ``NotFound`` to anybody but its requester, ``NotOpen``, and as ``file`` does.
        """
        request = await self._requests.locked(unit.session, identity)
        if request is None or request.requester != viewer.standing.contact_id:
            raise NotFound
        kind = self._rules.chains.enabled(request.kind)
        if kind is None:
            raise UnknownRequestKind
        before = await self._requests.asked(unit.session, identity)
        asked = replace(before, form=_form(kind, before.form if body.form is None else body.form))
        examined = await self._effect(kind).examine(unit.session, viewer, asked)
        asked = replace(asked, form=examined.form)
        facts = await self._advancing.facts(unit.session, asked.beneficiary, examined)
        variant, now, author = kind.variant(facts), self._clock.now(), author_of(viewer)
        there = {each.id for each in request.attachments}
        wanted = {each: at for each, at in _named(kind, asked.form, ()).items() if each not in there}
        files = await self._files.staged(unit.session, asked.requester, wanted, beside=len(there))
        course = moved(request.course, Amended(tuple(fresh(each) for each in variant.steps)))
        if isinstance(course, Refused):
            raise NotOpen
        anew = request.happened(
            course,
            now,
            chains=self._rules.chains.digest,
            variant=variant.name,
            steps=variant.steps,
            round=request.round + 1,
            about=examined.about,
            owner=examined.owner,
            facts=facts,
            term=examined.term,
            begins=examined.begins,
            deadlines={},
            askings={},
            problem=None,
            opened=now,
            pending_days=kind.pending_days,
            closes=await self._advancing.closing(unit.session, now, kind.pending_days),
            digest=self._requests.digest(asked, examined.values, (*request.attachments, *files)),
            attachments=(*request.attachments, *files),
        )
        await self._files.bind(unit, request.id, files)
        await self._keep(unit, anew, examined)
        await self._advancing.told(unit, author, "request.amend", anew)
        settled = await self._advancing.settled(unit, author, anew, asked, new=True)
        await self._requests.save(unit.session, request, settled, asked=asked)
        return settled

    async def _asked(self, viewer: Viewer, body: RequestCreate) -> tuple[Kind, Asked]:
        """Read a body as what is asked, by whom, for whom."""
        requester = viewer.standing.contact_id
        if requester is None:
            raise NoContact
        kind = self._rules.chains.enabled(body.kind)
        if kind is None:
            raise UnknownRequestKind
        if kind.filers.roles and viewer.standing.roles.isdisjoint(kind.filers.roles):
            raise MayNotFile
        if body.subject.type != kind.subject:
            raise BadForm(
                errors=[
                    FieldError(
                        "/subject/type", "other_subject", f"This kind is about a {kind.subject}.", "主体类型不符。"
                    )
                ]
            )
        beneficiary = requester if body.beneficiary is None else body.beneficiary
        if beneficiary != requester and beneficiary not in await self._people.known(viewer, [beneficiary]):
            raise UnknownBeneficiary(
                errors=[FieldError("/beneficiary", "unknown_beneficiary", "Nobody to be named here.", "不可指定。")]
            )
        form = _form(kind, body.form)
        subject = Subject(body.subject.type, body.subject.id)
        return kind, Asked(kind=kind.kind, requester=requester, beneficiary=beneficiary, subject=subject, form=form)

    async def _keep(self, unit: UnitOfWork, request: Request, examined: Examined) -> None:
        """Keep protected values sealed under the key of the contact that they are of."""
        envelopes: Mapping[str, Proposed] = {}
        contact = request.about[0] if request.about else request.beneficiary
        if examined.values:
            envelopes = await self._boxes.seal(unit, contact, examined.values)
            if set(envelopes) != set(examined.values):
                raise NotFound
        await self._requests.propose(unit.session, request.id, contact, envelopes)

    def _effect(self, kind: Kind) -> Effect:
        return self._rules.effect(kind)


def _named(kind: Kind, form: Mapping[str, Any], listed: Iterable[UUID]) -> dict[UUID, str]:
    """Give the files that a request names, in its form and beside it, each with the member that names it."""
    found = {each: f"/attachments/{at}" for at, each in enumerate(listed)}
    return found | {UUID(form[name]): f"/form/{name}" for name in kind.attachments if name in form}


def _form(kind: Kind, form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check a form against its schema; raise ``BadForm`` with every fault and its place."""
    faults = sorted(
        kind.validator.iter_errors(dict(form)), key=lambda fault: [str(each) for each in fault.absolute_path]
    )
    if faults:
        raise BadForm(
            errors=[
                FieldError(
                    "/form" + "".join(f"/{each}" for each in fault.absolute_path),
                    f"form_{fault.validator}",
                    f"Does not fit the form: {fault.validator}.",
                    f"不符合表单要求：{fault.validator}。",
                )
                for fault in faults[:_MOST_FAULTS]
            ]
        )
    return form

"""A request as a value: what is asked, where it stands, by when somebody is to answer; and its one form as a record.

Pure. ``as_record`` and ``from_record`` are each other's inverse; the record holds ids and codes. What is asked, with reasons in words, is
the body, boxed by whoever stores it; its digest is what decisions are signed over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals.chains import Step, StepType
from app.approvals.machine import Course, Stage, State, StepState, Task, Word
from app.approvals.values import Asked, Subject, Term

CONSENTS: Final = "consent"
"""As what somebody is asked whose consent it takes, which nobody gives for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """By when a step is to be answered. ``first`` is what was said at the beginning, before the calendar was revised."""

    begun: datetime
    due: datetime
    first: datetime
    remind: datetime
    closes: datetime
    predicted: bool
    reminded: bool = False
    escalated: bool = False

    @property
    def next(self) -> datetime:
        """When the clock has something to do: remind, then escalate, then close."""
        if not self.reminded:
            return self.remind
        return self.closes if self.escalated else self.due


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Why somebody is asked: ``chain``, ``transfer``, ``added``, ``escalation``, ``replacement``; by whom, or instead of whom.

    ``basis`` is as what they are asked (``resolving.Found``): who is not that any more answers no more.
    """

    how: str
    by: UUID | None = None
    reason: str | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that the request rests on: its id, and the 32 bytes that stand for exactly its content."""

    id: UUID
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, whole but for its body."""

    id: UUID
    kind: str
    chains: str
    variant: str
    steps: tuple[Step, ...]
    round: int
    version: int
    requester: UUID
    beneficiary: UUID
    subject: Subject
    about: tuple[UUID, ...]
    owner: UUID | None
    facts: Mapping[str, str]
    term: Term
    begins: datetime | None
    course: Course
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    askings: Mapping[tuple[str, UUID], Asking] = field(default_factory=dict)
    calendar: int = 0
    filed_at: datetime
    updated_at: datetime
    opened: datetime
    pending_days: int
    closes: datetime
    approved_at: datetime | None = None
    ends: datetime | None = None
    problem: str | None = None
    digest: bytes = b""
    attachments: tuple[Attached, ...] = ()

    @property
    def state(self) -> State:
        """Where it is."""
        return self.course.state

    def step(self, identity: str) -> Step:
        """Give a step of the chain that the request was filed under, whatever the file of kinds says by now."""
        return next(each for each in self.steps if each.id == identity)

    def basis(self, step: str, person: UUID) -> str | None:
        """Give as what somebody is asked in a step."""
        asking = self.askings.get((step, person))
        return None if asking is None else asking.basis

    @property
    def next_at(self) -> datetime | None:
        """When the clock has something to do with it: a deadline, its beginning, its end."""
        match self.state:
            case State.PENDING:
                stage = self.course.at
                deadline = self.deadlines.get(stage.id) if stage is not None else None
                return self.closes if deadline is None else min(deadline.next, self.closes)
            case State.AMENDING | State.NEEDS_REAPPROVAL:
                return self.closes
            case State.APPROVED:
                return self.begins
            case State.ACTIVE:
                return _earliest(self.ends, self._review)
            case State.OVERDUE | State.COMPLETED | State.EXPIRED | State.RETURNED:
                return self._review
            case _:
                return None

    @property
    def _review(self) -> datetime | None:
        stage = self.course.at
        deadline = None if stage is None else self.deadlines.get(stage.id)
        return None if deadline is None or deadline.escalated else deadline.next

    @property
    def decided(self) -> tuple[UUID, ...]:
        """Whose yes it rests on so far, in steps that approve."""
        return tuple(
            task.person
            for stage in self.course.stages
            if stage.type.approves
            for task in stage.tasks
            if task.word is Word.APPROVE
        )

    @property
    def takes_files(self) -> bool:
        """Whether files may still be put to it: as long as nobody has said anything over it, and while it is to be filed anew."""
        if self.state in {State.AMENDING, State.NEEDS_REAPPROVAL}:
            return True
        return self.state is State.PENDING and all(
            task.word is None for stage in self.course.stages for task in stage.tasks
        )

    @property
    def consented(self) -> tuple[UUID, ...]:
        """Who has consented, and has not taken that back."""
        return tuple(
            task.person
            for stage in self.course.stages
            if stage.type is StepType.CONSENT
            for task in stage.tasks
            if task.word is Word.APPROVE
        )

    def lone(self, person: UUID | None) -> bool:
        """Tell whether all that somebody has to do with it is their own separate consent: of others who are asked they are told nothing."""
        asked = {task.person for stage in self.course.stages if not stage.separately for task in stage.tasks}
        return person in self.asked() - asked - {self.requester, self.beneficiary}

    def asks_separately(self, step: str) -> bool:
        """Tell whether those who are asked in a step answer each for themselves."""
        stage = self.course.stage(step)
        return stage is not None and stage.separately

    def told_of(self, alone: UUID | None) -> frozenset[UUID]:
        """Give whom a look at it is a look at; for who is ``lone`` none of the others who consent."""
        if alone is None:
            return self.people()
        asked = {task.person for stage in self.course.stages if not stage.separately for task in stage.tasks}
        return frozenset({*asked, alone, self.requester, self.beneficiary})

    def people(self) -> frozenset[UUID]:
        """Everybody who has to do with it."""
        return self.asked() | {self.requester, self.beneficiary}

    def asked(self) -> frozenset[UUID]:
        """Everybody who is or was asked in this round."""
        return frozenset(task.person for stage in self.course.stages for task in stage.tasks)

    def happened(self, course: Course, now: datetime, **members: Any) -> "Request":  # noqa: ANN401 — members of Request
        """Give the request after something happened to its course."""
        return replace(self, course=course, version=self.version + 1, updated_at=now, **members)


def fresh(step: Step) -> Stage:
    """Give the stage of a step that has not begun."""
    return Stage(id=step.id, type=step.type, needed=step.needed or 1, veto=step.veto, separately=step.separately)


def as_record(request: Request) -> dict[str, Any]:
    """Write what no column of the row says."""
    return {
        "chains": request.chains,
        "variant": request.variant,
        "round": request.round,
        "about": [str(each) for each in request.about],
        "owner": _id(request.owner),
        "facts": dict(request.facts),
        "term": {
            "seconds": None if request.term.length is None else int(request.term.length.total_seconds()),
            "until": _at(request.term.until),
        },
        "begins": _at(request.begins),
        "steps": [each.model_dump(mode="json") for each in request.steps],
        "stages": [
            {
                "state": stage.state.value,
                "tasks": [
                    {
                        "person": str(task.person),
                        "word": None if task.word is None else task.word.value,
                        "moved": task.moved,
                        "must": task.must,
                    }
                    for task in stage.tasks
                ],
            }
            for stage in request.course.stages
        ],
        "deadlines": {
            step: {
                "begun": _at(each.begun),
                "due": _at(each.due),
                "first": _at(each.first),
                "remind": _at(each.remind),
                "closes": _at(each.closes),
                "predicted": each.predicted,
                "reminded": each.reminded,
                "escalated": each.escalated,
            }
            for step, each in request.deadlines.items()
        },
        "askings": [
            {
                "step": step,
                "person": str(person),
                "how": each.how,
                "by": _id(each.by),
                "reason": each.reason,
                "basis": each.basis,
            }
            for (step, person), each in request.askings.items()
        ],
        "calendar": request.calendar,
        "opened": _at(request.opened),
        "pending_days": request.pending_days,
        "closes": _at(request.closes),
        "approved_at": _at(request.approved_at),
        "ends": _at(request.ends),
        "problem": request.problem,
        "attachments": [[str(each.id), each.digest.hex()] for each in request.attachments],
    }


def from_record(
    record: Mapping[str, Any],
    *,
    id: UUID,  # noqa: A002 — the member's name
    kind: str,
    state: str,
    version: int,
    requester: UUID,
    beneficiary: UUID,
    subject: Subject,
    filed_at: datetime,
    updated_at: datetime,
    digest: bytes,
) -> Request:
    """Read a request back from its row's columns and its record."""
    seconds, until = record["term"]["seconds"], record["term"]["until"]
    steps = tuple(Step.model_validate(each) for each in record["steps"])
    stages = tuple(
        replace(
            fresh(step),
            state=StepState(stage["state"]),
            tasks=tuple(
                Task(
                    person=UUID(task["person"]),
                    word=None if task["word"] is None else Word(task["word"]),
                    moved=task["moved"],
                    must=task["must"],
                )
                for task in stage["tasks"]
            ),
        )
        for step, stage in zip(steps, record["stages"], strict=True)
    )
    return Request(
        id=id,
        kind=kind,
        chains=record["chains"],
        variant=record["variant"],
        steps=steps,
        round=record["round"],
        version=version,
        requester=requester,
        beneficiary=beneficiary,
        subject=subject,
        about=tuple(UUID(each) for each in record["about"]),
        owner=None if record["owner"] is None else UUID(record["owner"]),
        facts=record["facts"],
        term=Term(None if seconds is None else timedelta(seconds=seconds), _read(until)),
        begins=_read(record["begins"]),
        course=Course(state=State(state), stages=stages),
        deadlines={
            step: Deadline(
                begun=_moment(each["begun"]),
                due=_moment(each["due"]),
                first=_moment(each["first"]),
                remind=_moment(each["remind"]),
                closes=_moment(each["closes"]),
                predicted=each["predicted"],
                reminded=each["reminded"],
                escalated=each["escalated"],
            )
            for step, each in record["deadlines"].items()
        },
        askings={
            (each["step"], UUID(each["person"])): Asking(
                how=each["how"],
                by=None if each["by"] is None else UUID(each["by"]),
                reason=each["reason"],
                basis=each.get("basis"),
            )
            for each in record["askings"]
        },
        calendar=record["calendar"],
        filed_at=filed_at,
        updated_at=updated_at,
        opened=_moment(record["opened"]),
        pending_days=record["pending_days"],
        closes=_moment(record["closes"]),
        approved_at=_read(record["approved_at"]),
        ends=_read(record["ends"]),
        problem=record["problem"],
        digest=digest,
        attachments=tuple(Attached(UUID(own), bytes.fromhex(made)) for own, made in record.get("attachments", ())),
    )


def as_body(asked: Asked) -> bytes:
    """Write what is asked, the same way every time: this is what is boxed, and what every decision is signed over."""
    return orjson.dumps(
        {
            "kind": asked.kind,
            "requester": asked.requester,
            "beneficiary": asked.beneficiary,
            "subject": [asked.subject.type, asked.subject.id],
            "form": asked.form,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def from_body(body: bytes) -> Asked:
    """Read what is asked."""
    found = orjson.loads(body)
    return Asked(
        kind=found["kind"],
        requester=UUID(found["requester"]),
        beneficiary=UUID(found["beneficiary"]),
        subject=Subject(*found["subject"]),
        form=found["form"],
    )


def _id(identity: UUID | None) -> str | None:
    return None if identity is None else str(identity)


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)

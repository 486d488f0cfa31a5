"""Kinds of requests for tests: every type of step, one effect that remembers what it was told, and a clock that stands still."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx

from app.approvals.chains import Chains
from app.approvals.delegation_desk import DelegationDesk
from app.approvals.desk import ApprovalDesk
from app.approvals.effects import Applied, Approved, Asked, Cause, Examined, Term
from app.approvals.request import Request
from app.approvals.rosters import RosterDesk
from app.approvals.telling import DelegationNotices
from app.approving import approval_desk
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.organisation import CompanyOrganisation
from app.crypto.rowmac import RowSigner
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.showing import Showing
from app.effects.desk import EffectDesk
from app.kit.db import UnitOfWork
from app.kit.errors import Conflict, NotFound
from app.permissions.standing import Viewer
from tests.support.application import World
from tests.support.clock import FrozenClock

MONDAY: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""A Monday, nine in the morning in Shanghai."""

FORM: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["reason"],
    "properties": {
        "reason": {"type": "string", "minLength": 4, "maxLength": 200},
        "minutes": {"type": "integer", "minimum": 1, "maximum": 100_000},
        "who": {"type": "string"},
        "mobile": {"type": "string"},
    },
}


def step(identity: str, kind: str, by: object, **members: object) -> dict[str, object]:
    """Write a step as the file of kinds has it."""
    return {"id": identity, "zh": "步骤", "en": identity.title(), "type": kind, "by": by, **members}


def a_kind(name: str, *steps: dict[str, object], **members: object) -> dict[str, object]:
    """Write a kind about a contact whose one chain is ``steps``."""
    return {
        "kind": name,
        "zh": "测试",
        "en": name,
        "clauses": ["T-1"],
        "subject": "contact",
        "effect": "remember",
        "form": FORM,
        "variants": [{"name": "only", "steps": list(steps)}],
        **members,
    }


BY_HR: Final = {"role": "hr"}
BY_HEAD: Final = {"head": "requester"}
KINDS: Final = (
    a_kind("test.any", step("hr", "approve_any", BY_HR)),
    a_kind("test.two", step("head", "approve_any", BY_HEAD), step("hr", "approve_any", BY_HR)),
    a_kind("test.all", step("both", "approve_all", [BY_HR, {"role": "infosec"}])),
    a_kind("test.some", step("two", "approve_n", [BY_HR, {"role": "infosec"}, {"role": "it"}], needed=2, veto=False)),
    a_kind("test.turns", step("turns", "sequential", [BY_HR, {"role": "infosec"}])),
    a_kind("test.attest", step("sign", "attest", {"requester": True}), step("hr", "approve_any", BY_HR)),
    a_kind("test.consent", step("consent", "consent", {"subject": True})),
    a_kind("test.note", step("note", "notify_ack", BY_HR)),
    a_kind("test.check", {"id": "fit", "zh": "检查", "en": "Fit", "type": "check", "check": "fit"}),
    a_kind("test.it", step("hr", "approve_any", BY_HR), step("it", "provision", {"role": "it"}, apart=True)),
    a_kind("test.review", step("hr", "approve_any", BY_HR), step("review", "post_review", {"role": "auditor"}, days=3)),
    a_kind("test.named", step("named", "approve_any", {"named": "who"})),
    a_kind("test.return", step("hr", "approve_any", BY_HR), returnable=True),
    a_kind("test.head", step("head", "approve_any", {"head": "beneficiary"})),
    a_kind("test.leaders", step("leader", "approve_any", BY_HR), filers={"roles": ["dept_head"]}),
    a_kind("test.call", step("call", "approve_any", {"on_call": "it"})),
    a_kind("test.off", step("hr", "approve_any", BY_HR), enabled=False, disabled_zh="未开放", disabled_en="not open"),
)
CHAINS: Final = Chains.model_validate({"version": "1.0.0", "kinds": KINDS})


class Unable(Conflict):
    """The effect cannot act."""

    code, title, title_zh = "unable", "Cannot be done", "无法执行"


@dataclass(slots=True)
class Remembering:
    """An effect that remembers: ``facts`` are what it finds, ``fails``, ``lasting`` and ``begins`` how and when it acts."""

    facts: dict[str, str] = field(default_factory=lambda: {"colour": "red"})
    lasting: bool = True
    fails: bool = False
    begins: datetime | None = None
    applied: list[Approved] = field(default_factory=list)
    ended: list[tuple[UUID, Cause]] = field(default_factory=list)

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        del source, viewer
        contact = asked.subject.uuid
        if contact is None:
            raise NotFound
        form = {name: value for name, value in asked.form.items() if name != "mobile"}
        values = {name: value for name, value in asked.form.items() if name == "mobile"}
        minutes = asked.form.get("minutes")
        term = Term(None if minutes is None else timedelta(minutes=minutes))
        return Examined(
            form=form, facts=dict(self.facts), about=(contact,), values=values, term=term, begins=self.begins
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        del unit, author
        self.applied.append(approved)
        if self.fails:
            raise Unable
        return Applied(result={"colour": "red"}, lasting=self.lasting)

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        del unit, author, result
        self.ended.append((approved.id, cause))


@dataclass(slots=True)
class Fit:
    """A check that holds, or does not."""

    answer: bool = True

    async def holds(self, source: Source, request: Request, asked: Asked) -> bool:
        del source, request, asked
        return self.answer


@dataclass(slots=True)
class Office:
    """A company with these kinds: its desk, its effect, its check, its clock, and who decides for whom."""

    world: World
    desk: ApprovalDesk
    effect: Remembering
    check: Fit
    clock: FrozenClock
    delegations: DelegationDesk

    async def file(
        self,
        who: str,
        kind: str,
        *,
        about: str = "colleague",
        further: dict[str, object] | None = None,
        **members: object,
    ) -> httpx.Response:
        """File a request as somebody."""
        form = {"reason": "为了测试", **(further or {})}
        body = {"kind": kind, "subject": {"type": "contact", "id": str(self.world.people[about])}, "form": form}
        return await (await self.world.as_(who)).post("/v1/requests", json={**body, **members})

    async def filed(
        self,
        who: str,
        kind: str,
        *,
        about: str = "colleague",
        further: dict[str, object] | None = None,
        **members: object,
    ) -> str:
        """File a request that is taken; give its path."""
        answer = await self.file(who, kind, about=about, further=further, **members)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    async def say(self, who: str, path: str, word: str = "approve", **members: object) -> httpx.Response:
        """Answer a request as somebody."""
        return await (await self.world.as_(who)).post(f"{path}/decisions", json={"decision": word, **members})

    async def act(self, who: str, path: str, what: str, **members: object) -> httpx.Response:
        """Post to a sub-resource as somebody."""
        return await (await self.world.as_(who)).post(f"{path}/{what}", json=members)

    async def read(self, who: str, path: str) -> dict[str, Any]:
        """Read a request that is there for somebody."""
        answer = await (await self.world.as_(who)).get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def state(self, path: str) -> str:
        """Tell where a request is."""
        return str((await self.read("auditor", path))["state"])

    async def tick(self, **span: float) -> int:
        """Let time pass, and the clock do what is due by then."""
        self.clock.advance(**span)
        done = total = await self.desk.clock.sweep()
        while done:
            done = await self.desk.clock.sweep()
            total += done
        return total

    def uuid(self, path: str) -> UUID:
        """Give the id of a request at a path."""
        return UUID(path.rpartition("/")[2])

    def id(self, name: str) -> str:
        """Give somebody's contact id."""
        return str(self.world.people[name])


def office_in(world: World) -> Office:
    """Put these kinds in place of those that the company has."""
    application = world.application
    effect, check, clock = Remembering(), Fit(), FrozenClock(MONDAY)
    effects = EffectDesk()
    effects.effects, effects.checks = {"remember": effect}, {"fit": check}
    showing = Showing(
        gate=application.gate,
        standings=application.standings,
        cursors=application.cursors,
        reader=application.database.reader,
        clock=clock,
    )
    delegations = DelegationDesk(
        showing,
        key=application.keyring.mac_key,
        contacts=application.contact_rows,
        accounts=application.account_rows,
        marks=application.marks,
        chains=CHAINS,
        database=application.database,
        idempotency=application.idempotency,
        longest_days=90,
        teller=DelegationNotices(application.notices.service),
    )
    rosters = RosterDesk(
        showing,
        signer=RowSigner(application.keyring.mac_key("on_call_shift")),
        holders=CompanyOrganisation(application.contact_rows, application.accounts, application.department_rows),
        people=Acquaintances(application.contact_rows, application.gate),
        idempotency=application.idempotency,
    )
    desk = approval_desk(
        showing,
        chains=CHAINS,
        key=application.keyring.mac_key,
        sealer=application.sealer,
        database=application.database,
        idempotency=application.idempotency,
        contacts=application.contact_rows,
        accounts=application.accounts,
        departments=application.department_rows,
        effects=effects,
        calendar=application.calendar.calendars,
        delegations=delegations,
        rosters=rosters,
        notices=application.notices.service,
        giving=application.numbers.service,
        calling=application.calling.service,
    )
    world.app.state.application = replace(application, approvals=desk, delegations=delegations, rosters=rosters)
    return Office(world, desk, effect, check, clock, delegations)

"""Nothing is opened before the look is on record: not when the log is away, not when a route forgets it, not beyond what was recorded."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
import pytest
from fastapi import Depends, FastAPI, Request, Response
from structlog.testing import capture_logs

from app.audit.errors import LogUnavailable
from app.audit.events import EventDraft
from app.contacts.fields import CATALOGUE
from app.crypto.envelope import cut
from app.crypto.errors import PermitRefused
from app.crypto.permit import Permit, mint
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.guard import DisclosureGuard
from app.disclosure.looks import Look
from app.disclosure.programs import Programs
from app.disclosure.records import Record
from app.kit import problems
from app.kit.context import RequestContext, current_request
from app.kit.edge import RequestEdge
from app.kit.errors import NotFound, Problem
from app.kit.models import new_id
from app.kit.routing import Guard, GuardedRouter
from app.permissions.outcomes import FieldClass, Outcome, Power, Purpose, Reason
from app.permissions.plan import Cohort
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, add_person
from tests.support.witness import WITNESS

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOK = Look(action="contact.read", purpose=Purpose.WORK_CONTACT)


async def record_of(world: World, identity: UUID) -> Record:
    found = await world.application.contact_rows.by_id(identity, await world.application.standings.tree())
    assert found is not None
    return found


async def down(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — as the writer's
    del draft, given
    raise LogUnavailable


class TestWithoutALog:
    @pytest.mark.parametrize("operation", ["read", "list", "empty list", "reveal", "history", "304", "patch", "delete"])
    async def test_no_operation_opens_or_answers_anything(
        self, shared: World, monkeypatch: pytest.MonkeyPatch, operation: str
    ) -> None:
        someone = await add_person(shared)
        client = await shared.as_("hr")
        etag = (await client.get(someone.path)).headers["ETag"]
        monkeypatch.setattr(shared.application.log, "permit", down)
        before = shared.application.opener.opened
        answer = await self.do(client, someone, operation, etag)
        problem(answer, 503, "access_log_unavailable")
        assert shared.application.opener.opened == before
        assert [secret for secret in someone.secrets if secret in answer.text] == []
        monkeypatch.undo()
        assert (await client.get(someone.path)).headers["ETag"] == etag, "and nothing was changed"

    async def do(self, client: httpx.AsyncClient, someone: Added, operation: str, etag: str) -> httpx.Response:
        seen = {"If-Match": etag}
        wish = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a good one"}
        method, path, given = {
            "read": ("GET", someone.path, {}),
            "304": ("GET", someone.path, {"headers": {"If-None-Match": etag}}),
            "list": ("GET", "/v1/contacts", {}),
            "empty list": ("GET", "/v1/contacts", {"params": {"q": "nobody is called so"}}),
            "reveal": ("POST", f"{someone.path}/reveals", {"json": wish}),
            "history": ("GET", f"{someone.path}/history", {}),
            "patch": ("PATCH", someone.path, {"json": {"title": "x"}, "headers": seen}),
            "delete": ("DELETE", someone.path, {"headers": seen}),
        }[operation]
        return await client.request(method, path, **given)  # type: ignore[arg-type]  # keywords of a request

    async def test_a_refusal_that_cannot_be_recorded_is_not_told(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = await shared.as_("staff")

        async def unrecorded(draft: EventDraft) -> int:
            del draft
            raise LogUnavailable

        monkeypatch.setattr(shared.application.log, "record", unrecorded)
        problem(await client.get(f"/v1/contacts/{new_id()}"), 503, "access_log_unavailable")
        problem(await client.get("/v1/access-events"), 503, "access_log_unavailable")


class TestPermits:
    async def test_a_permit_opens_what_was_recorded_and_no_more(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        application = shared.application
        record, other = await record_of(shared, shared.people["staff"]), await record_of(shared, shared.people["core"])
        viewer = await shared.viewer("outsider")
        caught: list[Permit] = []
        true_permit = application.log.permit

        async def keep(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
            caught.append(await true_permit(draft, **given))
            return caught[-1]

        monkeypatch.setattr(application.log, "permit", keep)
        await application.gate.disclose_one(viewer, record, LOOK)
        (permit,) = caught
        boxes = {box.name: box.envelope for box in record.boxes if box is not None}
        for subject, key, field in (
            (record.subject, record.key, "personal_mobile"),
            (record.subject, record.key, "id_number"),
            (other.subject, other.key, "mobile"),
        ):
            with pytest.raises(PermitRefused):
                application.opener.open_fields(permit, subject, key, [(field, boxes[field])])
        assert application.opener.open_fields(permit, record.subject, record.key, [("mobile", boxes["mobile"])])

    async def test_the_witness_notices_what_no_event_covers(self, shared: World) -> None:
        record = await record_of(shared, shared.people["staff"])
        event, boxes = new_id(), {box.name: box for box in record.boxes if box is not None}
        permit = mint(event_id=event, index=1, expires=1e12, scope={record.subject: frozenset({"mobile"})})
        shared.application.opener.open_boxes(permit, record.subject, record.key, [boxes["mobile"]])
        assert [str(event) in fault for fault in WITNESS.unrecorded()] == [True]
        card = await shared.card("outsider", "staff")
        told = UUID(card["disclosure"]["event_id"])
        wider = mint(event_id=told, index=1, expires=1e12, scope={record.subject: frozenset({"wechat"})})
        shared.application.opener.open_boxes(wider, record.subject, record.key, [boxes["wechat"]])
        assert ["wechat" in fault and "mobile" not in fault for fault in WITNESS.unrecorded()] == [True]

    async def test_boxes_of_fields_that_are_withheld_are_never_opened(self, shared: World) -> None:
        for who, fields in (("outsider", 3), ("directory-sync", 2), ("staff", 5)):
            before = shared.application.opener.opened
            await shared.card(who, "staff")
            assert shared.application.opener.opened - before == fields


class TestRows:
    async def test_a_row_that_the_query_should_not_have_found_is_dropped_and_reported(self, shared: World) -> None:
        seen, hidden = await add_person(shared), await add_person(shared, status="prehire")
        viewer = await shared.viewer("outsider")
        records = [await record_of(shared, each.id) for each in (hidden, seen)]
        with capture_logs() as logged:
            opened = await shared.application.gate.disclose(viewer, records, LOOK)
        assert [identity for identity, _, _ in opened.cards] == [seen.id]
        assert [line["subject"] for line in logged if line["event"] == "row_not_disclosed"] == [str(hidden.id)]
        assert opened.event_id is not None
        event = await shared.application.events.one(opened.event_id)
        assert event is not None
        assert {each for cohort in event.event.cohorts for each in cohort.contacts} == {seen.id}

    async def test_absent_invisible_and_edited_rows_are_not_found_alike(self, shared: World) -> None:
        hidden, seen = await add_person(shared, status="prehire"), await add_person(shared)
        viewer = await shared.viewer("outsider")
        edited = await record_of(shared, seen.id)
        edited.mac = bytes(32)
        for record in (None, await record_of(shared, hidden.id), edited):
            with pytest.raises(NotFound) as refusal:
                await shared.application.gate.disclose_one(viewer, record, LOOK)
            assert str(refusal.value) == NotFound.title


class Open(Guard):
    """A guard that lets everybody in and believes that its route discloses."""

    async def __call__(self, request: Request) -> None:
        del request
        context = current_request()
        assert context is not None
        context.disclosing = self.discloses


class Silent(Open):
    """A guard of a route that discloses nothing."""

    discloses = False


@pytest.fixture
async def forgetful() -> AsyncIterator[httpx.AsyncClient]:
    """Give an application whose routes forget the log in every way."""
    router = GuardedRouter()

    @router.get("/forgotten", dependencies=[Depends(Open())])
    async def forgotten() -> dict[str, str]:
        return {"mobile": "13800002101"}

    @router.get("/unchanged", dependencies=[Depends(Open())])
    async def unchanged() -> Response:
        return Response(status_code=304, headers={"ETag": '"13800002101"'})

    @router.get("/refused", dependencies=[Depends(Open())])
    async def refused() -> None:
        raise NotFound

    @router.get("/harmless", dependencies=[Depends(Silent())])
    async def harmless() -> dict[str, str]:
        return {}

    @router.get("/recorded")
    async def recorded(viewer: Annotated[None, Depends(Open())]) -> dict[str, str]:
        del viewer
        context = current_request()
        assert context is not None
        context.permit = object()
        return {"fine": "yes"}

    async def nowhere(context: RequestContext, refusal: Problem) -> None:
        del context, refusal

    app = FastAPI()
    problems.install(app, nowhere)
    app.add_middleware(DisclosureGuard)
    app.add_middleware(RequestEdge, max_body_bytes=1024)
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


class TestGuard:
    @pytest.mark.asyncio(loop_scope="function")
    @pytest.mark.parametrize("path", ["/forgotten", "/unchanged"])
    async def test_a_route_that_forgets_the_log_is_a_500(self, forgetful: httpx.AsyncClient, path: str) -> None:
        with capture_logs() as logged:
            answer = await forgetful.get(path)
        problem(answer, 500, "internal_error")
        assert "13800002101" not in answer.text + str(answer.headers)
        assert "answer_without_permit" in {line["event"] for line in logged}

    @pytest.mark.asyncio(loop_scope="function")
    async def test_what_discloses_nothing_and_what_is_recorded_pass(self, forgetful: httpx.AsyncClient) -> None:
        assert (await forgetful.get("/harmless")).status_code == 200
        assert (await forgetful.get("/recorded")).json() == {"fine": "yes"}
        problem(await forgetful.get("/refused"), 404, "not_found")

    @pytest.mark.asyncio(loop_scope="function")
    async def test_one_requests_permit_serves_no_other(self, forgetful: httpx.AsyncClient) -> None:
        answers = await asyncio.gather(*(forgetful.get(path) for path in ("/recorded", "/forgotten") * 10))
        assert [answer.status_code for answer in answers] == [200, 500] * 10


def cohort(**members: Any) -> Cohort:  # noqa: ANN401 — members of a cohort
    hidden = dict.fromkeys(FieldClass, Outcome.HIDDEN)
    given: dict[str, Any] = {
        "visible": True,
        "shows": {
            **hidden,
            FieldClass.C1: Outcome.CLEAR,
            FieldClass.C2: Outcome.CLEAR,
            FieldClass.C3: Outcome.MASK_FINE,
        },
        "reveals": {**hidden, FieldClass.C3: Outcome.CLEAR},
        "requests": {FieldClass.C4: "field.reveal"},
        "granted": {},
        "granted_by": (),
        "reasons": {FieldClass.C3: Reason.TEXT},
        "powers": dict.fromkeys(Power, frozenset[FieldClass]()),
        "lookups": frozenset(),
        "edit_requests": {},
        "obligations": (),
        "rules": (),
        **members,
    }
    return Cohort(**given)


class TestPrograms:
    def programs(self, world: World) -> Programs:
        found: Programs = world.application.gate._programs
        return found

    async def test_a_program_is_worked_out_once_per_cohort(self, shared: World) -> None:
        programs, one = self.programs(shared), cohort()
        assert programs.card(one, "employee") is programs.card(one, "employee")

    async def test_a_card_has_every_field_of_its_kind_by_class_in_the_catalogues_order(self, shared: World) -> None:
        for kind in ("employee", "temporary", "hotline", "external"):
            program = self.programs(shared).card(cohort(), kind)
            assert [step.name for step in program.steps] == [
                field.name
                for each in FieldClass
                for field in CATALOGUE.protected
                if kind in field.kinds and field.field_class is each
            ]
            assert program.scope == {step.name for step in program.steps if step.opens}

    async def test_withheld_tells_nothing_of_whether_there_is_a_value(self, shared: World) -> None:
        program = self.programs(shared).card(cohort(), "employee")
        full = [cut(field.name, b"x") for field in CATALOGUE.protected]
        empty = orjson.loads(program.pattern(0).written(b'{"id":0', []) + b"}")
        pattern = program.pattern((1 << len(full)) - 1)
        opening = pattern.opening(full)
        filled = orjson.loads(pattern.written(b'{"id":0', ["+8613800002101"] * len(opening)) + b"}")
        for step in program.steps:
            if not step.opens:
                assert empty[step.name] == filled[step.name]
        assert {box.name for box in opening} == program.scope

    @pytest.mark.parametrize("present", [(), ("mobile",), ("mobile", "email"), ("email", "wechat", "mobile")])
    async def test_a_card_says_of_each_field_what_its_step_says_of_it_alone(
        self, shared: World, present: tuple[str, ...]
    ) -> None:
        program = self.programs(shared).card(cohort(requests={FieldClass.C4: "odd %b kind"}), "employee")
        boxes = [cut(each.name, b"x") if each.name in present else None for each in CATALOGUE.protected]
        pattern = program.pattern(sum(1 << place for place, box in enumerate(boxes) if box))
        opening = pattern.opening(boxes)
        shown = {step.name for step in program.steps if step.opens and step.name in present}
        assert {box.name for box in opening} == shown
        value = "+8613800002101"
        expected = [step.present(value) if step.name in shown else step.absent for step in program.steps]
        assert pattern.written(b'{"id":"50%b"', [value] * len(opening)) == b'{"id":"50%b"' + b"".join(expected)
        with pytest.raises(ValueError, match="argument"):
            pattern.written(b"{", [value] * (len(opening) + 1))

    async def test_a_grant_on_one_field_opens_that_field_alone(self, shared: World) -> None:
        program = self.programs(shared).card(cohort(granted={"wechat": Outcome.CLEAR}), "employee")
        states = program.states
        assert (states["wechat"], states["personal_mobile"], states["qq"]) == ("shown", "withheld", "withheld")

    async def test_a_reveal_names_each_field_once_and_refuses_whole(self, shared: World) -> None:
        programs = self.programs(shared)
        assert [step.name for step in programs.reveal(cohort(), "employee", ["mobile", "email", "mobile"]).steps] == [
            "mobile",
            "email",
        ]
        with pytest.raises(ApprovalRequired) as refusal:
            programs.reveal(cohort(), "employee", ["mobile", "wechat"])
        assert refusal.value.extensions == {"request_kind": "field.reveal", "fields": ["wechat"]}
        for name in ("business_phone", "name", "nonsense", "archive"):
            with pytest.raises(UnknownField):
                programs.reveal(cohort(), "employee", ["mobile", name])

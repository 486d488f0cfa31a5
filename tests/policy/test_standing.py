"""Standing under attack: nobody raises their own, nobody keeps what has ended. Hard tests 1 to 3, 10, 12, 50 to 52.

Where time matters the clock stands still and is moved; where two nodes matter there are two open applications on one store, each with a
clock of its own.
"""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest
import pytest_asyncio
from jose import jws
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from app.audit.events import EventDraft
from app.composition import open_application
from app.crypto.permit import Permit
from app.departments.schemas import DepartmentAmend
from app.kit.models import new_id
from app.main import create_app
from app.permissions.marks import MarkKind, MarkReason
from app.permissions.plan import GrantScope
from tests.policy.tampering import Intruder
from tests.support.application import OPERATOR, World, found_company, with_sensitive
from tests.support.clock import FrozenClock
from tests.support.grants import account_of, end_mark, give, set_mark
from tests.support.problems import faults, problem
from tests.support.shared import Added, Company, add_department, add_person
from tests.support.stores import TestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

MASKED: Final = "137********"
REVEAL: Final = {"fields": ["mobile"], "purpose": "work_contact", "reason": "a reason that is long enough"}
RAISES: Final[tuple[dict[str, Any], ...]] = (
    {"tier": "T5"},
    {"roles": ["infosec"]},
    {"dept_id": "EXEC"},
    {"department_id": "EXEC"},
    {"flags": ["executive"]},
    {"grants": [{"fields": ["mobile"]}]},
    {"marks": []},
    {"scopes": ["access-log:read"]},
    {"account": {"tier": "T5"}},
    {"standing": {"tier": "T5"}},
    {"epoch": 0},
)


async def mobile(world: World, who: str, whom: Added) -> dict[str, Any]:
    """Give what a card says of the mobile."""
    found: dict[str, Any] = (await (await world.as_(who)).get(whom.path)).json()["mobile"]
    return found


async def standing(world: World, who: str) -> dict[str, Any]:
    found: dict[str, Any] = (await (await world.as_(who)).get("/v1/me")).json()["standing"]
    return found


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Coroutine[Any, Any, object]]
) -> list[EventDraft]:
    """Let something happen once, after a look was decided and before it is on record."""
    true_permit, drafts = world.application.log.permit, list[EventDraft]()

    async def late(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
        drafts.append(draft)
        if len(drafts) == 1:
            await asyncio.create_task(happens())
        return await true_permit(draft, **given)

    monkeypatch.setattr(world.application.log, "permit", late)
    return drafts


@pytest_asyncio.fixture(loop_scope="session")
async def clocked(store: TestStore) -> AsyncIterator[tuple[World, FrozenClock]]:
    """Give the company on either engine under a clock that stands still."""
    clock = FrozenClock()
    async with open_application(with_sensitive(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        yield world, clock
        await world.close()


class TestNobodyRaisesTheirOwn:
    @pytest.mark.parametrize(
        "claims",
        [
            {"tier": "T5", "roles": ["infosec", "hr"], "dept": "EXEC", "department": "EXEC"},
            {"contact_id": "00000000-0000-0000-0000-000000000001", "grants": ["*"], "marks": [], "acr": "none"},
        ],
    )
    async def test_01_claims_of_tier_role_and_department_in_a_token_are_ignored(
        self, shared: World, claims: dict[str, Any]
    ) -> None:
        """Signed with the issuer's own key, as a careless or captured issuer would."""
        whom, issuer = await add_person(shared, department="SALES"), shared.application.tokens.issuer
        honest = await shared.token("staff")
        header, body = (orjson.loads(part) for part in _parts(honest))
        forged = jws.sign(
            orjson.dumps({**body, **claims}),
            issuer._signer,
            headers={"typ": header["typ"], "kid": header["kid"]},
            algorithm="ES256",
        )
        client = await shared.as_(None)
        bearer = {"Authorization": f"Bearer {forged}"}
        answer = await client.get("/v1/me", headers=bearer)
        assert answer.status_code == 200, answer.text
        told, true = answer.json()["standing"], await standing(shared, "staff")
        for name in ("tier", "roles", "departments", "headed", "grants", "marks", "scopes", "step_up"):
            assert told[name] == true[name], name
        card = (await client.get(whom.path, headers=bearer)).json()
        assert (card["mobile"]["value"], card["personal_mobile"]["state"]) == (MASKED, "withheld")
        problem(await client.get("/v1/access-events", headers=bearer), 403, "insufficient_scope")

    @pytest.mark.parametrize("given", RAISES, ids=lambda given: next(iter(given)))
    async def test_02_no_member_of_a_card_raises_its_writer(self, shared: World, given: dict[str, Any]) -> None:
        someone = await add_person(shared, department="HR", tier="T4", roles=("hr",))
        before = await standing(shared, someone.name)
        client = await shared.as_(someone.name)
        answer = await client.patch(someone.path, json={"title": "x", **given}, headers={"If-Match": "*"})
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [(f"/{next(iter(given))}", "unknown_member")]
        created = await client.post("/v1/contacts", json={"name": "x", "department": "HR", **given})
        problem(created, 422, "invalid_request")
        assert (await standing(shared, someone.name))["tier"] == before["tier"]
        assert (await client.get(someone.path)).json()["title"] is None
        staff = await shared.as_("staff")
        problem(
            await staff.patch(f"/v1/contacts/{shared.people['staff']}", json=given, headers={"If-Match": "*"}),
            403,
            "insufficient_scope",
        )


class TestWhatHasEndedIsGone:
    async def test_03_who_no_longer_heads_a_department_sees_it_as_staff_do_at_once(self, shared: World) -> None:
        old, new = await add_person(shared, department="SALES"), await add_person(shared, department="SALES")
        code = await add_department(shared, head=old.id)
        whom = await add_person(shared, department=code)
        card = (await (await shared.as_(old.name)).get(whom.path)).json()
        assert (card["mobile"]["next"], card["personal_mobile"]["state"]) == ("reveal", "masked")
        application = shared.application
        async with application.database.unit_of_work() as unit:
            tree = await application.standings.tree()
            await application.departments.amend(unit, OPERATOR, tree.by_code[code], DepartmentAmend(head=new.id))
        client = await shared.as_(old.name)
        card = (await client.get(whom.path)).json()
        assert (card["mobile"]["value"], card["personal_mobile"]["state"]) == (MASKED, "withheld")
        problem(await client.post(f"{whom.path}/reveals", json=REVEAL), 403, "approval_required")
        assert (await standing(shared, old.name))["tier"] == "T1"

    async def test_03_a_movers_tier_and_roles_end_with_their_tokens_at_once(self, shared: World) -> None:
        who, whom = await add_person(shared, tier="T4", roles=("hr",)), await add_person(shared, department="SALES")
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).json()["mobile"]["next"] == "reveal"
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.set_standing(unit.session, who.name, tier="T1", roles=())
        problem(await client.get(whom.path), 401, "invalid_token")
        shared._made.pop(who.name)
        assert (await mobile(shared, who.name, whom))["value"] == MASKED

    async def test_10_an_intern_who_stands_in_for_a_head_sees_nothing_more(self, shared: World) -> None:
        intern = await add_person(shared, worker_kind="intern", roles=("deputy", "dept_head"), tier="T2")
        code = await add_department(shared, head=intern.id)
        whom = await add_person(shared, department=code)
        for scope in (GrantScope("contact", str(whom.id)), GrantScope("company", "")):
            await give(shared, intern.name, scope, fields=("mobile", "personal_mobile", "email"))
        client = await shared.as_(intern.name)
        card = (await client.get(whom.path)).json()
        assert {card[name]["state"] for name in ("mobile", "personal_mobile", "wechat")} == {"withheld"}
        assert {card[name].get("next") for name in ("mobile", "personal_mobile", "wechat")} == {None}
        assert (await client.post(f"{whom.path}/reveals", json=REVEAL)).status_code == 403
        listed = (await client.get("/v1/contacts", params={"ids": str(whom.id)})).json()["items"]
        assert listed[0]["mobile"] == card["mobile"]

    async def test_12_a_protected_department_answers_to_its_own_head_alone(self, shared: World) -> None:
        above, own = await add_person(shared, department="SALES"), await add_person(shared, department="SALES")
        parent = await add_department(shared, head=above.id)
        child = await add_department(shared, parent=parent, head=own.id)
        below = await add_department(shared, parent=child)
        people = [await add_person(shared, department=code) for code in (child, below)]
        for whom in people:
            assert (await mobile(shared, above.name, whom))["next"] == "reveal"
        application = shared.application
        async with application.database.unit_of_work() as unit:
            tree = await application.standings.tree()
            await application.departments.amend(unit, OPERATOR, tree.by_code[child], DepartmentAmend(protected=True))
        for whom in people:
            assert (await mobile(shared, above.name, whom))["next"] == "request:field.reveal", "as any head sees others"
            assert (await mobile(shared, own.name, whom))["next"] == "reveal"
            problem(
                await (await shared.as_(above.name)).post(f"{whom.path}/reveals", json=REVEAL), 403, "approval_required"
            )
        outer = await add_person(shared, department="SALES")
        await give(shared, outer.name, GrantScope("subtree", str(shared.departments[parent])))
        assert [(await mobile(shared, outer.name, whom))["state"] for whom in people] == ["masked", "masked"]


class TestTimeAndRaces:
    @pytest.mark.parametrize("ender", ["holder", "infosec"])
    @pytest.mark.parametrize("operation", ["card", "list"])
    async def test_50_a_read_that_began_before_a_revoke_shows_nothing_clear_after_it(
        self, shared: World, monkeypatch: pytest.MonkeyPatch, ender: str, operation: str
    ) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        identity = await give(shared, who.name, GrantScope("contact", str(whom.id)))
        assert (await mobile(shared, who.name, whom))["value"] == whom.mobile
        reader, revoker = await shared.as_(who.name), await shared.as_(who.name if ender == "holder" else ender)

        async def revoke() -> None:
            assert (await revoker.delete(f"/v1/grants/{identity}")).status_code == 204

        drafts = meanwhile(shared, monkeypatch, revoke)
        answer = await (
            reader.get(whom.path) if operation == "card" else reader.get("/v1/contacts", params={"ids": str(whom.id)})
        )
        assert answer.status_code == 200
        assert whom.mobile not in answer.text
        assert MASKED in answer.text
        assert await shared.application.events.one(drafts[0].id) is None, "nothing was shown under the old rights"

    async def test_50_readers_and_a_revoke_in_any_order(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        identity = await give(shared, who.name, GrantScope("contact", str(whom.id)))
        reader, over = await shared.as_(who.name), asyncio.Event()
        shown_after: list[str] = []

        async def read() -> None:
            for _ in range(12):
                began_after = over.is_set()
                text = (await reader.get(whom.path)).text
                if began_after and whom.mobile in text:
                    shown_after.append(text)

        async def revoke() -> None:
            await asyncio.sleep(0.01)
            assert (await reader.delete(f"/v1/grants/{identity}")).status_code == 204
            over.set()

        await asyncio.gather(*(read() for _ in range(6)), revoke())
        assert shown_after == []
        assert (await mobile(shared, who.name, whom))["value"] == MASKED

    async def test_51_a_cached_plan_ends_with_the_grant_that_it_was_made_with(
        self, clocked: tuple[World, FrozenClock]
    ) -> None:
        world, clock = clocked
        who, whom = await add_person(world, department="SALES"), await add_person(world)
        await give(world, who.name, GrantScope("contact", str(whom.id)), starts_at=clock.now() + timedelta(minutes=5))
        for minutes, state in ((4.99, "masked"), (0.01, "shown"), (9.99, "shown"), (0.01, "masked"), (1, "masked")):
            clock.advance(minutes=minutes)
            assert (await mobile(world, who.name, whom))["state"] == state

    async def test_51_nodes_whose_clocks_differ_by_ten_minutes(self, store: TestStore) -> None:
        """Each node goes by its own clock, so a grant outlives its end by no more than the skew; a revoke is in force on all at once."""
        slow, fast = FrozenClock(), FrozenClock()
        slow.advance(minutes=-5)
        fast.advance(minutes=5)
        settings = with_sensitive(store.settings)
        async with (
            open_application(settings, clock=slow) as one,
            open_application(settings, clock=fast) as two,
        ):
            here, there = World(one, create_app(settings, one)), World(two, create_app(settings, two))
            await found_company(here)
            there.people, there.departments = here.people, here.departments
            who, whom = await add_person(here, department="SALES"), await add_person(here)
            scope = GrantScope("contact", str(whom.id))
            await give(here, who.name, scope, ends_at=slow.now() + timedelta(minutes=12))
            assert [(await mobile(world, who.name, whom))["state"] for world in (here, there)] == ["shown", "shown"]
            slow.advance(minutes=2)
            fast.advance(minutes=2)
            assert [(await mobile(world, who.name, whom))["state"] for world in (here, there)] == ["shown", "masked"]
            slow.advance(minutes=10)
            assert (await mobile(here, who.name, whom))["state"] == "masked"
            identity = await give(here, who.name, scope, ends_at=slow.now() + timedelta(hours=1))
            assert [(await mobile(world, who.name, whom))["state"] for world in (here, there)] == ["shown", "shown"]
            assert (await (await here.as_(who.name)).delete(f"/v1/grants/{identity}")).status_code == 204
            assert [(await mobile(world, who.name, whom))["state"] for world in (here, there)] == ["masked", "masked"]
            for world in (here, there):
                await world.close()

    async def test_52_a_grant_has_an_end_after_its_start_and_is_over_exactly_then(
        self, clocked: tuple[World, FrozenClock]
    ) -> None:
        world, clock = clocked
        who, whom = await add_person(world, department="SALES"), await add_person(world)
        scope, now = GrantScope("contact", str(whom.id)), clock.now()
        for members in (
            {"ends_at": None},
            {"starts_at": None},
            {"starts_at": now, "ends_at": now},
            {"starts_at": now, "ends_at": now - timedelta(microseconds=1)},
        ):
            with pytest.raises(IntegrityError):
                await give(world, who.name, scope, **members)
        assert (await mobile(world, who.name, whom))["state"] == "masked"
        await give(world, who.name, scope, starts_at=now, ends_at=now + timedelta(microseconds=1))
        assert (await mobile(world, who.name, whom))["state"] == "shown"
        clock.advance(seconds=1e-6)
        assert (await mobile(world, who.name, whom))["state"] == "masked"
        (listed,) = (await (await world.as_(who.name)).get("/v1/grants")).json()["items"]
        assert listed["live"] is False


class TestMarks:
    @pytest.mark.parametrize(
        ("kind", "reason", "told"),
        [
            (MarkKind.SUSPENDED, MarkReason.INVESTIGATION, ("withheld", "withheld", "withheld")),
            (MarkKind.UNTRAINED, MarkReason.NOT_TRAINED, ("shown", "masked", "withheld")),
            (MarkKind.OVERDUE_RETURN, MarkReason.NOT_RETURNED, ("shown", "masked", "masked")),
        ],
    )
    async def test_a_mark_caps_what_is_seen_at_once_until_it_is_taken_off(
        self, shared: World, kind: MarkKind, reason: MarkReason, told: tuple[str, ...]
    ) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        await give(shared, who.name, GrantScope("contact", str(whom.id)))
        client = await shared.as_(who.name)

        async def seen() -> tuple[str, ...]:
            card = (await client.get(whom.path)).json()
            return tuple(card[name]["state"] for name in ("email", "mobile", "wechat"))

        assert await seen() == ("shown", "shown", "masked")
        await set_mark(shared, who.name, kind, reason)
        assert await seen() == told, "with the token of before, and whatever was granted"
        assert (await standing(shared, who.name))["marks"][0]["reason"] == reason.value
        own = (await client.get(who.path)).json()
        assert own["mobile"] == {"state": "shown", "value": who.mobile}, "oneself is never hidden from oneself"
        await end_mark(shared, who.name, kind)
        assert await seen() == ("shown", "shown", "masked")
        assert (await standing(shared, who.name))["marks"] == []

    async def test_a_mark_set_while_a_look_is_recorded_caps_that_look(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        assert (await mobile(shared, who.name, whom))["state"] == "masked"
        drafts = meanwhile(shared, monkeypatch, lambda: set_mark(shared, who.name))
        assert (await mobile(shared, who.name, whom))["state"] == "withheld"
        assert len(drafts) == 2

    async def test_a_mark_ends_by_itself(self, clocked: tuple[World, FrozenClock]) -> None:
        world, clock = clocked
        who, whom = await add_person(world), await add_person(world)
        await set_mark(world, who.name, until=clock.now() + timedelta(minutes=10))
        await set_mark(
            world, who.name, MarkKind.UNTRAINED, MarkReason.NOT_TRAINED, until=clock.now() + timedelta(minutes=20)
        )
        for minutes, value in ((9.99, None), (0.01, MASKED), (9.99, MASKED), (0.01, f"137****{whom.mobile[-4:]}")):
            clock.advance(minutes=minutes)
            assert (await mobile(world, who.name, whom)).get("value") == value
        assert (await standing(world, who.name))["marks"] == []

    @pytest.mark.parametrize(
        "columns",
        [{"ended_at": "now"}, {"ends_at": "now"}, {"kind": "untrained"}, {"starts_at": "later"}, {"reason": "leave"}],
        ids=lambda columns: next(iter(columns)),
    )
    async def test_a_mark_edited_by_hand_suspends(
        self, shared: World, company: Company, columns: dict[str, str]
    ) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        identity = await set_mark(shared, who.name)
        now = shared.application.clock.now()
        at: dict[str, Any] = {"now": now + timedelta(milliseconds=1), "later": now + timedelta(days=9)}
        if company.store.dialect == "sqlite":
            at = {name: int(moment.timestamp() * 1e6) for name, moment in at.items()}
        edit = {name: at.get(value, value) for name, value in columns.items()}
        if "starts_at" in columns:
            edit = {**edit, "ends_at": None}
        async with Intruder(company.store).edited("standing_mark", "id", identity, **edit):
            shared.application.standings.forget()
            with capture_logs() as logged:
                assert (await mobile(shared, who.name, whom))["state"] == "withheld"
            assert "row_mac_mismatch" in {line["event"] for line in logged}
            (told,) = (await standing(shared, who.name))["marks"]
            assert (told["kind"], told["reason"]) == ("suspended", "unverified")
        shared.application.standings.forget()
        await end_mark(shared, who.name)
        assert (await mobile(shared, who.name, whom))["state"] == "masked"

    async def test_a_mark_has_one_origin_and_ends_after_its_start(self, shared: World) -> None:
        application, now = shared.application, shared.application.clock.now()
        account = await account_of(shared, (await add_person(shared)).name)
        origins: tuple[dict[str, Any], ...] = ({}, {"operator": "os:x", "request_id": new_id()})
        for origin in origins:
            with pytest.raises(IntegrityError):
                async with application.database.unit_of_work() as unit:
                    await application.marks.add(
                        unit.session, account, MarkKind.SUSPENDED, MarkReason.LEAVE, at=now, **origin
                    )


def _parts(token: str) -> tuple[bytes, bytes]:
    header, body, _ = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    return header, body

"""What was given away ends with whoever gave or took it, and nobody makes himself a stand-in by SQL."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.kit.models import new_id, to_microseconds
from tests.approvals.delegating import KIND, add_people, deputies, end, gave, give, listed, principals
from tests.hr.calls import applied
from tests.hr.events import joined, left, moved, rehired
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, Company, add_person

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("filable")]


@pytest.fixture
def intruder(company: Company) -> Intruder:
    """Give somebody with the database in hand."""
    return Intruder(company.store)


async def newcomer(world: World) -> tuple[str, Added]:
    """Let somebody join through the HR system; give the employee number and who it is."""
    number = f"H{new_id().int % 10**8:08d}"
    name = f"hired.{number.lower()}"
    told = await applied(world, joined(number, user_name=name, department="IT", email=None, mobile=None))
    world.people[name] = UUID(told["contact_id"])
    return number, Added(name, UUID(told["contact_id"]), 0)


class TestLeaving:
    """Hard test 54: dead the same day, in the transaction of the event."""

    @pytest.mark.parametrize("side", ["principal", "delegate"])
    async def test_54_it_ends_with_either_side(self, shared: World, side: str) -> None:
        (number, leaver), colleague = await newcomer(shared), await add_person(shared)
        head, deputy = (leaver, colleague) if side == "principal" else (colleague, leaver)
        live = await gave(shared, head, deputy)
        tomorrow = (shared.application.clock.now() + timedelta(days=1)).isoformat()
        planned = await gave(shared, head, deputy, **{"from": tomorrow})
        await applied(shared, left(number))
        assert (await principals(shared, deputy), await deputies(shared, head)) == ([], [])
        told = {each["id"]: each["cause"] for each in await listed(shared, colleague)}
        assert told == {str(live): "left", str(planned): "left"}
        await applied(shared, rehired(number, department="IT"))
        assert await principals(shared, deputy) == [], "it does not come back"

    async def test_54_archived_by_hand(self, shared: World) -> None:
        head, deputy = await add_people(shared, 2)
        await gave(shared, head, deputy)
        gone = await (await shared.as_("hr")).delete(deputy.path, headers={"If-Match": "*"})
        assert gone.status_code == 204
        assert [each["cause"] for each in await listed(shared, head)] == ["left"]
        assert await deputies(shared, head) == []

    async def test_a_mover_keeps_what_was_given(self, shared: World) -> None:
        """Who is asked goes by position, and is worked out anew; who stands in for whom goes by person."""
        (number, mover), colleague = await newcomer(shared), await add_person(shared)
        await gave(shared, colleague, mover)
        await applied(shared, moved(number, department="HR"))
        assert await principals(shared, mover) == [colleague.id]

    async def test_a_departure_and_a_gift_at_once_leave_nobody_who_decides(self, shared: World) -> None:
        for _ in range(3):
            (number, leaver), colleague = await newcomer(shared), await add_person(shared)
            await asyncio.gather(give(shared, colleague, leaver), applied(shared, left(number)))
            assert (await principals(shared, leaver), await deputies(shared, colleague)) == ([], [])
            await shared.application.delegations.sweep()
            assert {each["state"] for each in await listed(shared, colleague)} <= {"ended"}


class TestTampering:
    async def edited(
        self,
        world: World,
        intruder: Intruder,
        identity: UUID,
        who: Added,
        **columns: Any,  # noqa: ANN401 — driver values
    ) -> None:
        """Fail unless a row that was edited lets nobody decide, is told nobody, and is reported."""
        async with intruder.edited("delegation", "id", identity, **columns):
            with capture_logs() as logged:
                assert await principals(world, who) == []
            assert {(each["table"], each["row"]) for each in logged if each["event"] == "row_mac_mismatch"} == {
                ("delegation", str(identity))
            }
            assert str(identity) not in [each["id"] for each in await listed(world, "infosec")]
            problem(await end(world, "infosec", identity), 404, "not_found")

    @pytest.mark.parametrize("edit", ["kinds", "kinds_of_another_form", "ends_at", "delegate_id", "reason", "mac"])
    async def test_an_edited_row_lets_nobody_decide(self, shared: World, intruder: Intruder, edit: str) -> None:
        head, deputy, thief = await add_people(shared, 3)
        identity = await gave(shared, head, deputy, kinds=[KIND])
        later = shared.application.clock.now() + timedelta(days=900)
        stored = to_microseconds(later) if shared.application.database.dialect == "sqlite" else later
        edits: dict[str, dict[str, Any]] = {
            "kinds": {"kinds": None},
            "kinds_of_another_form": {"kinds": '{"a": 1}'},
            "ends_at": {"ends_at": stored},
            "delegate_id": {
                "delegate_id": thief.id.bytes if shared.application.database.dialect == "sqlite" else thief.id
            },
            "reason": {"reason": "SELF_REVIEW"},
            "mac": {"mac": b"\x00" * 32},
        }
        who = thief if edit == "delegate_id" else deputy
        await self.edited(shared, intruder, identity, who, **edits[edit])
        assert await principals(shared, deputy) == [head.id]

    async def test_an_end_that_is_taken_back_by_hand_stays_an_end(self, shared: World, intruder: Intruder) -> None:
        head, deputy = await add_people(shared, 2)
        identity = await gave(shared, head, deputy)
        await end(shared, head, identity)
        await self.edited(shared, intruder, identity, deputy, ended_at=None, cause=None)

    async def test_a_row_copied_by_hand_is_none(self, shared: World, intruder: Intruder) -> None:
        head, deputy = await add_people(shared, 2)
        identity, copy = await gave(shared, head, deputy), new_id()
        await end(shared, head, identity)
        kind = "blob" if shared.application.database.dialect == "sqlite" else "uuid"
        names = "principal_id, delegate_id, kinds, starts_at, ends_at, reason, filed_by, created_at"
        await intruder.run(
            f"INSERT INTO delegation (id, {names}, row_version, mac)"
            f" SELECT CAST(? AS {kind}), {names}, row_version, mac FROM delegation WHERE id = ?",
            copy,
            identity,
        )
        with capture_logs() as logged:
            assert await principals(shared, deputy) == []
        assert str(copy) in {each.get("row") for each in logged}
        await intruder.run("DELETE FROM delegation WHERE id = ?", copy)

"""Changes and corrections of cards by request: what is refused when they are filed, what they write, and what they tell nobody."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.approvals.effects import Asked, Examined
from app.contacts.errors import ConsentRequired, DuplicateEmployeeNumber, ProposalUnreadable, UnknownDepartment
from app.contacts.forms import Forms, load
from app.contacts.members import MemberReader
from app.contacts.proposals import boxed
from app.disclosure.errors import ApprovalRequired
from app.effects.cards import CardChange, CardCorrection
from app.effects.errors import CardMoved, ChangeFailed
from app.effects.forms import WITHHELD
from app.kit.errors import Invalid, NotFound, Problem
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.worker import Worker
from tests.effects.acting import acted, asking, cards_of, examined
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW: str = "13700001234"
STORED: str = "+8613700001234"


def change(world: World, who: str, of: UUID, **changes: Any) -> Asked:  # noqa: ANN401 — JSON
    return asking(world, "contact.change", who, ("contact", of), changes=changes, reason="the card is out of date")


def correction(world: World, who: str, of: UUID, **form: Any) -> Asked:  # noqa: ANN401 — JSON
    return asking(world, "contact.correction", who, ("contact", of), reason="somebody else answers", **form)


async def revealed(world: World, reader: str, someone: Added, field: str) -> str | None:
    answer = await (await world.as_(reader)).post(
        f"{someone.path}/reveals", json={"fields": [field], "purpose": "work_contact", "reason": "to call them back"}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["fields"][field]
    return told.get("value")


async def history(world: World, someone: Added, field: str) -> dict[str, Any]:
    answer = await (await world.as_(someone.name)).get(f"{someone.path}/history")
    found: dict[str, Any] = next(each for each in answer.json()["items"] if each["field"] == field)
    return found


async def refused(world: World, who: str, asked: Asked, effect: Any = None) -> Problem:  # noqa: ANN401 — an effect
    with pytest.raises(Problem) as refusal:
        await examined(world, effect or CardChange(cards_of(world)), who, asked)
    return refusal.value


def at(problem: Problem) -> list[tuple[str, str]]:
    return [(each.pointer, each.code) for each in problem.errors]


class TestChange:
    async def test_what_was_asked_is_on_the_card_and_history_names_the_request(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        asked = change(shared, someone.name, someone.id, mobile=NEW, title="高级工程师", wechat=None)
        found = await examined(shared, effect, someone.name, asked)
        assert found.form["changes"] == {"mobile": WITHHELD, "title": "高级工程师", "wechat": None}
        assert found.values == {"mobile": STORED}
        assert (found.facts["relation"], found.about) == ("self", (someone.id,))
        approved, applied = await acted(shared, effect, asked, found, by="hr")
        assert applied.result == {"contact": str(someone.id), "fields": ["mobile", "title", "wechat"]}
        assert not applied.lasting
        card = await shared.card(someone.name, someone.name)
        assert (card["title"], card["mobile"]["value"], card["wechat"]["state"]) == ("高级工程师", NEW, "empty")
        assert await revealed(shared, "hr", someone, "mobile") == NEW
        told = await history(shared, someone, "mobile")
        assert (told["value"], told["request_id"]) == (NEW, str(approved.id))
        assert told["actor"]["id"] == str(shared.people["hr"])

    async def test_the_new_value_is_found_and_the_old_one_is_not(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        asked = change(shared, someone.name, someone.id, mobile="13700004321")
        found = await examined(shared, effect, someone.name, asked)
        await acted(shared, effect, asked, found, by="hr")
        worker, client = Worker(shared.application), await shared.as_("hr")
        while await worker.round():
            pass
        for number, names in (("13700004321", [str(someone.id)]), (someone.mobile, [])):
            body = {"numbers": [number], "purpose": "work_contact", "reason": "whose call is it"}
            answer = await client.post("/v1/lookups", json=body)
            assert answer.status_code == 200, answer.text
            assert [each["match"]["id"] for each in answer.json()["results"] if each["match"]] == names

    async def test_equal_values_write_nothing(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        before = await shared.application.contact_rows.by_id(someone.id, await shared.application.standings.tree())
        asked = change(shared, someone.name, someone.id, mobile=someone.mobile)
        await acted(shared, effect, asked, await examined(shared, effect, someone.name, asked), by="hr")
        after = await shared.application.contact_rows.by_id(someone.id, await shared.application.standings.tree())
        assert before is not None
        assert after is not None
        assert before.mac == after.mac

    @pytest.mark.parametrize(
        ("changes", "faults"),
        [
            ({"mobile": "12"}, [("/form/changes/mobile", "malformed_phone")]),
            ({"mobile": 12}, [("/form/changes/mobile", "invalid_value")]),
            ({"mobile": dict(WITHHELD)}, [("/form/changes/mobile", "invalid_value")]),
            ({"salary": "1"}, [("/form/changes/salary", "unknown_member")]),
            ({"name": None}, [("/form/changes/name", "not_removable")]),
            ({"department": "NOWHERE"}, [("/form/changes/department", "unknown_department")]),
            ({"manager": str(new_id())}, [("/form/changes/manager", "unknown_contact")]),
            ({"id_number": "123"}, [("/form/changes/id_number", "malformed_id_number")]),
        ],
    )
    async def test_bad_input_is_refused_as_a_patch_refuses_it(
        self, shared: World, changes: dict[str, Any], faults: list[tuple[str, str]]
    ) -> None:
        someone = await add_person(shared)
        problem = await refused(shared, someone.name, change(shared, someone.name, someone.id, **changes))
        assert isinstance(problem, Invalid)
        assert at(problem) == faults
        assert "12" not in problem.detail

    async def test_what_rests_on_a_consent_waits_for_it(self, shared: World) -> None:
        """Under the strict forms; the person is told so at once, a head who asks for them is not told of consents at all."""
        someone, cards = await add_person(shared), cards_of(shared)
        cards.members = MemberReader(shared.application.contact_rows, region="CN", forms=Forms(load("strict")))
        effect = CardChange(cards)
        own = change(shared, someone.name, someone.id, personal_mobile=NEW)
        problem = await refused(shared, someone.name, own, effect)
        assert isinstance(problem, ConsentRequired)
        assert at(problem) == [("/form/changes/personal_mobile", "consent_required")]
        await examined(shared, effect, "head", change(shared, "head", someone.id, personal_mobile=NEW))

    async def test_only_whom_policy_names_may_ask(self, shared: World) -> None:
        someone = await add_person(shared)
        for who in ("colleague", "outsider", "it"):
            problem = await refused(shared, who, change(shared, who, someone.id, title="主任"))
            assert isinstance(problem, NotPermitted)
        found = await examined(
            shared, CardChange(cards_of(shared)), "head", change(shared, "head", someone.id, title="主任")
        )
        assert found.facts["relation"] == "other"
        nowhere = change(shared, "head", someone.id, department="SALES")
        assert isinstance(await refused(shared, "head", nowhere), NotPermitted)

    async def test_who_is_hidden_and_who_is_absent_look_alike(self, shared: World) -> None:
        hidden = await add_person(shared, status="prehire")
        for identity in (hidden.id, new_id()):
            assert isinstance(await refused(shared, "head", change(shared, "head", identity, title="x")), NotFound)

    async def test_a_card_that_changed_meanwhile_is_not_overwritten(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        first, second = (change(shared, someone.name, someone.id, mobile=each) for each in (NEW, "13700009876"))
        found = [await examined(shared, effect, someone.name, each) for each in (first, second)]
        await acted(shared, effect, first, found[0], by="hr")
        with pytest.raises(AssertionError, match="approved again"):
            await acted(shared, effect, second, found[1], by="hr")
        with pytest.raises(CardMoved):
            await acted_anyway(shared, effect, second, found[1])
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == NEW

    async def test_another_member_may_change_meanwhile(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        first = change(shared, someone.name, someone.id, mobile=NEW)
        second = change(shared, someone.name, someone.id, title="主任")
        found = [await examined(shared, effect, someone.name, each) for each in (first, second)]
        for asked, each in zip((first, second), found, strict=True):
            await acted(shared, effect, asked, each, by="hr")
        card = await shared.card(someone.name, someone.name)
        assert (card["title"], card["mobile"]["value"]) == ("主任", NEW)

    async def test_a_name_that_was_taken_meanwhile_fails(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        asked = change(shared, someone.name, someone.id, employee_no="TAKEN-1")
        found = await examined(shared, effect, someone.name, asked)
        await add_person(shared, employee_no="TAKEN-1")
        with pytest.raises(DuplicateEmployeeNumber):
            await acted(shared, effect, asked, found, by="hr")

    async def test_a_department_that_went_meanwhile_is_told_before_acting(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardChange(cards_of(shared))
        code = await add_department(shared)
        asked = change(shared, someone.name, someone.id, department=code)
        found = await examined(shared, effect, someone.name, asked)
        application = shared.application
        node = (await application.standings.tree()).by_code[code]
        async with application.database.unit_of_work() as unit:
            await application.departments.remove(unit, OPERATOR, node)
        with pytest.raises(UnknownDepartment):
            await acted(shared, effect, asked, found, by="hr")

    @pytest.mark.parametrize("edit", ["box", "digest", "field", "person"])
    async def test_what_waited_and_was_edited_is_not_written(self, shared: World, edit: str) -> None:
        someone, other, effect = await add_person(shared), await add_person(shared), CardChange(cards_of(shared))
        application = shared.application
        asked = change(shared, someone.name, someone.id, mobile=NEW)
        found = await examined(shared, effect, someone.name, asked)
        own, foreign = [
            application.sealer.existing(each.id, record.key)
            for each in (someone, other)
            for record in [await application.contact_rows.by_id(each.id, await application.standings.tree())]
            if record is not None
        ]
        genuine = boxed(own, "mobile", STORED)
        false = {
            "box": replace(genuine, envelope=own.seal("mobile", "+8613700000666").envelope),
            "digest": replace(genuine, digest=own.digest("mobile", "+8613700000666")),
            "field": boxed(own, "office_phone", STORED),
            "person": boxed(foreign, "mobile", STORED),
        }[edit]
        with pytest.raises(ProposalUnreadable):
            await acted(shared, effect, asked, found, by="hr", values={"mobile": false})


async def acted_anyway(world: World, effect: Any, asked: Asked, found: Examined) -> None:  # noqa: ANN401 — an effect
    """Act as the loser of a race does: the facts were compared a moment before the other wrote."""
    current = await effect.examine(world.application.database.reader, None, _kept(asked, found))
    stale = Examined(form=found.form, facts=found.facts, about=found.about, values=found.values)

    class Racing:
        """Examines as it was, acts as it is."""

        async def examine(self, *_: Any) -> Examined:  # noqa: ANN401 — as the effect
            return stale

        apply, end = effect.apply, effect.end

    assert current.facts != stale.facts
    await acted(world, Racing(), asked, stale, by="hr")


def _kept(asked: Asked, found: Examined) -> Asked:
    return Asked(
        kind=asked.kind,
        requester=asked.requester,
        beneficiary=asked.beneficiary,
        subject=asked.subject,
        form=found.form,
    )


class TestCorrection:
    async def test_a_colleague_corrects_what_they_cannot_see(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardCorrection(cards_of(shared))
        asked = correction(shared, "outsider", someone.id, field="mobile", value=NEW)
        found = await examined(shared, effect, "outsider", asked)
        assert found.form["value"] == WITHHELD
        approved, applied = await acted(shared, effect, asked, found, by="hr")
        assert applied.result == {"contact": str(someone.id), "field": "mobile"}
        assert (await history(shared, someone, "mobile"))["request_id"] == str(approved.id)
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == NEW

    @pytest.mark.parametrize("case", ["the same", "another", "none there"])
    async def test_nothing_tells_what_the_card_says(self, shared: World, case: str) -> None:
        without: dict[str, Any] = {"mobile": None} if case == "none there" else {}
        someone = await add_person(shared, **without)
        effect, value = CardCorrection(cards_of(shared)), someone.mobile if case == "the same" else NEW
        asked = correction(shared, "outsider", someone.id, field="mobile", value=value)
        found = await examined(shared, effect, "outsider", asked)
        shown = {name: each for name, each in found.facts.items() if name != "before"}
        assert (found.form, shown) == (
            {"field": "mobile", "value": WITHHELD, "reason": "somebody else answers"},
            {"valued": "yes", "card": "employee", "status": "active"},
        )
        _, applied = await acted(shared, effect, asked, found, by="hr")
        assert applied.result == {"contact": str(someone.id), "field": "mobile"}

    async def test_without_a_value_nothing_is_written(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardCorrection(cards_of(shared))
        asked = correction(shared, "colleague", someone.id, field="mobile")
        found = await examined(shared, effect, "colleague", asked)
        assert found.facts["valued"] == "no"
        await acted(shared, effect, asked, found, by="hr")
        assert await revealed(shared, "hr", someone, "mobile") == someone.mobile

    async def test_what_policy_does_not_offer_cannot_be_corrected(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardCorrection(cards_of(shared))
        for field in ("wechat", "home_address"):
            asked = correction(shared, "colleague", someone.id, field=field, value="x")
            assert isinstance(await refused(shared, "colleague", asked, effect), NotPermitted)
        asked = correction(shared, "colleague", someone.id, field="mobile", value="12")
        assert at(await refused(shared, "colleague", asked, effect)) == [("/form/value", "malformed_phone")]
        asked = correction(shared, "colleague", someone.id, field="salary", value="12")
        assert at(await refused(shared, "colleague", asked, effect)) == [("/form/value", "unknown_member")]

    async def test_nobody_corrects_themselves_past_their_head(self, shared: World) -> None:
        asked = correction(shared, "staff", shared.people["staff"], field="title", value="总裁")
        refusal = await refused(shared, "staff", asked, CardCorrection(cards_of(shared)))
        assert isinstance(refusal, ApprovalRequired)
        assert refusal.extensions == {"request_kind": "contact.change"}

    async def test_a_failure_says_nothing_of_the_card(self, shared: World) -> None:
        someone, effect = await add_person(shared), CardCorrection(cards_of(shared))
        asked = correction(shared, "colleague", someone.id, field="employee_no", value="TAKEN-2")
        found = await examined(shared, effect, "colleague", asked)
        await add_person(shared, employee_no="TAKEN-2")
        with pytest.raises(ChangeFailed):
            await acted(shared, effect, asked, found, by="hr")

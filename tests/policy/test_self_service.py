"""No way past an approval over HTTP: every collection that is written to says why, and nobody gives themselves a position or a superior.

An operation under a new collection fails here until somebody has written down why nobody gains a right by it.
"""

from typing import Final

import pytest

from app.audit.authors import Author
from tests.policy.test_inventory import INVENTORY
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPERATOR: Final = Author(type="operator", id="os:somebody")

REASONS: Final = {
    "access-events": "an export of what the caller may read, on record",
    "attachments": "files of a request that one has a part in; they show and decide nothing by themselves",
    "calendar": "moves working days, on record; no step is answered or left out by it",
    "calling-privileges": "ends; a line is given more by a request of kind `line.privilege` alone",
    "campaigns": "asks and ends; nobody answers for a right of their own, under any account",
    "clients": "its owner gets another secret of the service account that a request made; the owner alone",
    "contacts": "what policy lets the caller edit; on a card of one's own never what says who decides or what protects",
    "delegations": "passes on decisions, never sight; counted by natural persons",
    "departments": "by who keeps the structure; never a position or a subtree for oneself, under any account",
    "confidentiality-undertakings": "texts that leavers confirm",
    "devices": "who has which telephone; a device sees C1 and no more, whoever has it",
    "emergency-eligibility": "named by security, never themselves; a custodian takes a second person",
    "emergency-sessions": "for who was named, an hour, reviewed; what one owes and executives take a second person",
    "emergency-sheets": "brings the record of an opening",
    "engagements": "which customer is in whose hands, by who may edit the customers, but never their own, and by the system that knows",
    "grants": "ends",
    "hr": "the personnel system's own word, by a service account that is no person",
    "imports": "as `numbers`: what its keepers could give by hand; what is kept back takes two of them; no privilege is taken over. "
    "Of people: as `contacts`, row by row through the same service; what is one's own to have decided stays so",
    "jobs": "ends",
    "lookups": "a look, by policy, charged and on record",
    "me": "one's own second proof, with the first one fresh; one's own card said to be right",
    "number-checks": "keeps nothing",
    "number-domains": "the numbering plan; a number shows nothing of anybody",
    "number-holds": "as `number-domains`",
    "number-pools": "as `number-domains`",
    "number-reconciliations": "keeps nothing",
    "number-validations": "keeps nothing",
    "numbers": "as `number-domains`",
    "on-call-rosters": "which of those who hold an office is asked first; it makes nobody hold one",
    "policy": "stores and simulates; `policy.change` activates",
    "privacy-notices": "texts that people acknowledge",
    "provisions": "one package of what was approved and consented to, sealed to its recipient; and its return",
    "request-decisions": "each decision for itself, as under `requests`",
    "request-previews": "keeps nothing",
    "requests": "the way itself",
    "reserved-numbers": "as `number-domains`",
    "tags": "words by which cards are found; a grant by tag is a request's",
    "webhook-deliveries": "tells again what was told",
    "webhooks": "ids and codes to an address; never a value",
}
"""Every collection under ``/v1`` that is written to, and why writing to it gives nobody a right that no request gave."""


async def test_35_every_written_collection_says_why_it_is_no_way_past_an_approval() -> None:
    written = {path.split("/")[2] for method, path in INVENTORY if method != "GET" and path.startswith("/v1/")}
    assert written == set(REASONS)


async def test_35_who_keeps_the_structure_gives_nobody_who_is_themselves_a_position(shared: World) -> None:
    place = await add_department(shared)
    other = await add_person(shared)
    application, steward = shared.application, await shared.as_("steward")
    for position in ("head", "deputy"):
        answer = await steward.patch(
            f"/v1/departments/{place}", json={position: str(shared.people["steward"])}, headers={"If-Match": "*"}
        )
        assert problem(answer, 403, "approval_required")["request_kind"] == "org.change"
    async with application.database.unit_of_work() as unit:
        await application.delegations.persons.join(unit, OPERATOR, other.id, shared.people["steward"])
    try:
        answer = await steward.patch(
            f"/v1/departments/{place}", json={"head": str(other.id)}, headers={"If-Match": "*"}
        )
        problem(answer, 403, "approval_required")
        new = {"code": f"{place}-OWN", "name": "新部门", "head": str(other.id)}
        problem(await steward.post("/v1/departments", json=new), 403, "approval_required")
    finally:
        async with application.database.unit_of_work() as unit:
            await application.delegations.persons.part(unit, OPERATOR, other.id)
    taken = await steward.patch(f"/v1/departments/{place}", json={"head": str(other.id)}, headers={"If-Match": "*"})
    assert taken.status_code == 200, "of somebody else they may"


async def test_35_nobody_hangs_a_department_below_one_that_they_head(shared: World) -> None:
    above, place = await add_department(shared), await add_department(shared)
    keeper = await add_person(shared, department=above, tier="T4", roles=("directory_steward",))
    steward = await shared.as_("steward")
    answer = await steward.patch(f"/v1/departments/{above}", json={"head": str(keeper.id)}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    own = await shared.as_(keeper.name)
    answer = await own.patch(f"/v1/departments/{place}", json={"parent": above}, headers={"If-Match": "*"})
    assert problem(answer, 403, "approval_required")["request_kind"] == "org.change"
    answer = await steward.patch(f"/v1/departments/{place}", json={"parent": above}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def test_35_on_a_card_of_ones_own_who_decides_is_not_ones_own_to_say(shared: World) -> None:
    place = await add_department(shared)
    keeper = await add_person(shared, department=place, tier="T4", roles=("hr",))
    own, card = await shared.as_(keeper.name), f"/v1/contacts/{keeper.id}"
    for member in (
        {"manager": str(shared.people["colleague"])},
        {"department": "SALES"},
        {"memberships": [{"department": "SALES"}]},
        {"secrecy": "executive"},
    ):
        answer = await own.patch(card, json=member, headers={"If-Match": "*"})
        assert problem(answer, 403, "approval_required")["request_kind"] == "contact.change"
    assert (await own.patch(card, json={"title": "人事专员"}, headers={"If-Match": "*"})).status_code == 200
    answer = await (await shared.as_("hr")).patch(card, json={"department": "SALES"}, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def test_2_tier_and_roles_are_no_members_of_anything(shared: World) -> None:
    someone = await add_person(shared)
    for who in ("hr", "steward", "infosec", "it"):
        caller = await shared.as_(who)
        for member in ({"tier": "T5"}, {"roles": ["infosec"]}, {"user": {"tier": "T5"}}):
            answer = await caller.patch(f"/v1/contacts/{someone.id}", json=member, headers={"If-Match": "*"})
            assert answer.status_code in {403, 422}

"""Every kind that changes rights, walked over HTTP: filed, each step, the effect shown, and its end."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contacts.partners import add_partner
from tests.effects.test_customers import shown
from tests.effects.test_customers import wanted as use_of
from tests.effects.test_reveals import states
from tests.effects.test_reveals import wanted as reveal_of
from tests.effects.test_sharing import wanted as share_of
from tests.effects.test_standing import form as standing_of
from tests.effects.test_standing import standing
from tests.effects.walking import file, filed
from tests.engagements.calls import add_business, pushed
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_field_reveal_of_another_department(shared: World) -> None:
    about = await add_person(shared, department="SALES")
    walk = await filed(shared, "staff", "field.reveal", ("contact", about.id), reveal_of("mobile"))
    assert (await states(shared, "staff", about))["mobile"] == "masked"
    assert await walk.through("head") == "pending"
    assert await walk.through("steward") == "active"
    assert (await states(shared, "staff", about))["mobile"] == "shown"
    assert (await states(shared, "colleague", about))["mobile"] == "masked"
    read = await walk.read()
    assert (read["chain"], read["effects"][0]["effect"]) == ("other_department", "reveal")
    assert about.mobile not in str(read)
    assert await walk.ended("staff", "returns") == "returned"
    assert (await states(shared, "staff", about))["mobile"] == "masked"


async def test_field_reveal_of_the_own_department(shared: World) -> None:
    about = await add_person(shared, department="RD")
    walk = await filed(shared, "staff", "field.reveal", ("contact", about.id), reveal_of("personal_mobile"))
    assert await walk.through("head") == "active"
    assert (await states(shared, "staff", about))["personal_mobile"] == "shown"
    assert await walk.ended("head", "revocations", reason="不再需要") == "revoked"
    assert (await states(shared, "staff", about))["personal_mobile"] == "masked"


async def test_field_reveal_of_an_executive_with_consent(shared: World) -> None:
    about = await add_person(shared, department="EXEC", secrecy="executive")
    walk = await filed(shared, "staff", "field.reveal", ("contact", about.id), reveal_of("mobile"))
    assert await walk.through("head", "hr") == "pending"
    assert (await states(shared, "staff", about))["mobile"] == "withheld"
    assert await walk.through(about.name) == "active"
    assert (await states(shared, "staff", about))["mobile"] == "shown"
    assert await walk.ended(about.name, "revocations", reason="不再同意") == "revoked"
    assert (await states(shared, "staff", about))["mobile"] == "withheld"
    again = await filed(shared, "staff", "field.reveal", ("contact", about.id), reveal_of("mobile"))
    await again.through("head", "hr")
    assert (await again.say(about.name, "reject"))["state"] == "rejected"
    assert (await states(shared, "staff", about))["mobile"] == "withheld"


async def test_who_becomes_an_executive_is_asked_after_all(shared: World) -> None:
    about = await add_person(shared, department="SALES")
    walk = await filed(shared, "staff", "field.reveal", ("contact", about.id), reveal_of("mobile"))
    await walk.through("head")
    hr = await shared.as_("hr")
    etag = (await hr.get(about.path)).headers["ETag"]
    changed = await hr.patch(about.path, json={"secrecy": "executive"}, headers={"If-Match": etag})
    assert changed.status_code == 200, changed.text
    assert await walk.through("steward") == "needs_reapproval"
    assert (await states(shared, "staff", about))["mobile"] == "withheld"


async def test_tier_grant_and_change(shared: World) -> None:
    who = await add_person(shared)
    given = standing_of(shared, ["sales"], "T3")
    walk = await filed(shared, "head", "tier.grant", ("contact", who.id), given, who.id)
    assert (await walk.read())["step"] == "review"
    problem(await walk.act("it", "decisions", decision="approve"), 404, "not_found")
    assert await walk.through("steward") == "pending"
    problem(await walk.act("steward", "decisions", decision="approve"), 403, "not_asked")
    assert await walk.through("it") == "active"
    assert await standing(shared, who) == ("T3", ("sales",))
    anew = standing_of(shared, ["production"], "T3", days=None)
    other = await filed(shared, "head", "tier.change", ("contact", who.id), anew, who.id)
    assert await other.through("steward", "it") == "active"
    assert await standing(shared, who) == ("T3", ("production",))
    assert await walk.ended("head", "returns") == "returned"
    assert await standing(shared, who) == ("T3", ("production",)), (
        "what was said anew does not end with what it replaced"
    )
    assert await other.ended("steward", "revocations", reason="不再负责") == "revoked"
    assert await standing(shared, who) == ("T1", ())


async def test_tier_grant_that_reaches_far(shared: World) -> None:
    who = await add_person(shared)
    walk = await filed(shared, "head", "tier.grant", ("contact", who.id), standing_of(shared, ["hr"], "T4"), who.id)
    assert await walk.through("steward", "infosec", "ceo", "it") == "active"
    assert await standing(shared, who) == ("T4", ("hr",))
    assert await walk.ended("infosec", "revocations", reason="复核未通过") == "revoked"
    assert await standing(shared, who) == ("T1", ())


async def test_share_cross_dept(shared: World) -> None:
    about = await add_person(shared, department="SALES")
    gains = await add_person(shared)
    walk = await filed(shared, gains.name, "share.cross_dept", ("department", "SALES"), share_of(shared, "mobile"))
    assert await walk.through("head", "steward") == "pending"
    assert (await states(shared, gains.name, about))["mobile"] == "masked"
    problem(await walk.act("infosec", "decisions", decision="reject"), 422, "invalid_request")
    assert await walk.through("infosec") == "active"
    assert (await states(shared, gains.name, about))["mobile"] == "shown"
    assert await walk.ended("head", "revocations", reason="项目结束") == "revoked"
    assert (await states(shared, gains.name, about))["mobile"] == "masked"


async def test_customer_sensitive_use(shared: World) -> None:
    seller, partner = await add_business(shared, "sales"), await add_partner(shared)
    await pushed(shared, partner, seller.id)
    form = use_of(shared, "delivery_address")
    walk = await filed(shared, seller.name, "customer.sensitive_use", ("contact", partner.id), form)
    assert await shown(shared, seller, partner) == "masked", "reported before it is used"
    assert await walk.through("steward") == "active"
    assert await shown(shared, seller, partner) == "shown"
    assert await walk.ended(seller.name, "returns") == "returned"
    assert await shown(shared, seller, partner) == "masked"


async def test_client_register(shared: World) -> None:
    form = {
        "name": "食堂大屏",
        "scopes": ["contacts:read"],
        "ceiling": "C2",
        "purpose": "显示当日值班人员",
        "reason": "食堂需要",
    }
    client_id = f"canteen-{shared.application.clock.now().microsecond}"
    walk = await filed(shared, "staff", "client.register", ("client", client_id), form)
    path = f"/v1/clients/{client_id}/secrets"
    owner = await shared.as_("staff")
    problem(await owner.post(path), 404, "not_found")
    assert await walk.through("head", "it", "ceo", "infosec") == "active"
    assert "secret" not in str((await walk.read())["effects"])
    for who in ("colleague", "it", "infosec", "ceo"):
        problem(await (await shared.as_(who)).post(path), 404, "not_found")
    made = await owner.post(path)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert (await token(shared, client_id, made.json()["secret"])).status_code == 200
    again = await owner.post(path)
    assert (await token(shared, client_id, made.json()["secret"])).status_code == 401, "the one before is dead"
    bearer = {
        "Authorization": f"Bearer {(await token(shared, client_id, again.json()['secret'])).json()['access_token']}"
    }
    nobody = await shared.as_(None)
    card = await nobody.get(f"/v1/contacts/{shared.people['colleague']}", headers=bearer)
    assert (card.status_code, card.json()["mobile"]["state"]) == (200, "withheld")
    taken = await file(shared, "staff", "client.register", ("client", client_id), form)
    assert faults(taken) == [("/subject", "client_exists")]
    assert await walk.ended("infosec", "revocations", reason="系统下线") == "revoked"
    assert (await token(shared, client_id, again.json()["secret"])).status_code == 401
    problem(await owner.post(path), 404, "not_found")


async def token(world: World, client_id: str, secret: str) -> Any:  # noqa: ANN401 — an answer
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return await (await world.as_(None)).post("/oauth/token", data=form)


@pytest.mark.parametrize("kind", ["provide.safety", "recording.access", "copy.work", "copy.non_work"])
async def test_what_is_not_offered_is_not_in_the_catalogue_and_not_taken(shared: World, kind: str) -> None:
    """Hard test 49."""
    listed = (await (await shared.as_("staff")).get("/v1/request-kinds")).json()["items"]
    assert kind not in {each["kind"] for each in listed}
    assert len(listed) >= 7
    for subject in ("contact", "edition", "recording"):
        refused = await file(shared, "ceo", kind, (subject, shared.people["staff"]), {})
        problem(refused, 404, "unknown_request_kind")


@pytest.mark.parametrize("path", ["/v1/requests", "/v1/request-previews"])
async def test_who_is_not_to_be_known_of_cannot_be_told_from_nobody(shared: World, path: str) -> None:
    hidden = await add_person(shared, department="SALES", status="prehire")
    staff = await shared.as_("staff")
    use = use_of(shared, "id_number")
    for kind, form in (("field.reveal", reveal_of("mobile")), ("customer.sensitive_use", use)):
        told = []
        for about in (hidden.id, uuid4(), "nobody"):
            body = {"kind": kind, "subject": {"type": "contact", "id": str(about)}, "form": form}
            answer = await staff.post(path, json=body)
            problem(answer, 404, "not_found")
            told.append({name: each for name, each in answer.json().items() if name not in {"instance", "request_id"}})
        assert told[0] == told[1] == told[2]

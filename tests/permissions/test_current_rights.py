"""Rights are those of now: what changes between two requests holds for the second, what changes during a read holds for that read."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.audit.events import EventDraft
from app.auth import epochs
from app.auth.subject import Person
from app.crypto.permit import Permit
from app.permissions.outcomes import Outcome, Purpose
from app.permissions.plan import GrantScope
from app.permissions.repository import NewGrant
from app.permissions.standing import Viewer
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def move(world: World, someone: Added, department: str) -> None:
    """Move a person to another department, as HR does."""
    hr = await world.as_("hr")
    seen = await hr.get(someone.path)
    answer = await hr.patch(someone.path, json={"department": department}, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 200


async def grant(world: World, who: Added, whom: Added, **members: Any) -> UUID:  # noqa: ANN401 — members of a grant
    """Give an exception for a quarter of an hour, as an approved request does."""
    application, now = world.application, world.application.clock.now()
    account = await application.account_rows.by_key(application.database.reader, who.name)
    assert account is not None
    given: dict[str, Any] = {
        "account_id": account.id,
        "scope": GrantScope("contact", str(whom.id)),
        "fields": ("mobile", "personal_mobile"),
        "outcome": Outcome.CLEAR,
        "purpose": Purpose.WORK_CONTACT,
        "request_id": whom.id,
        "starts_at": now,
        "ends_at": now + timedelta(minutes=15),
        **members,
    }
    async with application.database.unit_of_work() as unit:
        return await application.grants.add(unit.session, NewGrant(**given), at=now)


async def revoke(world: World, who: Added) -> None:
    """End every exception of a person."""
    application = world.application
    account = await application.account_rows.by_key(application.database.reader, who.name)
    assert account is not None
    async with application.database.unit_of_work() as unit:
        await application.grants.end_all(unit.session, account.id, at=application.clock.now())
        await epochs.bump(unit.session, account.epoch_key)


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Coroutine[Any, Any, None]], *, times: int = 1
) -> list[EventDraft]:
    """Let something happen after a look was decided and before it is on record."""
    true_permit, drafts = world.application.log.permit, list[EventDraft]()

    async def late(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
        drafts.append(draft)
        if len(drafts) <= times:
            await asyncio.create_task(happens())
        return await true_permit(draft, **given)

    monkeypatch.setattr(world.application.log, "permit", late)
    return drafts


class TestBetweenRequests:
    async def test_a_grant_shows_until_it_is_revoked(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "masked"
        await grant(shared, who, whom)
        card = (await client.get(whom.path)).json()
        assert card["mobile"] == {"state": "shown", "value": whom.mobile}
        assert card["personal_mobile"] == {"state": "shown", "value": whom.personal_mobile}
        listed = (await client.get("/v1/contacts", params={"ids": str(whom.id)})).json()["items"]
        assert listed[0]["mobile"] == card["mobile"]
        await revoke(shared, who)
        card = (await client.get(whom.path)).json()
        assert (card["mobile"]["state"], card["personal_mobile"]["state"]) == ("masked", "withheld")

    async def test_a_grant_is_its_holders_and_speaks_of_one_person(self, shared: World) -> None:
        who, whom, other = (
            await add_person(shared, department="SALES"),
            await add_person(shared),
            await add_person(shared),
        )
        await grant(shared, who, whom)
        assert (await (await shared.as_(who.name)).get(other.path)).json()["mobile"]["state"] == "masked"
        assert (await (await shared.as_("outsider")).get(whom.path)).json()["mobile"]["state"] == "masked"

    async def test_a_grant_of_the_past_or_the_future_shows_nothing(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        now = shared.application.clock.now()
        await grant(shared, who, whom, starts_at=now - timedelta(days=2), ends_at=now - timedelta(microseconds=1))
        await grant(shared, who, whom, starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2))
        assert (await (await shared.as_(who.name)).get(whom.path)).json()["mobile"]["state"] == "masked"

    async def test_a_grant_takes_a_target_and_an_end_after_its_start(self, shared: World) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        now = shared.application.clock.now()
        for members in (
            {"scope": GrantScope("planet", "1")},  # type: ignore[arg-type]  # what the type forbids, the table refuses too
            {"ends_at": now - timedelta(days=1)},
        ):
            with pytest.raises(Exception, match="ck_access_grant"):
                await grant(shared, who, whom, starts_at=now, **members)

    async def test_a_grant_on_a_department_ends_with_a_move_out_of_it(self, shared: World) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared, department="IT")
        await grant(shared, who, whom, scope=GrantScope("department", str(shared.departments["IT"])))
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "shown"
        await move(shared, whom, "RD")
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "masked"

    async def test_whoever_moves_loses_the_old_departments_view_at_once(self, shared: World) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        client = await shared.as_(who.name)
        before = (await client.get(whom.path)).json()
        assert before["mobile"]["next"] == "reveal"
        await move(shared, who, "SALES")
        after = (await client.get(whom.path)).json()
        assert (after["mobile"]["value"], after["wechat"]["state"]) == ("137********", "withheld")

    async def test_a_contact_that_is_moved_or_marked_is_seen_as_it_is_now(self, shared: World) -> None:
        whom = await add_person(shared)
        client = await shared.as_("colleague")
        assert (await client.get(whom.path)).json()["mobile"]["value"].startswith("137****")
        hr = await shared.as_("hr")
        answer = await hr.patch(whom.path, json={"secrecy": "core"}, headers={"If-Match": "*"})
        assert answer.status_code == 200
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "withheld"

    async def test_a_role_taken_away_ends_the_token(self, shared: World) -> None:
        who, whom = await add_person(shared, department="HR", tier="T4", roles=("hr",)), await add_person(shared)
        client = await shared.as_(who.name)
        seen = await client.get(whom.path, params={"purpose": "hr_admin"})
        assert seen.json()["wechat"]["next"] == "reveal"
        async with shared.application.database.unit_of_work() as unit:
            await shared.application.accounts.set_standing(unit.session, who.name, tier="T1", roles=())
        problem(await client.get(whom.path), 401, "invalid_token")


class TestDuringARead:
    async def test_a_grant_revoked_in_between_is_not_used(self, shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
        who, whom = await add_person(shared, department="SALES"), await add_person(shared)
        await grant(shared, who, whom)
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).json()["mobile"]["state"] == "shown"
        drafts = meanwhile(shared, monkeypatch, lambda: revoke(shared, who))
        answer = await client.get(whom.path)
        assert answer.status_code == 200
        assert answer.json()["mobile"]["state"] == "masked"
        assert whom.mobile not in answer.text
        assert [draft.action for draft in drafts] == ["contact.read"] * 2
        found = await shared.application.events.one(drafts[0].id)
        assert found is None, "what was decided under the old rights is not on record, because nothing was shown"
        assert answer.json()["disclosure"]["event_id"] == str(drafts[1].id)

    @pytest.mark.parametrize("operation", ["list", "reveal", "history"])
    async def test_every_look_is_decided_anew(
        self, shared: World, monkeypatch: pytest.MonkeyPatch, operation: str
    ) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).status_code == 200
        drafts = meanwhile(shared, monkeypatch, lambda: move(shared, who, "SALES"))
        match operation:
            case "list":
                answer = await client.get("/v1/contacts", params={"ids": str(whom.id)})
                assert answer.json()["items"][0]["mobile"]["value"] == "137********"
            case "reveal":
                body = {"fields": ["mobile"], "purpose": "work_contact", "reason": "still a colleague"}
                problem(await client.post(f"{whom.path}/reveals", json=body), 403, "approval_required")
            case _:
                answer = await client.get(f"{whom.path}/history")
                assert "mobile" not in {item["field"] for item in answer.json()["items"]}
        assert drafts

    async def test_rights_that_never_hold_still_are_refused_and_nothing_is_opened(
        self, shared: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        who, whom = await add_person(shared), await add_person(shared)
        client = await shared.as_(who.name)
        assert (await client.get(whom.path)).status_code == 200
        opened = shared.application.opener.opened
        drafts: list[EventDraft] = []
        true_permit = shared.application.log.permit

        async def late(draft: EventDraft, **given: Any) -> Permit:  # noqa: ANN401 — passed on
            if draft.actor_id == str(who.id):
                drafts.append(draft)
                account = await shared.application.account_rows.by_key(shared.application.database.reader, who.name)
                assert account is not None
                async with shared.application.database.unit_of_work() as unit:
                    await epochs.bump(unit.session, account.epoch_key)
            return await true_permit(draft, **given)

        monkeypatch.setattr(shared.application.log, "permit", late)
        answer = await client.get(whom.path)
        problem(answer, 409, "standing_changed")
        assert len(drafts) == 2
        assert shared.application.opener.opened == opened


class TestStanding:
    async def test_a_second_proof_lasts_ten_minutes(self, shared: World) -> None:
        application = shared.application
        now = int(application.clock.now().timestamp())
        identity = shared.people["staff"]

        async def viewer(**members: Any) -> Viewer:  # noqa: ANN401 — members of a person
            given = {"user_name": "staff", "client_id": "intranet", "scopes": frozenset({"contacts:read"}), **members}
            return await application.standings.of(Person(**given), fresh=True)

        for acr, at, wanted in (
            ("mfa", now, True),
            ("mfa", now - 599, True),
            ("mfa", now - 660, False),
            ("mfa", now + 60, False),
            ("mfa", None, False),
            ("password", now, False),
            (None, now, False),
        ):
            found = await viewer(acr=acr, auth_time=at)
            assert found.standing.step_up is wanted, (acr, at)
        record = await application.contact_rows.by_id(identity, await application.standings.tree())
        assert record is not None
        proven = await viewer(acr="mfa", auth_time=now)
        cohort = proven.plan(Purpose.WORK_CONTACT).cohort(record.cohort, identity)
        assert cohort.shown("id_number", application.grants._classes["id_number"]) is Outcome.CLEAR

    async def test_a_head_is_of_tier_two_and_heads_what_is_below(self, shared: World) -> None:
        viewer = await shared.viewer("head")
        standing = viewer.standing
        assert (standing.tier.value, "dept_head" in standing.roles) == ("T2", True)
        assert standing.headed == viewer.tree.subtree(shared.departments["RD"]) > {shared.departments["RD"]}
        assert shared.departments["RD-CORE"] in standing.headed
        assert shared.departments["SALES"] not in standing.headed

    async def test_a_viewer_is_remembered_until_asked_afresh(self, shared: World) -> None:
        application = shared.application
        subject = await application.verifier.verify(await shared.token("staff"))
        first = await application.standings.of(subject)
        assert await application.standings.of(subject) is first
        assert await application.standings.of(subject, fresh=True) is first, (
            "read anew and the same: its plans are kept"
        )
        (key,) = (key for key in first.standing.epochs if key.startswith("user:"))
        async with application.database.unit_of_work() as unit:
            await epochs.bump(unit.session, key)
        assert await application.standings.of(subject) is first
        second = await application.standings.of(subject, fresh=True)
        assert second is not first
        assert await application.standings.of(subject) is second

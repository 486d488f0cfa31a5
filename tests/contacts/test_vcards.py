"""vCards over HTTP on both engines: who may take whom along, what is opened for it, and what is on record."""

from typing import Any, Final

import httpx
import pytest
import vobject
from structlog.testing import capture_logs

from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.contacts.photos import DISCLOSURE
from app.contacts.vcards import NEXT, dialling_domain
from app.kit.models import new_id
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

SYNC: Final = "directory-sync"


async def taken(world: World, who: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 — of httpx
    answer = await (await world.as_(who)).get(path, **options)
    if answer.status_code == 200:
        assert answer.headers["Content-Type"] == "text/vcard; charset=utf-8"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
    return answer


async def newest(world: World, **wanted: Any) -> EventDraft:  # noqa: ANN401 — members of a filter
    await world.settle()
    found = await world.application.events.search(EventFilter(action="contact.vcard", **wanted), limit=1)
    return found.events[0].event


def full_name(someone: Added) -> str:
    return f"新人{someone.number}"


def called(answer: httpx.Response) -> list[str]:
    return [each.fn.value for each in vobject.readComponents(answer.text)]


class TestOneCard:
    async def test_hr_takes_a_colleague_along_without_what_is_masked(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await taken(shared, "hr", f"{someone.path}/card.vcf")
        assert answer.status_code == 200, answer.text
        card = vobject.readOne(answer.text)
        assert card.fn.value == full_name(someone)
        assert card.uid.value == f"urn:uuid:{someone.id}"
        assert someone.mobile not in answer.text
        assert "***" not in answer.text
        event = await newest(shared, contact_id=someone.id)
        assert str(event.id) in answer.text.replace("\r\n ", "")
        assert str(event.id) in answer.headers[DISCLOSURE]

    async def test_what_is_on_record_is_what_is_in_the_file(self, shared: World) -> None:
        someone = await add_person(shared)
        await taken(shared, "hr", f"{someone.path}/card.vcf")
        (cohort,) = (await newest(shared, contact_id=someone.id)).cohorts
        assert set(cohort.states.values()) <= {"shown"}
        assert {"mobile", "id_number", "photo"}.isdisjoint(cohort.states)

    async def test_oneself_takes_ones_private_numbers_along(self, shared: World) -> None:
        answer = await taken(shared, "staff", f"/v1/contacts/{shared.people['staff']}/card.vcf?format=3.0")
        card = vobject.readOne(answer.text)
        own = (await (await shared.as_("staff")).get(f"/v1/contacts/{shared.people['staff']}")).json()
        shown = {name for name in ("mobile", "personal_mobile") if own[name]["state"] == "shown"}
        assert shown
        assert {each.value for each in card.contents["tel"]} >= {own[name]["value"] for name in shown}

    async def test_whom_one_sees_and_may_not_take_along_is_403(self, shared: World) -> None:
        someone = await add_person(shared)
        problem(await taken(shared, "staff", f"{someone.path}/card.vcf"), 403, "not_permitted")

    async def test_nobody_is_404(self, shared: World) -> None:
        problem(await taken(shared, "hr", f"/v1/contacts/{new_id()}/card.vcf"), 404, "not_found")

    async def test_an_unchanged_card_is_304_and_the_other_format_is_another(self, shared: World) -> None:
        someone = await add_person(shared)
        first = await taken(shared, "hr", f"{someone.path}/card.vcf")
        known = {"If-None-Match": first.headers["ETag"]}
        again = await taken(shared, "hr", f"{someone.path}/card.vcf", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        other = await taken(shared, "hr", f"{someone.path}/card.vcf?format=3.0", headers=known)
        assert other.status_code == 200
        problem(await taken(shared, "hr", f"{someone.path}/card.vcf?format=2.1"), 422, "invalid_request")


class TestASearch:
    async def test_a_page_holds_whom_one_may_take_along_and_no_others(self, shared: World) -> None:
        world, code = shared, await add_department(shared)
        people = [await add_person(world, department=code) for _ in range(3)]
        first = await taken(world, "hr", f"/v1/vcards?department={code}&limit=2")
        assert first.status_code == 200, first.text
        rest = await taken(world, "hr", f"/v1/vcards?department={code}&limit=2&cursor={first.headers[NEXT]}")
        assert NEXT not in rest.headers
        assert len(called(first)) == 2
        assert sorted(called(first) + called(rest)) == sorted(full_name(each) for each in people)
        with capture_logs() as said:
            nobody = await taken(world, "staff", f"/v1/vcards?department={code}")
        assert (nobody.status_code, nobody.text) == (200, "")
        assert not [each for each in said if each["event"] == "row_not_disclosed"]

    async def test_the_page_is_one_look_at_all_who_are_in_it(self, shared: World) -> None:
        people = [await add_person(shared) for _ in range(2)]
        await taken(shared, "hr", f"/v1/vcards?q={full_name(people[0])}")
        event = await newest(shared, contact_id=people[0].id)
        assert event.query is not None
        assert full_name(people[0]) not in str(event.query)
        assert [contact for cohort in event.cohorts for contact in cohort.contacts] == [people[0].id]

    async def test_a_page_of_cards_is_no_page_of_files(self, shared: World) -> None:
        world, code = shared, await add_department(shared)
        for _ in range(2):
            await add_person(world, department=code)
        page = (await (await world.as_("hr")).get(f"/v1/contacts?department={code}&limit=1")).json()
        answer = await taken(world, "hr", f"/v1/vcards?department={code}&limit=1&cursor={page['next']}&format=3.0")
        problem(answer, 422, "bad_cursor")

    async def test_a_directory_program_takes_work_numbers_along(self, shared: World) -> None:
        code = await add_department(shared)
        someone = await add_person(shared, department=code)
        answer = await taken(shared, SYNC, f"/v1/vcards?department={code}")
        assert called(answer) == [full_name(someone)]
        assert someone.mobile not in answer.text


@pytest.mark.parametrize(
    ("issuer", "domain"),
    [
        ("https://id.example.com", "id.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
        ("not an address", None),
    ],
)
async def test_short_numbers_are_dialled_in_the_domain_of_the_service(issuer: str, domain: str | None) -> None:
    assert dialling_domain(issuer) == domain

"""Nothing leaves in bulk past the power to export: contacts come as pages of cards, which cost quota, and as nothing else.

The access log can be exported. It holds ids, states of fields and ciphertext; the security team is told names beside them, where a name is
plain (design/security.md). Whoever adds an answer that is no page of JSON adds it here, with the power that it asks for.
"""

from typing import Any, Final

import pytest

from tests.contacts.partners import add_partner
from tests.support.application import World
from tests.support.company import SECRETS
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILES: Final = (
    "application/octet-stream",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
)
NO_PAGES: Final = {
    **{("GET", "/v1/attachments/{id}", each): "one file of one's own" for each in FILES},
    **{
        ("GET", "/v1/requests/{id}/attachments/{attachment}", each): "one file of a request, for its parties"
        for each in FILES
    },
    ("GET", "/oauth/authorize", "text/html"): "the sign-in page",
    ("POST", "/oauth/authorize", "text/html"): "the sign-in page",
    ("POST", "/v1/access-events/exports", "application/x-ndjson"): "events, for the security team",
    ("POST", "/v1/access-events/exports", "text/csv"): "events, for the security team",
    ("GET", "/v1/access-log/checkpoint", "text/plain"): "a signed hash",
    ("GET", "/v1/contacts/{id}/photo", "image/jpeg"): "one picture of one contact",
    ("GET", "/v1/contacts/{id}/card.vcf", "text/vcard"): "one contact, for whom may export it",
    ("GET", "/v1/vcards", "text/vcard"): "a page of contacts that the caller may export, no field that is not",
    **{
        (
            "GET",
            "/v1/contact-exports/{format}",
            each,
        ): "a page of contacts that the caller may export, no field that is not"
        for each in ("text/csv; charset=utf-8", FILES[2])
    },
    ("GET", "/v1/emergency-sheets/{id}/content", "application/octet-stream"): "key people, sealed to one custodian",
    **{
        ("GET", "/v1/number-exports/{format}", each): "who has which number, for an exchange that may export C1"
        for each in (
            "application/x-ndjson",
            "application/xml; charset=utf-8",
            "text/csv; charset=utf-8",
            "text/plain; charset=utf-8",
        )
    },
    (
        "POST",
        "/v1/number-reconciliations",
        "application/x-ndjson",
    ): "where an exchange and the plan differ, a page a look",
    **{
        ("GET", path, "text/xml"): "C1 for a telephone, of whom its plan lets C1 be exported (tests/phonebooks)"
        for path in ("/v1/phonebooks/{vendor}", "/v1/phonebooks/{vendor}/phonebook.xml")
    },
    ("GET", "/v1/policy/page", "text/html"): "the rules, of nobody",
}
MOST_ON_A_PAGE: Final = 200
JSON: Final = "application/json"


async def documented(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    document = world.app.openapi()
    return [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


async def test_every_answer_that_is_no_json_is_known(shared: World) -> None:
    found = {
        (method, path, media_type)
        for method, path, operation in await documented(shared)
        for status, answer in operation["responses"].items()
        for media_type in answer.get("content", {})
        if status.startswith("2") and media_type != JSON
    }
    assert found == set(NO_PAGES)


async def test_no_page_is_longer_than_a_page(shared: World) -> None:
    limits = {
        (method, path): parameter["schema"].get("maximum", parameter["schema"].get("exclusiveMaximum"))
        for method, path, operation in await documented(shared)
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "limit"
    }
    assert ("GET", "/v1/contacts") in limits
    assert {at: most for at, most in limits.items() if most is None or most > MOST_ON_A_PAGE} == {}


@pytest.mark.parametrize("accept", ["text/csv", "application/x-ndjson", "text/vcard", "application/zip", "*/*"])
async def test_contacts_come_as_pages_whatever_is_asked_for(shared: World, accept: str) -> None:
    client = await shared.as_("hr")
    for query in ("?limit=200", "?limit=200&total=true", "/export", "/exports", ".csv"):
        answer = await client.get(f"/v1/contacts{query}", headers={"Accept": accept})
        if query.startswith("?"):
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON)
            assert len(answer.json()["items"]) <= MOST_ON_A_PAGE
        else:
            assert answer.status_code in {404, 405, 422}, answer.text


@pytest.mark.parametrize("name", ["ndjson", "csv"])
@pytest.mark.parametrize("caller", ["infosec", "auditor", "siem"])
async def test_an_export_of_the_log_holds_no_field_of_anybody(shared: World, name: str, caller: str) -> None:
    someone, partner = await add_person(shared), await add_partner(shared)
    hr, reason = await shared.as_("hr"), "to see what is written down"
    assert someone.mobile not in (await hr.get(someone.path)).text
    wish = {"fields": ["mobile", "wechat"], "purpose": "hr_admin", "reason": reason}
    assert (await hr.post(f"{someone.path}/reveals", json=wish)).json()["fields"]["mobile"]["value"] == someone.mobile
    assert partner.name in (await hr.get(partner.path)).text
    asked = {"format": name, "actor": str(shared.people["hr"])}
    answer = await (await shared.as_(caller)).post("/v1/access-events/exports", json=asked)
    assert answer.status_code == 200, answer.text
    assert str(someone.id) in answer.text
    assert str(partner.id) in answer.text
    for secret in (*SECRETS, *someone.secrets, *partner.secrets, reason):
        assert secret not in answer.text, secret

"""The door for devices, on both engines: its own secret lets a device in, nothing else does, and it sees C1 and no more."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, Response
from sqlalchemy import text

from app.auth import epochs
from app.devices.guard import DeviceGuard
from app.devices.principal import DevicePrincipal, credentials
from app.devices.rules import Device, Secret, State
from app.disclosure.looks import Look
from app.kit.models import new_id
from app.kit.routing import GuardedRouter
from app.main import create_app
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.standing import Viewer
from tests.devices.calls import basic
from tests.support.application import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

router = GuardedRouter()


@router.get("/test/look")
async def look(viewer: Annotated[Viewer, Depends(DeviceGuard())]) -> Response:
    return Response(viewer.caller)


async def placed(world: World, **members: object) -> tuple[Device, str]:
    """Put a device and a secret into the store."""
    application = world.application
    now, desk = application.clock.now(), application.devices
    device = Device(
        id=new_id(),
        kind="desk_phone",
        vendor="yealink",
        model="T54W",
        serial=None,
        mac_address=None,
        label=None,
        department_id=world.departments["RD"],
        room=None,
        follows="place",
        state=State.IN_USE,
        row_version=1,
        created_at=now,
        updated_at=now,
    )
    device, secret = replace(device, **members), desk.kept.new()  # type: ignore[arg-type]  # a test's members
    async with application.database.unit_of_work() as unit:
        await desk.rows.add(unit.session, device)
        await desk.rows.add_secret(
            unit.session,
            Secret(
                id=new_id(),
                device_id=device.id,
                digest=desk.kept.digest(device.id, secret),
                since=now,
                until=None,
            ),
        )
    return device, secret


@pytest_asyncio.fixture(loop_scope="session")
async def phones(shared: World) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(shared.application.settings, shared.application)
    app.include_router(router)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://duanhao.test") as client:
        yield client


async def test_a_device_in_use_is_a_viewer_of_c1_where_it_stands(shared: World) -> None:
    device, secret = await placed(shared)
    application = shared.application
    principal = await application.devices.door.admit(
        [(b"authorization", basic(device.id, secret)["Authorization"].encode())]
    )
    viewer = await application.standings.of(principal.subject)
    assert viewer.standing.kind == "device"
    assert viewer.standing.departments == {shared.departments["RD"]}
    colleague = await application.contact_rows.by_id(shared.people["colleague"], viewer.tree)
    assert colleague is not None
    cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(colleague.cohort, colleague.subject)
    assert {each.value: shown for each, shown in cohort.shows.items() if shown > Outcome.HIDDEN} == {
        "C1": Outcome.CLEAR
    }
    assert FieldClass.C2 not in {each for each, shown in cohort.reveals.items() if shown > Outcome.HIDDEN}


async def test_what_a_device_looked_at_stands_in_the_log_under_its_own_id(shared: World) -> None:
    device, _ = await placed(shared)
    application = shared.application
    facts, _, _ = await application.devices.rows.trusted(application.database.reader, device.id, "a", "b")
    assert facts is not None
    viewer = await application.standings.of((await principal_of(shared, device.id)).subject)
    await application.gate.disclose_plain(viewer, Look(action="phonebook.read", purpose=Purpose.WORK_CONTACT), count=0)
    found = await (await shared.as_("auditor")).get("/v1/access-events", params={"actor": str(device.id)})
    assert found.status_code == 200, found.text
    (event,) = found.json()["items"]
    assert (event["actor"]["type"], event["actor"]["id"]) == ("device", str(device.id))


async def principal_of(world: World, device: UUID) -> DevicePrincipal:
    found = await world.application.devices.rows.by_id(world.application.database.reader, device)
    assert found is not None
    return DevicePrincipal(found)


@pytest.mark.parametrize("state", [State.IN_STOCK, State.SUSPENDED, State.LOST, State.RETIRED])
async def test_a_device_that_nobody_answers_for_is_refused_like_one_that_there_is_not(
    shared: World, phones: httpx.AsyncClient, state: State
) -> None:
    device, secret = await placed(shared, state=state)
    refused = await phones.get("/test/look", headers=basic(device.id, secret))
    unknown = await phones.get("/test/look", headers=basic(new_id(), secret))
    assert refused.status_code == unknown.status_code == 401
    assert refused.headers["www-authenticate"] == unknown.headers["www-authenticate"]
    left_out = {"instance"}
    assert {k: v for k, v in refused.json().items() if k not in left_out} == {
        k: v for k, v in unknown.json().items() if k not in left_out
    }


async def test_a_wrong_secret_and_an_edited_row_open_nothing(shared: World, phones: httpx.AsyncClient) -> None:
    device, secret = await placed(shared)
    assert (await phones.get("/test/look", headers=basic(device.id, secret + "x"))).status_code == 401
    assert (await phones.get("/test/look", headers={"Authorization": "Bearer x"})).status_code == 401
    assert (await phones.get("/test/look")).status_code == 401
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(
            text("UPDATE device SET model = 'T99' WHERE model = 'T54W' AND label IS NULL AND vendor = 'yealink'")
        )
    assert (await phones.get("/test/look", headers=basic(device.id, secret))).status_code == 401


async def test_an_answer_without_a_permit_does_not_leave(shared: World, phones: httpx.AsyncClient) -> None:
    device, secret = await placed(shared)
    assert (await phones.get("/test/look", headers=basic(device.id, secret))).status_code == 500


async def test_a_secret_ends_at_its_time(shared: World, phones: httpx.AsyncClient) -> None:
    device, secret = await placed(shared)
    application = shared.application
    now = application.clock.now()
    async with application.database.unit_of_work() as unit:
        await application.devices.rows.end_secrets(unit.session, device.id, now - timedelta(seconds=1), now=now)
        await epochs.bump(unit.session, device.epoch_key)
    assert (await phones.get("/test/look", headers=basic(device.id, secret))).status_code == 401


async def test_guessing_is_slowed(shared: World, phones: httpx.AsyncClient) -> None:
    device, secret = await placed(shared)
    answers = [(await phones.get("/test/look", headers=basic(device.id, f"guess{at}"))).status_code for at in range(11)]
    assert set(answers[:10]) == {401}
    assert answers[10] == 429
    assert (await phones.get("/test/look", headers=basic(device.id, secret))).status_code == 429


@pytest.mark.parametrize(
    "header",
    [b"", b"Basic", b"Basic !!!!", b"Basic " + b64encode(b"nocolon"), b"Basic " + b"A" * 600, b"Bearer abc"],
    ids=["empty", "no credentials", "no base64", "no colon", "too long", "another scheme"],
)
async def test_what_is_no_credential_names_nobody(header: bytes) -> None:
    assert credentials([(b"authorization", header)]) == (None, "")
    assert credentials([]) == (None, "")

"""Mail: a title and a link, over TLS, to an address that was opened on record and stands nowhere else."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from pydantic import SecretStr, ValidationError
from sqlalchemy import text
from structlog.testing import capture_logs

from app.kit.errors import LogUnavailable
from app.notices.channels import Places
from app.notices.mail import written
from app.notices.notice import Audience, Notice
from app.notices.posting import Poster
from app.notices.told import MAIL_QUEUES
from app.outgoing import SmtpSettings
from tests.notices.office import LOOP, Office, opened_office
from tests.notices.test_posting import certificate
from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.receivers import MailServer, taking_mail
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = UUID("01936b00-0000-7000-8000-000000000001")


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[MailServer]:
    async with taking_mail() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def mailing(shared: World, server: MailServer) -> AsyncIterator[Office]:
    """Open the office once what others told in the shared company has been mailed and forgotten."""
    smtp = SmtpSettings(host="127.0.0.1", port=server.port, security="none", sender="duanhao@example.com")
    async with opened_office(shared, smtp=smtp) as office:
        await office.run()
        async with shared.application.database.unit_of_work() as unit:
            await unit.session.execute(text("DELETE FROM notice_delivery WHERE queue LIKE 'mail:%'"))
        server.got.clear()
        yield office


def addressed(server: MailServer) -> list[str]:
    return sorted(to for to, _ in server.got)


async def rows(office: Office) -> list[tuple[Any, ...]]:
    statement = text("SELECT state, outcome, status FROM notice_delivery WHERE queue LIKE 'mail:%'")
    async with office.application.database.unit_of_work() as unit:
        return [tuple(row) for row in await unit.session.execute(statement)]


async def test_people_and_holders_of_roles_get_one_mail_each(mailing: Office, server: MailServer) -> None:
    people = mailing.world.people
    notice = await mailing.tell(audience=Audience(people=(people["staff"], people["hr"]), roles=("hr",)))
    await mailing.run()
    told = addressed(server)
    assert {PEOPLE["staff"].email, PEOPLE["hr"].email} <= set(told)
    assert len(told) == len(set(told)), "who is named and holds the role gets one"
    assert PEOPLE["colleague"].email not in told
    mail = server.got[0][1]
    assert str(make_header(decode_header(str(mail["Subject"])))) == "【短号】有新的申请 · A request was filed"
    assert (mail["From"], mail["Auto-Submitted"]) == ("duanhao@example.com", "auto-generated")
    body = mail.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert f"https://d.example.com/requests/{notice.subject['id']}" in body.decode()
    assert "pending" not in body.decode()
    assert {row[0] for row in await rows(mailing)} == {"delivered"}


async def test_each_opening_is_on_record_before_and_the_address_is_nowhere_else(
    mailing: Office, server: MailServer
) -> None:
    someone = await add_person(mailing.world)
    with capture_logs() as logged:
        await mailing.tell(audience=Audience(people=(someone.id,)))
        await mailing.run()
    (address,) = addressed(server)
    assert address == f"someone{someone.number}@example.com"
    assert address not in str(logged)
    auditor = await mailing.world.as_("auditor")
    events = (
        await auditor.get("/v1/access-events", params={"contact": str(someone.id), "action": "notice.mail"})
    ).json()
    (event,) = events["items"]
    assert (event["actor"]["type"], event["actor"]["id"], event["purpose"]) == ("system", "job:notices", "system_sync")
    (contact,) = event["contacts"]
    assert (contact["id"], contact["fields"]) == (str(someone.id), {"email": "used"})
    async with mailing.application.database.unit_of_work() as unit:
        for table in ("notice", "notice_delivery", "notice_queue"):
            stored = [tuple(row) for row in await unit.session.execute(text(f"SELECT * FROM {table}"))]
            assert address not in str(stored)


async def test_without_the_log_nothing_is_opened_and_the_mail_waits(
    mailing: Office, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object, **__: object) -> None:
        raise LogUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(mailing.application.log, "permit", down)
        await mailing.tell(audience=Audience(people=(mailing.world.people["staff"],)))
        await mailing.run()
    assert server.got == []
    assert await rows(mailing) == [("waiting", "access_log_unavailable", None)]
    mailing.clock.advance(seconds=5)
    await mailing.run()
    assert len(server.got) == 1


async def test_who_has_left_or_has_no_address_gets_none(mailing: Office, server: MailServer) -> None:
    gone, bare = await add_person(mailing.world), await add_person(mailing.world, email=None)
    assert (await (await mailing.world.as_("hr")).delete(gone.path, headers={"If-Match": "*"})).status_code == 204
    await mailing.tell(audience=Audience(people=(gone.id, bare.id, ID)))
    await mailing.run()
    assert not {each.split("@")[0] for each in addressed(server)} & {gone.name, bare.name}
    assert (await rows(mailing)).count(("dead", "no_address", None)) == 3


async def test_a_recipient_who_is_refused_for_good_is_not_tried_again(mailing: Office, server: MailServer) -> None:
    people = mailing.world.people
    server.recipients[:] = [550]
    await mailing.tell(audience=Audience(people=(people["staff"],)))
    await mailing.run()
    assert await rows(mailing) == [("dead", "recipient_refused", 550)]
    server.recipients[:] = [451, 250]
    await mailing.tell(audience=Audience(people=(people["head"],)))
    await mailing.run()
    assert server.got == []
    mailing.clock.advance(seconds=5)
    await mailing.run()
    assert addressed(server) == [PEOPLE["head"].email]


async def test_without_a_mail_server_nobody_is_mailed(office: Office) -> None:
    await office.tell(audience=Audience(people=(office.world.people["staff"],)))
    await office.run()
    assert await rows(office) == []


async def test_mail_is_in_four_queues_and_a_person_in_one(mailing: Office, server: MailServer) -> None:
    someone = await add_person(mailing.world)
    for _ in range(3):
        await mailing.tell(audience=Audience(people=(someone.id,)))
    await mailing.run()
    assert len(server.got) == 3
    async with mailing.application.database.unit_of_work() as unit:
        queues = set(await unit.session.scalars(text("SELECT DISTINCT queue FROM notice_delivery")))
    assert len(queues) == 1
    assert queues < set(MAIL_QUEUES)


async def test_tls_is_demanded_and_verified(shared: World, tmp_path: Path) -> None:
    serves, believes = certificate(tmp_path, "localhost")
    password = SecretStr("a password of nobody")
    async with taking_mail(serves) as secure, taking_mail() as plain:
        for server, trust, outcome in (
            (secure, believes, ("delivered", "delivered", 250)),
            (secure, None, ("waiting", "tls_failed", None)),
            (plain, believes, ("waiting", "tls_failed", None)),
        ):
            smtp = SmtpSettings(host="localhost", port=server.port, username="duanhao", password=password)
            async with opened_office(shared, smtp=smtp) as office:
                office.use(office.desk.made_courier(Poster(LOOP), chance=lambda: 0, trust=trust))
                await office.tell(audience=Audience(people=(shared.people["staff"],)))
                await office.run()
                assert await rows(office) == [outcome]
        (login,) = secure.logins
        assert base64.b64decode(login.split()[-1]) == b"\0duanhao\0a password of nobody"
        assert (len(secure.got), plain.got, plain.logins) == (1, [], [])


async def test_a_server_that_is_not_there_is_tried_again(shared: World) -> None:
    async with taking_mail() as server:
        port = server.port
    async with opened_office(shared, smtp=SmtpSettings(host="127.0.0.1", port=port, security="none")) as office:
        await office.tell(audience=Audience(people=(shared.people["staff"],)))
        await office.run()
        assert await rows(office) == [("waiting", "unreachable", None)]


async def test_mail_in_clear_stays_on_this_machine() -> None:
    for host in ("mail.example.com", "10.0.0.1", "localhost.example.com"):
        with pytest.raises(ValidationError):
            SmtpSettings(host=host, security="none")
    for sender in ("a@b@c", "a b@example.com", "a@example.com\r\nBcc: x@example.com", "<a@example.com>"):
        with pytest.raises(ValidationError):
            SmtpSettings(sender=sender)


async def test_an_address_cannot_add_headers() -> None:
    notice = Notice(id=ID, type="request.filed", occurred_at=datetime(2026, 1, 1, tzinfo=UTC), body={})
    with pytest.raises(ValueError, match="linefeed"):
        written(notice, ID, "a@example.com\r\nBcc: b@example.com", "d@example.com", Places("", ""), notice.occurred_at)

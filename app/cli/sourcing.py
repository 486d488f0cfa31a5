"""What the commands of ``hr sources`` do: giving a secret takes two operators, taking signatures no more takes one.

Whoever holds a source's secret sends as the service account that it is bound to. So a secret is made as a client's is (``giving``), and
whoever answers for that service account is told of each one.
"""

from datetime import datetime, timedelta
from typing import Final

from app.application import Application
from app.auth.errors import AccountRefused
from app.cli.giving import AT_ONCE, second
from app.cli.session import operator
from app.custody.founding import Waits
from app.hr.sources import HrSource

_SECOND: Final = "%Y-%m-%dT%H:%M:%SZ"


async def add(application: Application, name: str, client_id: str) -> str | Waits:
    """Register a source and give its secret. Raises ``SourceUnfit``, ``SourceExists`` and ``TooManySources``."""
    sources, detail = application.hr.sources, {"source": name, "client_id": client_id}
    async with application.database.unit_of_work() as unit:
        await sources.fit(unit.session, name, client_id)
        waits = await second(application, unit, "hr_source.create", name, detail)
        if waits is not None:
            return waits
        owner = (await application.clients.by_client_id(unit.session, client_id)).owner  # type: ignore[union-attr]  # it is fit
        await application.custody.founding.record(unit, operator(), "hr_source.create", detail, contact=owner)
        return await sources.add(unit.session, name, client_id)


async def rotate(application: Application, name: str, overlap_hours: int) -> str | Waits:
    """Give a source another secret, and the older one some hours more. Raises ``SourceNotFound``."""
    async with application.database.unit_of_work() as unit:
        source = await application.hr.sources.in_use(unit.session, name)
        detail = {"source": name, "client_id": source.client_id, "overlap_hours": overlap_hours}
        waits = await second(application, unit, "hr_source.rotate", name, detail, wait_days=AT_ONCE)
        if waits is not None:
            return waits
        client = await application.clients.by_client_id(unit.session, source.client_id)
        owner = None if client is None else client.owner
        await application.custody.founding.record(unit, operator(), "hr_source.rotate", detail, contact=owner)
        return await application.hr.sources.rotate(unit.session, name, overlap=timedelta(hours=overlap_hours))


async def disable(application: Application, name: str) -> None:
    """Take no signature of a source any more. Raises ``SourceNotFound``."""
    async with application.database.unit_of_work() as unit:
        source = await application.hr.sources.in_use(unit.session, name)
        detail = {"source": name, "client_id": source.client_id}
        try:
            client = await application.clients.by_client_id(unit.session, source.client_id)
        except AccountRefused:
            client = None
        owner = None if client is None else client.owner
        await application.custody.founding.record(unit, operator(), "hr_source.disable", detail, contact=owner)
        await application.hr.sources.disable(unit.session, name)


def line(source: HrSource, now: datetime) -> str:
    """Write a source on a line, the secrets by their times."""
    until = source.former_until
    older = [] if until is None or until <= now else [f"older={until:{_SECOND}}"]
    return "\t".join((source.name, source.state.value, source.client_id, f"since={source.since:{_SECOND}}", *older))

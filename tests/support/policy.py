"""Other rules for a test: a pack put in force for one process, or in the store as the installer does."""

import pytest

from app.application import Application
from app.auth.repository import Source
from app.permissions.pack import Pack, canonical, named
from app.permissions.versions import Version
from app.policy.founding import INSTALLER
from app.policy.service import Grounds


async def pack_in_force(application: Application) -> Pack:
    """Give the pack in force."""
    pack, _ = await application.packs.current(application.database.reader)
    return pack


async def without_rule(monkeypatch: pytest.MonkeyPatch, application: Application, *rule: str) -> None:
    """Let the process read the pack in force without some of its rules."""
    pack = await pack_in_force(application)
    rules = tuple(each for each in pack.rules if each.id not in rule)
    assert len(rules) == len(pack.rules) - len(rule)
    fewer = pack.model_copy(update={"rules": rules})

    async def at(source: Source, epoch: int) -> Pack:
        del source, epoch
        return fewer

    monkeypatch.setattr(application.packs, "at", at)
    application.standings.forget()


async def store(application: Application, pack: Pack) -> Version:
    """Keep a pack as a candidate."""
    pack = named(pack)
    async with application.database.unit_of_work() as unit:
        version, _ = await application.policy.service.store(unit, INSTALLER, pack, canonical(pack).decode())
    return version


async def activate(application: Application, pack: Pack) -> Version:
    """Keep a pack and put it in force, as the installer's command does."""
    version = await store(application, pack)
    async with application.database.unit_of_work() as unit:
        await application.policy.service.activate(unit, INSTALLER, version, Grounds(reason="a test"))
    return version

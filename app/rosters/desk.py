"""Every kind of import together, as the composition root sees them: the live number plan, and people."""

from collections.abc import Callable
from typing import Protocol

from app.approvals.persons import Persons
from app.config import ContactsSettings
from app.contacts.keeping import ContactKeeper
from app.contacts.repository import ContactRepository
from app.disclosure.showing import Showing
from app.imports.desk import ImportDesk
from app.imports.kinds import ImportKind
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.numbers.desk import NumberDesk
from app.numbers.importing import NUMBER_PLAN
from app.permissions.jobs import JobQueue
from app.rosters.importing import CONTACTS, RosterImport
from app.rosters.profile import load


class Queue(Protocol):
    """The desk of jobs."""

    @property
    def service(self) -> JobQueue:
        """Where jobs are asked for."""
        ...


class Known(Protocol):
    """The desk of delegations."""

    @property
    def persons(self) -> Persons:
        """Who is one person."""
        ...


class Governed(Protocol):
    """What other desks brought together."""

    @property
    def jobs(self) -> Queue:
        """The desk of jobs."""
        ...

    @property
    def delegations(self) -> Known:
        """The desk of delegations."""
        ...


def import_desk(
    showing: Showing,
    settings: ContactsSettings,
    numbers: NumberDesk,
    keeper: ContactKeeper,
    contacts: ContactRepository,
    governed: Governed,
    database: Database,
    idempotency: Idempotency,
    key: Callable[[str], bytes],
) -> ImportDesk:
    """Make what takes files in; raise ``BadProfileError`` for a profile of the operator's own that is not understood."""
    people = RosterImport(
        keeper=keeper,
        naming=keeper.naming,
        contacts=contacts,
        forms=keeper.forms,
        profiles=load(settings.import_profiles),
        region=settings.default_region,
        database=database,
    )
    kinds: dict[str, ImportKind] = {NUMBER_PLAN: numbers.importing(database), CONTACTS: people}
    return ImportDesk(
        showing,
        kinds,
        key=key,
        jobs=governed.jobs.service,
        persons=governed.delegations.persons,
        database=database,
        idempotency=idempotency,
    )

"""Every kind of import together, as the composition root sees them: the live number plan, and people."""

from collections.abc import Callable

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


def import_desk(
    showing: Showing,
    settings: ContactsSettings,
    *,
    numbers: NumberDesk,
    keeper: ContactKeeper,
    contacts: ContactRepository,
    key: Callable[[str], bytes],
    jobs: JobQueue,
    persons: Persons,
    database: Database,
    idempotency: Idempotency,
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
    return ImportDesk(showing, kinds, key=key, jobs=jobs, persons=persons, database=database, idempotency=idempotency)

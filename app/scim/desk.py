"""Provisioning as the application sees it, made of what there is.

What serves requests needs the library, which takes seconds to import; so it is made when the first request comes.
"""

from typing import Any, Protocol

from app.audit.terms import Terms
from app.config import Settings
from app.contacts.naming import Naming
from app.contacts.provisioned import ProvisionedContacts
from app.contacts.repository import ContactRepository
from app.contacts.retagging import CardRetagger
from app.contacts.rights import CurrentRights
from app.contacts.writer import ContactWriter
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.disclosure.gate import Gate
from app.hr.desk import HrDesk
from app.kit.clock import Clock
from app.kit.db import Database
from app.lookups.desk import LookupDesk
from app.permissions.standing import Standings, Viewer
from app.scim.groups import Groups
from app.scim.reading import UserReader
from app.scim.repository import SCIM, ScimRepository
from app.scim.writing import UserWriter


class HoldsKeys(Protocol):
    """What makes the keys of tables."""

    def mac_key(self, label: str) -> bytes:
        """Give the key of one table's MACs."""
        ...


class Provides(Protocol):
    """What provisioning needs of the application."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102 — named by its type
    @property
    def clock(self) -> Clock: ...  # noqa: D102 — named by its type
    @property
    def database(self) -> Database: ...  # noqa: D102 — named by its type
    @property
    def keyring(self) -> HoldsKeys: ...  # noqa: D102 — named by its type
    @property
    def sealer(self) -> Sealer: ...  # noqa: D102 — named by its type
    @property
    def gate(self) -> Gate: ...  # noqa: D102 — named by its type
    @property
    def standings(self) -> Standings: ...  # noqa: D102 — named by its type
    @property
    def contact_rows(self) -> ContactRepository: ...  # noqa: D102 — named by its type
    @property
    def contact_writer(self) -> ContactWriter: ...  # noqa: D102 — named by its type
    @property
    def hr(self) -> HrDesk: ...  # noqa: D102 — named by its type
    @property
    def lookups(self) -> LookupDesk: ...  # noqa: D102 — named by its type
    @property
    def terms(self) -> Terms: ...  # noqa: D102 — named by its type


class ScimDesk:
    """Reads and writes for provisioning clients."""

    def __init__(self, application: Provides) -> None:
        """Take what there is."""
        reader, gate, contacts = application.database.reader, application.gate, application.contact_rows
        rights, found = CurrentRights(application.standings), ProvisionedContacts(reader)
        self.rows = ScimRepository(reader, RowSigner(application.keyring.mac_key(SCIM)))
        self._database, self._standings = application.database, application.standings
        self._fuse = application.hr.leavers.fuse
        self.most_bytes = application.settings.http.max_body_bytes
        self._lookups, self._terms = application.lookups.service, application.terms
        self._users = UserReader(
            contacts=contacts,
            found=found,
            rows=self.rows,
            gate=gate,
            rights=rights,
            sealer=application.sealer,
            reader=reader,
        )
        self._writer = UserWriter(
            database=application.database,
            applier=application.hr.applier,
            leavers=application.hr.leavers,
            writer=application.contact_writer,
            contacts=contacts,
            naming=Naming(contacts=contacts, gate=gate),
            rows=self.rows,
            clock=application.clock,
            parking=application.settings.scim.department,
        )
        self._groups = Groups(
            database=application.database,
            rows=self.rows,
            found=found,
            retagger=CardRetagger(
                sealer=application.sealer, tracer=application.contact_writer.tracer, clock=application.clock
            ),
            gate=gate,
            rights=rights,
            clock=application.clock,
        )

    async def sweep(self) -> int:
        """Forget what clients called those who were archived; tell how many links went."""
        async with self._database.unit_of_work() as unit:
            return await self.rows.sweep(unit.session)

    def storage(self, viewer: Viewer, provider: Any) -> Any:  # noqa: ANN401 — the library's, which is imported here
        """Make the storage of one caller."""
        from app.scim.ending import Endings  # noqa: PLC0415 — with the library, when the first request comes
        from app.scim.storage import Storage  # noqa: PLC0415 — with the library, when the first request comes

        return Storage(
            viewer,
            provider,
            users=self._users,
            writer=self._writer,
            groups=self._groups,
            rows=self.rows,
            lookups=self._lookups,
            terms=self._terms,
            standings=self._standings,
            endings=Endings(self._fuse, self._users, self._database.reader),
        )

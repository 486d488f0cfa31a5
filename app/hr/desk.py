"""Personnel events as the composition root sees them: what takes them, one or many, and what shows them to their source."""

from collections.abc import Callable

from app.audit.terms import Terms
from app.contacts.members import MemberReader
from app.crypto.sealer import Sealer
from app.departments.service import DepartmentService
from app.disclosure.showing import Showing
from app.hr.applying import Applier
from app.hr.batching import HrBatches
from app.hr.numbers import Numbers
from app.hr.reading import LedgerReader, LookKeys
from app.hr.repository import HrLedger
from app.hr.service import HrService, LedgerKeys
from app.hr.subjects import People, Subjects
from app.kit.clock import Clock
from app.kit.db import Database


class HrDesk:
    """Takes events and shows them."""

    def __init__(
        self,
        showing: Showing,
        *,
        database: Database,
        people: People,
        members: MemberReader,
        numbers: Numbers,
        departments: DepartmentService,
        sealer: Sealer,
        terms: Terms,
        key: Callable[[str], bytes],
        clock: Clock,
    ) -> None:
        """Take how looks are shown, the store, whom events are about, what they change, the ledger's sealer and keys, and the clock."""
        subjects, ledger = Subjects(people), HrLedger()
        keys = LedgerKeys(key("hr-subject"), key("hr-body"))
        applier = Applier(people=people, subjects=subjects, numbers=numbers, departments=departments, clock=clock)
        self.service = HrService(
            ledger=ledger,
            applier=applier,
            subjects=subjects,
            members=members,
            sealer=sealer,
            keys=keys,
            clock=clock,
        )
        self.batches = HrBatches(database=database, service=self.service, standings=showing.standings, clock=clock)
        self.ledger = LedgerReader(
            ledger=ledger,
            subjects=subjects,
            reader=showing.reader,
            gate=showing.gate,
            standings=showing.standings,
            keys=LookKeys(keys, terms, showing.cursors),
        )

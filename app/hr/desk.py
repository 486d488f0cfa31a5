"""Personnel events as the composition root sees them: what takes them, one or many, what settles them later, what shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from app.audit.terms import Terms
from app.auth.repository import ClientRepository
from app.clocks.service import Clocks
from app.contacts.headcount import HeadCount
from app.contacts.members import MemberReader
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.secretbox import SecretBox
from app.departments.service import DepartmentService
from app.disclosure.showing import Showing
from app.hr.backlog import Backlog
from app.hr.batching import HrBatches
from app.hr.deciding import LedgerKeeper
from app.hr.erasing import LedgerTraces
from app.hr.fuse import Limits
from app.hr.fusing import LeaverFuse
from app.hr.known import SUBJECTS, KnownSubjects, LedgerKeys
from app.hr.leavers import Leavers
from app.hr.numbers import Numbers
from app.hr.reading import LedgerReader, LookKeys
from app.hr.repository import HrLedger
from app.hr.senders import Senders
from app.hr.service import HrService
from app.hr.settling import Settling
from app.hr.source_names import SourceNames
from app.hr.sources import HR_SOURCE, SourceRows, Sources
from app.hr.subjects import People, Subjects
from app.hr.sweeping import HrSweep
from app.hr.taking import HrTaking
from app.hr.telling import Telling
from app.hr.timing import TimedApplier, Timing
from app.kit.clock import Clock
from app.kit.db import Database
from app.notices.teller import Teller


@dataclass(frozen=True, slots=True)
class Personnel:
    """Whom events are about, who sends them, who is told when one fails, how long one waits, and how many may leave at once."""

    people: People
    senders: Senders
    teller: Teller
    wait: timedelta
    limits: Limits


class HrDesk:
    """Takes events, settles them when they are due, and shows them."""

    def __init__(
        self,
        showing: Showing,
        personnel: Personnel,
        *,
        database: Database,
        members: MemberReader,
        numbers: Numbers,
        departments: DepartmentService,
        sealer: Sealer,
        terms: Terms,
        key: Callable[[str], bytes],
        clients: ClientRepository,
        clocks: Clocks,
        clock: Clock,
    ) -> None:
        """Take how looks are shown, people and senders, the store, what events change, the ledger's sealer and keys, and the clock."""
        sources = SourceRows(RowSigner(key(HR_SOURCE)))
        self.sources = Sources(sources, box=SecretBox(key("hr-source-secret")), clients=clients, clock=clock)
        subjects, ledger = Subjects(personnel.people), HrLedger()
        keys = LedgerKeys(key("hr-subject"), key("hr-body"))
        known = KnownSubjects(
            contacts=personnel.people.contacts,
            sealer=sealer,
            signer=RowSigner(key(SUBJECTS)),
            keys=keys,
            clock=clock,
        )
        self.traces = LedgerTraces(ledger, known)
        timing = Timing(clocks, keys)
        self.applier = TimedApplier(
            timing,
            people=personnel.people,
            subjects=subjects,
            known=known,
            ledger=ledger,
            numbers=numbers,
            departments=departments,
            clock=clock,
        )
        backlog = Backlog(
            ledger=ledger, reader=showing.reader, gate=showing.gate, sealer=sealer, senders=personnel.senders
        )
        settling = Settling(
            ledger=ledger,
            applier=self.applier,
            known=known,
            subjects=subjects,
            sealer=sealer,
            timing=timing,
            clock=clock,
            wait=personnel.wait,
        )
        telling = Telling(personnel.teller, clock)
        fuse = LeaverFuse(ledger=ledger, heads=HeadCount(sealer), limits=personnel.limits, clock=clock)
        self.leavers = Leavers(ledger=ledger, keys=keys, fuse=fuse, clock=clock)
        self.service = HrService(
            ledger=ledger,
            backlog=backlog,
            settling=settling,
            subjects=subjects,
            members=members,
            telling=telling,
            names=SourceNames(sources, ledger, showing.reader),
            fuse=fuse,
            keys=keys,
            clock=clock,
        )
        self.taking = HrTaking(database=database, service=self.service, standings=showing.standings)
        self.batches = HrBatches(database=database, service=self.service, taking=self.taking, fuse=fuse, clock=clock)
        self.sweep = HrSweep(
            database=database,
            ledger=ledger,
            backlog=backlog,
            settling=settling,
            service=self.service,
            known=known,
            keys=keys,
            telling=telling,
            clock=clock,
        ).sweep
        self.keeper = LedgerKeeper(
            database=database,
            standings=showing.standings,
            ledger=ledger,
            backlog=backlog,
            settling=settling,
            service=self.service,
            known=known,
            sealer=sealer,
            clock=clock,
        )
        self.ledger = LedgerReader(
            ledger=ledger,
            subjects=subjects,
            reader=showing.reader,
            gate=showing.gate,
            standings=showing.standings,
            keys=LookKeys(keys, terms, showing.cursors),
        )

"""Checks, drift and exports as the composition root sees them."""

from app.calling.repository import PrivilegeRepository
from app.devices.repository import DeviceRepository
from app.disclosure.acquaintances import Acquaintances, ClosedContacts
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.numbers.fact_repository import FactRepository
from app.switching.checking import Examination, NumberChecks
from app.switching.exporting import PlanExports
from app.switching.live import LivePlan
from app.switching.reconciling import Reconciliations


class SwitchingDesk:
    """Tells exchanges and keepers of the plan."""

    def __init__(
        self,
        showing: Showing,
        *,
        database: Database,
        privileges: PrivilegeRepository,
        contacts: ClosedContacts,
        devices: DeviceRepository,
    ) -> None:
        """Take what desks share, the store, the calling privileges, and where people and devices are found."""
        people = Acquaintances(contacts, showing.gate)
        examination = Examination(FactRepository(), privileges)
        self.checks = NumberChecks(showing, database=database, examination=examination, people=people)
        live = LivePlan(showing, privileges=privileges, contacts=contacts, devices=devices)
        self.reconciliations = Reconciliations(showing, live=live)
        self.exports = PlanExports(showing, live=live)

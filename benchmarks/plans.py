"""P10: a plan compiled for a viewer, and applied to a contact. ``python -m benchmarks.plans ROUNDS SECONDS``.

The pack is the default one, padded to sixty rules that all have to be looked at; the contact is an employee with all its fourteen protected
fields. Runs in a process of its own on the server's core and prints JSON: milliseconds for plans, microseconds for contacts.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from os import urandom
from typing import Final
from uuid import UUID

import orjson

from app.contacts.fields import CATALOGUE
from app.crypto.datakey import WrappedDataKey
from app.crypto.envelope import Box, cut
from app.crypto.keyring import KekMaterial, Keyring, Opener
from app.crypto.permit import Permit, mint
from app.crypto.sealer import Sealer
from app.disclosure.fields import MaskKind
from app.disclosure.programs import Pattern, Programs
from app.kit.models import new_id
from app.permissions.outcomes import Purpose, Tier
from app.permissions.pack import Effect, Pack, Rule, load
from app.permissions.plan import CohortKey, Plan, Standing
from benchmarks.machine import SERVER_CORE, pin
from benchmarks.stores import CONTACTS

RULES: Final = 60
_NOW: Final = datetime.now(UTC)
_VALUES: Final = {
    MaskKind.MOBILE: "+8613800001234",
    MaskKind.LANDLINE: "+861088881234",
    MaskKind.EMAIL: "person1234@example.com",
    MaskKind.HANDLE: "wx_1234_x",
    MaskKind.ID_NUMBER: "11010519491231002X",
    MaskKind.ADDRESS: "北京市海淀区无名路 1 号",
    MaskKind.DATE: "1990-01-31",
    MaskKind.PLATE: "京A12345",
    MaskKind.TEXT: "不吃香菜",
    MaskKind.RELATIONS: '[{"kind":"emergency","name":"张三","phone":"+8613800001234"}]',
}


def padded_pack() -> Pack:
    """Give the default pack with further rules that every viewer's plan has to keep and every cohort has to try."""
    pack = load()
    pattern = next(rule for rule in pack.rules if rule.effect is Effect.GRANT and "person" in rule.viewer.kinds)
    more = [
        Rule.model_validate({**pattern.model_dump(), "id": f"padding.rule_{at}"})
        for at in range(RULES - len(pack.rules))
    ]
    return pack.model_copy(update={"rules": (*pack.rules, *more)})


@dataclass(frozen=True, slots=True)
class Contact:
    """A closed contact."""

    subject: UUID
    key: WrappedDataKey
    boxes: tuple[Box | None, ...]
    present: int


def contacts_of(keyring: Keyring, count: int) -> list[Contact]:
    """Make employees with every field that an employee may carry."""
    sealer, made = Sealer(keyring), []
    for _ in range(count):
        subject = new_id()
        own, key = sealer.new(subject)
        boxes = tuple(
            cut(field.name, own.seal(field.name, _VALUES[field.mask]).envelope) if "employee" in field.kinds else None
            for field in CATALOGUE.protected
        )
        made.append(Contact(subject, key, boxes, sum(1 << at for at, box in enumerate(boxes) if box is not None)))
    return made


def _best(work: Callable[[], object], seconds: float, per: int = 1) -> float:
    """Run ``work`` for so many seconds; give the processor seconds of the quickest run, divided by ``per``."""
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best / per


class _Bench:
    """One viewer, staff of the contacts' own department, so that every field but C5 is opened and most are masked."""

    def __init__(self) -> None:
        self.pack, department = padded_pack(), new_id()
        self.standing = Standing(
            kind="person",
            actor_id=str(new_id()),
            name="王明",
            client_id="intranet",
            scopes=frozenset({"contacts:read"}),
            tier=Tier.T1,
            worker_kind="regular",
            contact_id=new_id(),
            main_department=department,
            departments=frozenset({department}),
        )
        self.cohort = CohortKey("employee", "regular", "active", "normal", (department,))
        from app.assembly import BITS  # noqa: PLC0415 — the import is slow and not measured

        self.programs = Programs(CATALOGUE, BITS)
        purposes = ("field", "index", "sign")
        keyring = Keyring([KekMaterial(each, 1, current=True, key=urandom(32)) for each in purposes])  # type: ignore[arg-type]  # literals
        self.contacts = contacts_of(keyring, CONTACTS)
        self.opener = Opener(keyring)
        self.plan = self.compile()

    def compile(self) -> Plan:
        """Compile a plan, with the first verdict and its program."""
        plan = Plan(self.pack, self.standing, Purpose.WORK_CONTACT, _NOW)
        self.programs.card(plan.cohort(self.cohort, self.contacts[0].subject), "employee")
        return plan

    def permit(self) -> Permit:
        """Mint a permit for everybody."""
        program = self.programs.card(self.plan.cohort(self.cohort, self.contacts[0].subject), "employee")
        scope = {each.subject: program.scope for each in self.contacts}
        return mint(event_id=new_id(), index=0, expires=time.monotonic() + 3600, scope=scope)

    def _pattern(self, each: Contact) -> Pattern:
        program = self.programs.card(self.plan.cohort(self.cohort, each.subject), "employee")
        return program.pattern(each.present)

    def verdicts(self) -> None:
        for each in self.contacts:
            self.programs.card(self.plan.cohort(self.cohort, each.subject), "employee")

    def applied(self, opened: list[list[str]]) -> None:
        for each, values in zip(self.contacts, opened, strict=True):
            pattern = self._pattern(each)
            pattern.opening(each.boxes)
            pattern.written(b"", values)

    def opened(self, permit: Permit) -> list[list[str]]:
        found = []
        for each in self.contacts:
            opening = self._pattern(each).opening(each.boxes)
            found.append(self.opener.open_boxes(permit, each.subject, each.key, opening))
        return found

    def whole(self, permit: Permit) -> None:
        for each in self.contacts:
            pattern = self._pattern(each)
            pattern.written(b"", self.opener.open_boxes(permit, each.subject, each.key, pattern.opening(each.boxes)))


def measured(rounds: int, seconds: float) -> dict[str, object]:
    """Measure every part; the quickest run counts, because nothing but disturbance makes one slower."""
    bench = _Bench()
    permit = bench.permit()
    opened = bench.opened(permit)
    count, part = len(bench.contacts), rounds * seconds / 6
    program = bench.programs.card(bench.plan.cohort(bench.cohort, bench.contacts[0].subject), "employee")
    return {
        "rules": len(bench.pack.rules),
        "fields": len(program.steps),
        "fields_opened": sum(step.opens for step in program.steps),
        "plan_ms": 1e3 * _best(lambda: Plan(bench.pack, bench.standing, Purpose.WORK_CONTACT, _NOW), part),
        "plan_and_first_verdict_ms": 1e3 * _best(bench.compile, part),
        "verdict_us": 1e6 * _best(bench.verdicts, part, count),
        "verdict_and_masks_us": 1e6 * _best(lambda: bench.applied(opened), part, count),
        "opening_us": 1e6 * _best(lambda: bench.opened(permit), part, count),
        "verdict_opening_and_masks_us": 1e6 * _best(lambda: bench.whole(permit), part, count),
    }


def main() -> None:
    """Measure and print."""
    pin(SERVER_CORE)
    print(orjson.dumps(measured(int(sys.argv[1]), float(sys.argv[2]))).decode())


if __name__ == "__main__":
    main()

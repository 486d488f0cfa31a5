"""P7: a head-count of many people, one in a hundred changed, held against the directory. ``python -m benchmarks.reconciling PEOPLE``.

Runs in a process of its own on the server's core, over a store that the environment names, and prints JSON: people compared per second, and
by how many mebibytes the process grew beyond what it had when idle, the upload included. The file is handed in and the job run by the
service's own objects, as a worker does. A tenth of the people is measured first, so that growth with size shows.
"""

import asyncio
import gc
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from app.application import Application
from app.auth.clients import NewClient
from app.auth.subject import Service
from app.composition import open_application
from app.config import Settings
from app.contacts.indexing import index_all
from app.contacts.models import Contact, ContactDepartment
from app.contacts.record import pack_digests
from app.contacts.rows import covered
from app.crypto.stored import add_key
from app.departments.schemas import DepartmentCreate
from app.jobs.registry import job_handlers
from app.kit.models import new_id
from app.kit.uploads import Upload
from app.permissions.standing import Viewer
from app.reconciliations.keeping import COMPARE
from app.reconciliations.schemas import ReconciliationAsk
from benchmarks.crowds import names
from benchmarks.machine import SERVER_CORE, pin
from benchmarks.stores import AUTHOR

LARGE: Final = 100_000
_AT_ONCE: Final = 500
_CHANGED: Final = 100
"""One of so many has another title, and one of so many another mobile."""
_PAGE_BYTES: Final = 4096
_CLIENT: Final = "hr-bench"


def _values(number: int) -> dict[str, str]:
    return {
        "mobile": f"+8613{number:09d}",
        "email": f"p{number}@example.com",
        "office_phone": f"+86108{number % 10_000_000:07d}",
        "wechat": f"wx_{number}",
    }


async def crowd(application: Application, department: str, first: int, people: list[str]) -> None:
    """Write people as the service would, without history: that is not read here."""
    new = DepartmentCreate(code=department, name=department)
    async with application.database.unit_of_work() as unit:
        place = (await application.departments.create(unit, AUTHOR, new)).node.id
    for start in range(0, len(people), _AT_ONCE):
        async with application.database.unit_of_work() as unit:
            made = [
                _person(application, unit.session, name, first + start + at, place)
                for at, name in enumerate(people[start : start + _AT_ONCE])
            ]
            await unit.session.flush()
            unit.session.add_all(ContactDepartment(contact_id=each.id, department_id=place) for each in made)
            await index_all(unit.session, made)


def _person(application: Application, session: Any, name: str, number: int, department: UUID) -> Contact:  # noqa: ANN401 — a session
    identity, now = new_id(), application.clock.now()
    sealer, wrapped = application.sealer.new(identity)
    values = _values(number)
    contact = Contact(
        id=identity,
        kind="employee",
        worker_kind="regular",
        status="active",
        secrecy="normal",
        name=name,
        user_name=f"person{number}",
        user_name_key=f"person{number}",
        employee_no=f"P{number}",
        department_id=department,
        title="工程师",
        memberships=[],
        short_numbers=[],
        tags=[],
        row_version=1,
        **{field: sealer.seal(field, value) for field, value in values.items()},
        digests=pack_digests({field: sealer.digest(field, value) for field, value in values.items()}),
        mac=b"",
        created_at=now,
        updated_at=now,
    )
    contact.mac = sealer.mac(covered(contact))
    session.add(contact)
    add_key(session, identity, wrapped, at=now)
    return contact


def head_count(department: str, first: int, people: list[str]) -> bytes:
    """Write the file, in no order: one in a hundred changed, as a personnel system has them."""
    lines = []
    for at, name in enumerate(people):
        number = first + at
        told = {
            "employee_no": f"P{number}",
            "name": name,
            "user_name": f"person{number}",
            "department": department,
            "title": "高级工程师" if at % (2 * _CHANGED) == 0 else "工程师",
            "mobile": f"139{number:08d}" if at % (2 * _CHANGED) == _CHANGED else f"13{number:09d}",
            "email": f"p{number}@example.com",
            "office_phone": f"010-8{number % 10_000_000:07d}",
            "wechat": f"wx_{number}",
        }
        lines.append(orjson.dumps(told))
    random.Random(20_261_122).shuffle(lines)
    return b"\n".join(lines)


@contextmanager
def growth(found: dict[str, float]) -> Iterator[None]:
    """Note by how many mebibytes this process grew at most, looked at fifty times a second."""
    gc.collect()
    before, highest, over = _resident(), [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            highest[0] = max(highest[0], _resident())

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()
        found["grown_mib"] = (max(highest[0], _resident()) - before) / 2**20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


async def _reconciled(application: Application, viewer: Viewer, department: str, content: bytes) -> dict[str, Any]:
    found: dict[str, float] = {}
    handlers = job_handlers(application)
    runner = application.jobs.runner(application.database, {COMPARE: handlers[COMPARE]})
    with growth(found):
        began, used = time.perf_counter(), time.process_time()
        held = BytesIO()
        held.write(content)

        async def receive() -> Upload:
            return Upload("people", "text/plain", None, held)

        async with application.database.unit_of_work() as unit:
            ask = ReconciliationAsk(format="jsonl", department=department)
            taken = await application.reconciliations.keeper.take_in(viewer, unit, None, ask, receive)
        while await runner.once():
            pass
        seconds, cpu = time.perf_counter() - began, time.process_time() - used
    identity = taken.receipt.resource_id
    assert identity is not None
    progress = (await application.reconciliations.rows.progress(application.database.reader, [identity]))[identity]
    people = content.count(b"\n") + 1
    assert progress.counts == {"unchanged": people - people // _CHANGED, "changed": people // _CHANGED}, progress
    return {"people": people, "seconds": seconds, "per_second": people / seconds, "cpu_seconds": cpu, **found}


async def measured(settings: Settings, people: int) -> dict[str, Any]:
    """Measure a tenth of the people, then all of them; give rates, growth and the ratio of times per person."""
    async with open_application(settings) as application:
        async with application.database.unit_of_work() as unit:
            await application.clients.add(unit.session, NewClient(_CLIENT, "HR", scopes=("hr:write",)))
        few = people // 10
        crowds = [("FEW", 10_000_000, list(islice(names(), few))), ("MANY", 20_000_000, list(islice(names(), people)))]
        for code, first, named in crowds:
            await crowd(application, code, first, named)
        await application.mover.move_all()
        viewer = await application.standings.of(Service(_CLIENT, frozenset({"hr:write"})), fresh=True)
        found = []
        for code, first, named in crowds:
            content = head_count(code, first, named)
            found.append(await _reconciled(application, viewer, code, content))
        small, large = found
        per_person = (large["seconds"] / large["people"]) / (small["seconds"] / small["people"])
        return {"small": small, "large": large, "time_ratio": per_person, **large}


def main() -> None:
    """Measure and print."""
    pin(SERVER_CORE)
    print(orjson.dumps(asyncio.run(measured(Settings(), int(sys.argv[1])))).decode())


if __name__ == "__main__":
    main()

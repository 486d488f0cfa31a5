"""The inbox of a head of whom ten thousand things are asked beside that of one of whom a hundred are, in rounds that alternate.

Requests are filed once through the service and multiplied as the service stores them, each signed for itself. Measured are the first page
and one from the middle, a hundred decisions in one go, and the same first page as a constant (``bare``).
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx
import orjson

from app.application import Application
from app.approvals.request import Request
from app.approvals.schemas import RequestCreate
from app.auth.subject import Person
from app.composition import open_application
from app.departments.schemas import DepartmentAmend
from app.kit.models import new_id
from benchmarks import bare
from benchmarks.load import BadAnswerError, get, measure
from benchmarks.processes import Server, served
from benchmarks.stores import AUTHOR, Engine, Store, opened

FEW: Final = 100
MANY: Final = 10_000
PAGE: Final = 20
AT_ONCE: Final = 100
_IN_ONE: Final = 500
_PAGES: Final = 4
_WARM_SECONDS: Final = 1.5
FIRST: Final = f"/v1/requests?inbox=true&limit={PAGE}"


async def _asked_of_one(store: Store, size: int) -> None:
    """Make the first caller head of the department, and ask them ``size`` things."""
    async with open_application(store.settings) as application:
        head, *others = store.contacts
        async with application.database.unit_of_work() as unit:
            department = next(iter((await application.standings.tree()).nodes.values()))
            await application.departments.amend(unit, AUTHOR, department, DepartmentAmend(head=head))
        filed = [await _filed(application, f"u{at}", str(others[at])) for at in range(1, len(store.tokens))]
        for start in range(0, size - len(filed), _IN_ONE):
            await _more(application, filed, range(start, min(start + _IN_ONE, size - len(filed))))


async def _filed(application: Application, name: str, subject: str) -> Request:
    """File a request to see a colleague's number."""
    viewer = await application.standings.passing(Person(name, "intranet", frozenset()))
    form = {
        "fields": ["mobile"],
        "purpose": "work_contact",
        "reason": "a request of the benchmark",
        "duration_minutes": 60,
    }
    body = RequestCreate.model_validate(
        {"kind": "field.reveal", "subject": {"type": "contact", "id": subject}, "form": form}
    )
    async with application.database.unit_of_work() as unit:
        return await application.approvals.filing.file(viewer, unit, body)


async def _more(application: Application, filed: list[Request], numbers: range) -> None:
    """Store what was filed again, as requests of their own, each due a little later."""
    rows = application.approvals.requests
    async with application.database.unit_of_work() as unit:
        for number in numbers:
            like = filed[number % len(filed)]
            asked = await rows.asked(unit.session, like.id)
            later = timedelta(seconds=number + 1)
            deadlines = {step: replace(each, due=each.due + later) for step, each in like.deadlines.items()}
            await rows.add(unit.session, replace(like, id=new_id(), deadlines=deadlines), asked)


class _Head:
    """A head, and the server that tells what awaits them."""

    def __init__(self, store: Store, server: Server) -> None:
        self._port, self._token = server.port, store.tokens[0]
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{server.port}", headers={"Authorization": f"Bearer {self._token}"}, timeout=60
        )
        path = FIRST
        for _ in range(_PAGES):
            path = f"{FIRST}&cursor={self.page(path)['next']}"
        self._paths = {"first": FIRST, "later": path, "kind": f"{FIRST}&kind=field.reveal"}

    def page(self, path: str = FIRST) -> dict[str, Any]:
        """Ask for one page."""
        answer = self._client.get(path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, which: str, seconds: float) -> float:
        """Ask for so many seconds; give the milliseconds per page."""
        return 1e3 / measure(self._port, [get(self._paths[which], self._token)], seconds, check=_full).rate

    def decide(self) -> float:
        """Approve what is most urgent in one go; give the milliseconds per decision."""
        urgent = self.page(f"/v1/requests?inbox=true&limit={AT_ONCE}")["items"]
        items = [{"request": each["id"], "decision": "approve"} for each in urgent]
        began = time.perf_counter()
        answer = self._client.post("/v1/request-decisions", json={"items": items})
        ended = time.perf_counter()
        refused = [each for each in answer.raise_for_status().json()["items"] if each["problem"] is not None]
        if refused:
            message = f"a decision was refused: {refused[0]}"
            raise BadAnswerError(message)
        return 1e3 * (ended - began) / len(items)


def _full(body: bytes) -> None:
    if len(orjson.loads(body)["items"]) != PAGE:
        message = "not a whole page"
        raise BadAnswerError(message)


@contextmanager
def _head(engine: Engine, size: int, folder: Path) -> Iterator[_Head]:
    with opened(engine, contacts=100) as store:
        asyncio.run(_asked_of_one(store, size))
        with served("ours", store.environment, log=folder / f"{size}.log") as server:
            yield _Head(store, server)


def compare(engine: Engine, *, many: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both inboxes and the constant; give the ratios of times, many over few, and the milliseconds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-inbox-")))
        few, busy = (stack.enter_context(_head(engine, size, folder)) for size in (FEW, many))
        (folder / "inbox.json").write_bytes(orjson.dumps(few.page()))
        yardstick = stack.enter_context(served("bare", {bare.BODIES: str(folder)}, log=folder / "bare.log"))
        found: dict[str, Any] = {"waiting": [FEW, many]}
        for which in ("first", "later", "kind"):
            for each in (few, busy):
                each.ask(which, min(_WARM_SECONDS, seconds))
            pairs = [(few.ask(which, seconds), busy.ask(which, seconds)) for _ in range(rounds)]
            found[f"{which}_ratios"] = [of_many / of_few for of_few, of_many in pairs]
            found[f"{which}_ratio"] = median(found[f"{which}_ratios"])
            found[f"{which}_ms"] = [median(each[0] for each in pairs), median(each[1] for each in pairs)]
        constant = [1e3 / measure(yardstick.port, [get("/inbox")], seconds, check=_full).rate for _ in range(rounds)]
        found["bare_ms"] = median(constant)
        found["of_bare"] = found["bare_ms"] / found["first_ms"][1]
        found["decision_ms"] = median(busy.decide() for _ in range(rounds))
        return found

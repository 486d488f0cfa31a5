"""P6: an exact lookup by mobile among a million people beside one among ten thousand, in rounds that alternate.

Half of what is asked is found and half is nobody's. Both directories are tagged by the plan that the service would make for them, and how
the numbers lie on their tags is measured beside the times. The ratio is that of the times per answer; every answer is on record.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final, cast
from uuid import UUID

import orjson
from sqlalchemy import Table, insert, update

from app.application import Application
from app.composition import open_application
from app.contacts.birth import born
from app.contacts.models import Contact, SearchPlan
from app.contacts.tag_rules import DEFAULT_KINDS, Population, planned
from app.contacts.tag_upkeep import TagUpkeep
from app.crypto.stored import add_keys
from app.kit.models import new_id
from app.kit.straight import Straight
from app.permissions.outcomes import Tag
from benchmarks.load import BadAnswerError, measure, post
from benchmarks.processes import Server, served
from benchmarks.stores import Engine, Store, opened

SMALL: Final = 10_000
LARGE: Final = 1_000_000
_AT_ONCE: Final = 2_000
_ASKED: Final = 400
_WARM_SECONDS: Final = 2.0
_CONTACT: Final = cast("Table", Contact.__table__)
_COLUMNS: Final = [column.key for column in _CONTACT.columns]
_INSERT: Final = Straight(insert(_CONTACT), columns=_COLUMNS)
_UNLIMITED: Final = {
    "DUANHAO_LOOKUPS__TERMS_PER_DAY": "1000000000",
    "DUANHAO_LOG_LEVEL": "warning",
    "DUANHAO_AUDIT__DEADLINE_SECONDS": "30",
}
"""No quota, and no answer lost to a machine that is busy with something else: what is compared are times."""


def mobile(number: int) -> str:
    """Invent a mobile."""
    return f"+8615{number:09d}"


async def _crowd(store: Store, people: int) -> list[dict[str, Any]]:
    """Fill a directory, without what is not read here (history, search keys); tell how the numbers lie on their tags."""
    async with open_application(store.settings) as application:
        department = next(iter((await application.standings.tree()).nodes))
        wanted = Population(dict.fromkeys((Tag.MOBILE, Tag.MOBILE_LAST4), people), {department: people})
        async with application.database.unit_of_work() as unit:
            bits = planned(DEFAULT_KINDS, wanted, "strict")
            await unit.session.execute(update(SearchPlan).values(generation=2, bits=bits))
        for start in range(0, people, _AT_ONCE):
            await _some(application, range(start, min(start + _AT_ONCE, people)), department)
        upkeep = TagUpkeep(application.database.reader)
        current, _ = await upkeep.plans()
        return [
            {"kind": each.kind.value, "bits": each.bits, "alone": each.alone, "least": each.least, "most": each.most}
            for each in await upkeep.spread(current)
            if each.kind is Tag.MOBILE
        ]


async def _some(application: Application, numbers: range, department: UUID) -> None:
    now = application.clock.now()
    made = [
        born(
            application.sealer,
            new_id(),
            "employee",
            {"name": f"人{at}", "department_id": department},
            {"mobile": mobile(at)},
            now,
        )
        for at in numbers
    ]
    async with application.database.unit_of_work() as unit:
        rows = [{name: getattr(each.contact, name) for name in _COLUMNS} for each in made]
        await _INSERT.each(unit.session, rows)
        await add_keys(unit.session, ((each.contact.id, each.wrapped) for each in made), at=now)
        await application.lookups.tagger.tag_all(
            unit.session, ((each.contact, each.sealer, each.told) for each in made)
        )


class _Directory:
    """One directory, served."""

    def __init__(self, store: Store, server: Server, people: int) -> None:
        self._server = server
        step = people // _ASKED
        asked = [mobile(at * step) for at in range(_ASKED)] + [mobile(10**8 + at) for at in range(_ASKED)]
        bodies = [
            orjson.dumps({"numbers": [each], "purpose": "work_contact", "reason": "a lookup of the benchmark"})
            for each in asked
        ]
        self.questions = {"found": bodies[:_ASKED], "nobody": bodies[_ASKED:]}
        self._tokens = store.tokens

    def ask(self, kind: str, seconds: float) -> float:
        """Ask for so many seconds; give the milliseconds per answer."""
        requests = [
            post("/v1/lookups", body, self._tokens[at % len(self._tokens)])
            for at, body in enumerate(self.questions[kind])
        ]
        measured = measure(self._server.port, requests, seconds, check=_found if kind == "found" else _nobody)
        return 1e3 / measured.rate


def _found(body: bytes) -> None:
    if orjson.loads(body)["results"][0]["match"] is None:
        message = "somebody was not found"
        raise BadAnswerError(message)


def _nobody(body: bytes) -> None:
    if orjson.loads(body)["results"][0]["match"] is not None:
        message = "somebody was found who has no such number"
        raise BadAnswerError(message)


@contextmanager
def _directory(engine: Engine, people: int, folder: Path) -> Iterator[tuple[_Directory, list[dict[str, Any]]]]:
    with opened(engine, contacts=100) as store:
        spread = asyncio.run(_crowd(store, people))
        with served("ours", {**store.environment, **_UNLIMITED}, log=folder / f"{people}.log") as server:
            yield _Directory(store, server, people), spread


def compare(engine: Engine, *, large: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both directories; give the ratio of times (large over small) for who is found and for nobody, and how tags lie."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-lookups-")))
        small, of_small = stack.enter_context(_directory(engine, SMALL, folder))
        other, of_large = stack.enter_context(_directory(engine, large, folder))
        found: dict[str, Any] = {"among": [SMALL, large], "spread": [of_small, of_large]}
        for kind in small.questions:
            for each in (small, other):
                each.ask(kind, _WARM_SECONDS)
            pairs = [(small.ask(kind, seconds), other.ask(kind, seconds)) for _ in range(rounds)]
            found[f"{kind}_ratios"] = [more / few for few, more in pairs]
            found[f"{kind}_ratio"] = median(found[f"{kind}_ratios"])
            found[f"{kind}_ms"] = [median(each[0] for each in pairs), median(each[1] for each in pairs)]
        found["ratio"] = median([*found["found_ratios"], *found["nobody_ratios"]])
        return found

"""Search by name and by pinyin: the first page of a directory of 2,000 people beside that of one with 100,000, in rounds that alternate.

Both directories hold people of one crowd, who have names as people have them: a few surnames are borne by many, so that a search in the
large one finds fifty times as many. What is asked is what somebody would type: a surname, a whole name, their pinyin, initials. The ratio
is that of the times per answer; every answer is a page of cards, masked and on record.
"""

import asyncio
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.application import Application
from app.composition import open_application
from app.contacts.indexing import index_all
from app.contacts.models import Contact, ContactDepartment
from app.contacts.pinyin import read_name
from app.contacts.record import pack_digests
from app.contacts.rows import covered
from app.crypto.stored import add_key
from app.demo.names import COMMON, COMPOUND, HETERONYM
from app.kit.models import new_id
from benchmarks.load import BadAnswerError, get, measure
from benchmarks.processes import Server, served
from benchmarks.stores import Engine, Store, opened

SMALL: Final = 2_000
LARGE: Final = 100_000
PAGE: Final = 20
KINDS: Final = ("name", "pinyin", "initials")
_AT_ONCE: Final = 500
_SHORT: Final = 0.15
_WARM_SECONDS: Final = 1.5
_GIVEN: Final = "以若予书知思景嘉雨星清安明子言闻望疏砚蘅樾岑溪梧棠屿禾芷笙湛泠珩昀熙霁煦翎槿荻苒衡岚朔舟槐川穗桐沅汀渚钧铭骁恺柯灿弈"
_TITLES: Final = (
    "工程师",
    "高级工程师",
    "产品经理",
    "项目经理",
    "销售经理",
    "客户经理",
    "会计",
    "行政专员",
    "测试工程师",
    "架构师",
)


def names(count: int) -> list[str]:
    """Invent names; equal counts give equal names, and a longer list begins with the shorter. The first surname is borne by every 20th."""
    chance = random.Random(20_261_121)
    families = [family for family, _ in (*COMMON, *COMPOUND, *HETERONYM)]
    weights = [1 / (at + 4) for at in range(len(families))]
    return [
        family + "".join(chance.choices(_GIVEN, k=1 if chance.random() < _SHORT else 2))
        for family in chance.choices(families, weights, k=LARGE)[:count]
    ]


def questions() -> Mapping[str, Sequence[str]]:
    """Give what is typed, of each kind; everybody asked for is in both directories."""
    people = names(SMALL)
    asked = [*people[:12], *(each[:2] for each in people[12:20]), *(family for family, _ in COMMON[:8]), "欧阳", "曾"]
    read = [read_name(each)[0][0] for each in asked]
    return {
        "name": asked,
        "pinyin": ["".join(each) for each in read],
        "initials": sorted({"".join(syllable[0] for syllable in each) for each in read if len(each) > 1}),
    }


async def _crowd(store: Store, count: int) -> None:
    async with open_application(store.settings) as application:
        department = next(iter((await application.standings.tree()).nodes))
        people = names(count)
        for start in range(0, count, _AT_ONCE):
            async with application.database.unit_of_work() as unit:
                made = [
                    _person(application, unit.session, name, start + at, department)
                    for at, name in enumerate(people[start : start + _AT_ONCE])
                ]
                await unit.session.flush()
                unit.session.add_all(ContactDepartment(contact_id=each.id, department_id=department) for each in made)
                await index_all(unit.session, made)
        await application.lookups.retagger.run()


def _person(application: Application, session: AsyncSession, name: str, number: int, department: Any) -> Contact:  # noqa: ANN401 — an id
    """Write somebody as the service would, without history: that is not read here."""
    identity, now = new_id(), application.clock.now()
    sealer, wrapped = application.sealer.new(identity)
    values = {"mobile": f"+8613{number:09d}", "email": f"p{number}@example.com", "wechat": f"wx_{number}"}
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
        title=_TITLES[number % len(_TITLES)],
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


class _Directory:
    """One directory, served."""

    def __init__(self, store: Store, server: Server) -> None:
        self._server, self.answers = server, 0
        self._requests = {
            kind: [
                get(f"/v1/contacts?limit={PAGE}&q={''.join(f'%{byte:02X}' for byte in each.encode())}", token)
                for each, token in zip(asked, store.tokens * len(asked), strict=False)
            ]
            for kind, asked in questions().items()
        }

    def ask(self, kind: str, seconds: float) -> float:
        """Ask for so many seconds; give the milliseconds per answer."""
        measured = measure(self._server.port, self._requests[kind], seconds, check=_check)
        self.answers += measured.answers
        return 1e3 / measured.rate


def _check(body: bytes) -> None:
    found = orjson.loads(body)
    if not found["items"] or not found["disclosure"]["event_id"]:
        message = "an answer with nobody in it, or not on record"
        raise BadAnswerError(message)


@contextmanager
def _directory(engine: Engine, people: int, folder: Path) -> Iterator[_Directory]:
    with opened(engine) as store:
        asyncio.run(_crowd(store, people))
        before = asyncio.run(store.events("contact.list"))
        with served("ours", {**store.environment, "DUANHAO_LOG_LEVEL": "info"}, log=folder / f"{people}.log") as server:
            directory = _Directory(store, server)
            yield directory
            on_record = asyncio.run(store.events("contact.list")) - before
            assert on_record == directory.answers, f"{directory.answers} answers, {on_record} looks on record"


def compare(engine: Engine, *, large: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both directories; give per kind the ratio of times (large over small), the milliseconds per answer and every round."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duanhao-bench-search-")))
        small = stack.enter_context(_directory(engine, SMALL, folder))
        other = stack.enter_context(_directory(engine, large, folder))
        found: dict[str, Any] = {"people": [SMALL, large]}
        for kind in KINDS:
            for each in (small, other):
                each.ask(kind, min(_WARM_SECONDS, seconds))
            pairs = [(small.ask(kind, seconds), other.ask(kind, seconds)) for _ in range(rounds)]
            ratios = [of_large / of_small for of_small, of_large in pairs]
            found[f"{kind}_ratio"] = median(ratios)
            found[f"{kind}_ratios"] = ratios
            found[f"{kind}_ms"] = [median(each[0] for each in pairs), median(each[1] for each in pairs)]
        return found

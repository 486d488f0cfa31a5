"""The demo company as a value: 2,000 people, six hotlines and 40 contacts outside who exist nowhere else, the same on every machine.

Pure: a seed, no clock, no store. Nothing in it can be a living person's: mobiles are of the block 1380000, mail addresses of the domains
reserved for examples, identity numbers have a right check digit and a region that no authority has, plates a letter that is never issued,
QQ numbers a leading zero. Ids are not part of it; they are made when it is loaded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

from app.auth.clients import NewClient
from app.demo.names import ENGLISH, Draw, Name, Names
from app.demo.partners import ENGAGEMENTS, EXTERNAL, DemoEngagement, partners
from app.demo.plan import HOTLINE_NUMBERS, DemoNumber, numbers_of
from app.demo.staffing import CLIENTS, HOTLINES, PRINCIPALS, Principal, Tier
from app.demo.teams import TEAMS, Team

SEED: Final = 20_261_121

_ODDS: Final[Mapping[str, float]] = {
    "wechat": 0.7,
    "qq": 0.4,
    "plate": 0.35,
    "personal_email": 0.5,
    "personal_mobile": 0.8,
}
_SENSITIVE_SHARE: Final = 0.2
_TEMPORARY_SHARE: Final = 0.1
_CORE_SHARE: Final = 0.15
_OFFICER_SHARE: Final = 0.1
_DOTTED_SHARE: Final = 0.02
_ENGLISH_SHARE: Final = 0.12
_DAYS_BACK: Final = 38 * 365
_YOUNGEST: Final = date(2004, 12, 31)
_NO_REGION: Final = "990100"
_FAX: Final = 3500
_HALF: Final = 5000
_PRIVATE: Final = 4000
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_STREETS: Final = ("梧桐路", "望溪路", "云栖街", "听雨巷", "松砚路", "荻花街", "沅芷路", "朔风街")
_VENDOR_CONTRACT_ENDS: Final = date(2027, 6, 30)
_LAST_OF: Final[Mapping[str, str]] = {
    "RD-QA": "prehire",
    "RD-AI-VISION": "prehire",
    "CS-CALL-C": "prehire",
    "CS": "leaving",
    "FIN-COST": "leaving",
    "SALES-NORTH-BJ": "frozen",
    "PROD-STOCK-IN": "frozen",
    "RD-APP-WEB": "left",
    "PROD-LINE1-DAY": "left",
    "PROD-LINE2-NIGHT": "left",
    "SALES-SOUTH-SZ": "left",
    "CS-TECH-SITE": "left",
}
"""The last person of these departments is about to start, about to leave, frozen, or gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDepartment:
    """A department; ``head`` and ``deputy`` are keys of contacts."""

    code: str
    name: str
    parent: str | None
    order: int
    region: str
    legal_entity: str
    protected: bool
    head: str
    deputy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoContact:
    """A contact: ``members`` as a caller of the API would write them, with ``manager`` (a key), other departments and numbers beside.

    ``leaves``: is created and then leaves, so that the directory has somebody whom only the steward sees.
    """

    key: str
    kind: str
    members: Mapping[str, Any]
    manager: str | None = None
    memberships: tuple[tuple[str, str], ...] = ()
    numbers: tuple[DemoNumber, ...] = ()
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class DemoStanding:
    """What an account may do beyond an employee's."""

    user_name: str
    tier: Tier
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """Everything that is loaded, in an order in which it can be: parents before children, managers before those they manage."""

    departments: tuple[DemoDepartment, ...]
    contacts: tuple[DemoContact, ...]
    standings: tuple[DemoStanding, ...]
    clients: tuple[NewClient, ...] = field(default=CLIENTS)
    engagements: tuple[DemoEngagement, ...] = field(default=ENGAGEMENTS)


def company() -> Company:
    """Make the company, from the seed."""
    return _Founding().company()


def id_number(born: date, order: int) -> str:
    """Write an identity number with the check digit of GB 11643-1999, of a region that does not exist; ``order`` is 0 to 999."""
    body = f"{_NO_REGION}{born:%Y%m%d}{order:03d}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    title: str
    principal: Principal | None = None
    heads: bool = False
    ordinary: bool = False
    status: str = "active"


def _posts(team: Team) -> Iterator[_Post]:
    """List the posts of a department: head, deputy, the principals who work there, everybody else; the last one may be special."""
    placed = [each for each in PRINCIPALS if each.department == team.code]
    head = next((each for each in placed if each.heads), None)
    yield _Post(title=team.head, principal=head, heads=True)
    yield _Post(title=f"副{team.head}")
    members = [each for each in placed if each is not head]
    for member in members:
        yield _Post(title=member.title, principal=member)
    others = team.size - len(members) - 2
    for at in range(others):
        status = _LAST_OF.get(team.code, "active") if at == others - 1 else "active"
        yield _Post(title=team.titles[at % len(team.titles)], ordinary=True, status=status)


class _Founding:
    def __init__(self) -> None:
        self._draw = Draw(SEED)
        self._names = Names(self._draw, taken=[each.user_name for each in PRINCIPALS])
        self._count, self._guests = 0, 0
        self._heads: dict[str, str] = {}
        self._contacts: list[DemoContact] = []

    def company(self) -> Company:
        departments = tuple(self._department(order, team) for order, team in enumerate(TEAMS, start=1))
        self._contacts += [_hotline(at) for at in range(len(HOTLINES))]
        self._contacts += [
            DemoContact(key=key, kind=EXTERNAL, members=members) for key, members in partners(self._draw, self._names)
        ]
        executives = [
            each.members["user_name"]
            for each in self._contacts
            if each.members["department"] == "EXEC" and each.kind == "employee"
        ]
        named = {each.user_name for each in PRINCIPALS}
        standings = [
            *(
                DemoStanding(each.user_name, each.tier, each.roles)
                for each in PRINCIPALS
                if each.tier != "T1" or each.roles
            ),
            *(DemoStanding(name, "T2", ("executive",)) for name in executives if name not in named),
        ]
        return Company(departments, tuple(self._contacts), tuple(standings))

    def _department(self, order: int, team: Team) -> DemoDepartment:
        boss = self._heads.get(team.parent or "EXEC")
        keys: list[str] = []
        for post in _posts(team):
            keys.append(self._person(team, post, manager=keys[0] if keys else boss))
        self._heads[team.code] = keys[0]
        return DemoDepartment(
            code=team.code,
            name=team.name,
            parent=team.parent,
            order=order * 10,
            region=team.site.region,
            legal_entity=team.site.legal_entity,
            protected=team.protected,
            head=keys[0],
            deputy=keys[1],
        )

    def _person(self, team: Team, post: _Post, *, manager: str | None) -> str:
        self._count += 1
        number, key, principal = self._count, f"E{self._count:04d}", post.principal
        name, english = self._name(post)
        user_name = principal.user_name if principal else name.user_name
        worker_kind = self._worker_kind(post)
        kind = "temporary" if worker_kind in {"intern", "outsourced"} else "employee"
        members: dict[str, Any] = {
            "name": name.han,
            "name_en": name.english,
            "user_name": user_name,
            "employee_no": key,
            "department": team.code,
            "title": principal.title if principal else post.title,
            "worker_kind": worker_kind,
            "location": f"{team.site.name} {self._draw.number(1, 12)} 层 {self._draw.pick('ABCD')}{self._draw.number(1, 60):02d}",
            "tags": list(team.tags),
            "secrecy": self._secrecy(team, post),
            "office_phone": f"{team.site.phone}{1000 + number}",
            "email": f"{user_name}@example.com",
            "mobile": _mobile(number),
            "wecom_id": f"wc-{number * 48_271 % 899_981 + 100_000}",
            **self._private(number, full=principal is not None),
        }
        if english is not None:
            members["alias"] = english
        if post.heads:
            members["fax"] = f"{team.site.phone}{_FAX + len(self._heads)}"
        if worker_kind == "outsourced":
            members |= {"contract_ref": f"WB-2026-{number:04d}", "contract_until": _VENDOR_CONTRACT_ENDS}
        if principal is not None:
            members |= {"alias": principal.alias, **principal.extra}
        if post.status not in {"active", "left"}:
            members["status"] = post.status
        self._contacts.append(
            DemoContact(
                key=key,
                kind=kind,
                members=members,
                manager=manager,
                memberships=self._memberships(team, post),
                numbers=self._numbers(number, worker_kind, post),
                leaves=post.status == "left",
            )
        )
        return key

    def _name(self, post: _Post) -> tuple[Name, str | None]:
        """Draw a name and, for some, the English first name by which colleagues know its bearer."""
        if post.ordinary and self._draw.happens(_DOTTED_SHARE):
            return self._names.next_dotted(), None
        name = self._names.next()
        if not (post.ordinary and self._draw.happens(_ENGLISH_SHARE)):
            return name, None
        english = self._draw.pick(ENGLISH)
        return replace(name, english=f"{english} {name.english.split()[1]}"), english

    def _numbers(self, number: int, worker_kind: str, post: _Post) -> tuple[DemoNumber, ...]:
        if post.status in {"prehire", "left"}:
            return ()
        if worker_kind in {"intern", "outsourced"}:
            self._guests += 1
            return numbers_of(self._guests, worker_kind)
        return numbers_of(number, worker_kind)

    def _worker_kind(self, post: _Post) -> str:
        if post.principal is not None:
            return "intern" if post.principal.intern else "regular"
        if post.ordinary and self._draw.happens(_TEMPORARY_SHARE):
            return self._draw.pick(("intern", "outsourced", "outsourced", "part_time"))
        return "regular"

    def _secrecy(self, team: Team, post: _Post) -> str:
        if team.code == "EXEC":
            return "executive"
        return (
            "core"
            if post.ordinary and team.code.startswith("RD-CORE") and self._draw.happens(_CORE_SHARE)
            else "normal"
        )

    def _memberships(self, team: Team, post: _Post) -> tuple[tuple[str, str], ...]:
        """Give production lines safety officers of their own: people with a second department."""
        return (
            (("SAFETY", "兼职安全员"),)
            if post.ordinary and team.code.startswith("PROD-LINE") and self._draw.happens(_OFFICER_SHARE)
            else ()
        )

    def _private(self, number: int, *, full: bool) -> dict[str, str]:
        draw = self._draw
        values = {
            "personal_mobile": _personal_mobile(number),
            "personal_email": f"home.{number:04d}@example.net",
            "wechat": f"demo_wx_{draw.number(10_000_000, 99_999_999)}",
            "qq": f"0{draw.number(100_000_000, 999_999_999)}",
            "plate": f"京I·{number * 7919 % 90_000 + 10_000}",
        }
        kept = {name: value for name, value in values.items() if draw.happens(_ODDS[name]) or full}
        if not (draw.happens(_SENSITIVE_SHARE) or full):
            return kept
        born = _YOUNGEST - timedelta(days=draw.number(0, _DAYS_BACK))
        address = (
            f"示例省示例市{draw.pick(_STREETS)}{draw.number(1, 200)}号{draw.number(1, 30)}幢{draw.number(101, 2404)}室"
        )
        return kept | {
            "birth_date": born.isoformat(),
            "id_number": id_number(born, number % 1000),
            "home_address": address,
        }


def _hotline(at: int) -> DemoContact:
    line = HOTLINES[at]
    return DemoContact(
        key=line.key,
        kind="hotline",
        members={
            "name": line.name,
            "department": line.department,
            "office_phone": line.number,
            "email": f"{line.key}@example.com",
            "duties": line.duties,
        },
        numbers=(DemoNumber("desk", str(HOTLINE_NUMBERS + at)),),
    )


def _mobile(number: int) -> str:
    """Spread work mobiles over the lower half of the block 1380000xxxx, so that neighbours do not have neighbouring numbers."""
    return f"1380000{number * 37 % _HALF:04d}"


def _personal_mobile(number: int) -> str:
    """Spread private mobiles over 5000 to 8999, in an order that does not follow from the work mobile."""
    return f"1380000{_HALF + (number * 1213 + 7) % _PRIVATE:04d}"

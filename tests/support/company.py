"""The small company of the tests: who is who, where, with which standing and which values.

Values are invented and easy to recognise in a scan; every protected value of it is in ``SECRETS``.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from app.auth.clients import NewClient

DEPARTMENTS = {
    "EXEC": None,
    "RD": None,
    "RD-CORE": "RD",
    "SALES": None,
    "HR": None,
    "SEC": None,
    "ADMIN": None,
    "IT": None,
}
"""Department codes and their parents."""

HEADS = {"RD": "head"}

CLIENTS = (
    NewClient("intranet", "Intranet", confidential=False),
    NewClient("hr-system", "HR system", scopes=("hr:write", "scim")),
    NewClient(
        "it-scripts",
        "IT scripts",
        scopes=("devices:read", "devices:write", "numbers:read", "numbers:allocate", "numbers:admin"),
    ),
    NewClient("crm", "CRM", scopes=("engagements:write",)),
    NewClient("siem", "SIEM", scopes=("access-log:read",)),
    NewClient("directory-sync", "Directory mirror", scopes=("contacts:read",)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person or hotline."""

    full_name: str
    department: str
    number: int
    kind: Literal["employee", "temporary", "hotline"] = "employee"
    tier: Literal["T0", "T1", "T2", "T3", "T4", "T5"] = "T1"
    roles: tuple[str, ...] = ()
    worker_kind: str | None = None
    secrecy: str = "normal"
    sensitive: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def mobile(self) -> str:
        """The work mobile, as a person writes it."""
        return f"1380000{self.number:04d}"

    @property
    def personal_mobile(self) -> str:
        """The private mobile."""
        return f"1390000{self.number:04d}"

    @property
    def email(self) -> str:
        """The office mail address."""
        return f"person{self.number:04d}@example.com"

    def members(self, name: str) -> dict[str, Any]:
        """Give what the contact is created from."""
        hotline = self.kind == "hotline"
        return {
            "name": self.full_name,
            "department": self.department,
            "secrecy": self.secrecy,
            **(
                {}
                if hotline
                else {"user_name": name, "employee_no": f"E{self.number}", "worker_kind": self.worker_kind}
            ),
            "office_phone": f"010-8888{self.number:04d}",
            "email": self.email,
            "mobile": self.mobile,
            **({} if hotline else {"personal_mobile": self.personal_mobile, "wechat": f"wx_{self.number:04d}_x"}),
            **(
                {"id_number": "11010519491231002X", "home_address": "北京市海淀区无名路 1 号"} if self.sensitive else {}
            ),
            **self.extra,
        }


PEOPLE: dict[str, Person] = {
    "staff": Person(full_name="欧阳明", department="RD", number=2101, sensitive=True),
    "colleague": Person(full_name="曾小林", department="RD", number=2102, sensitive=True),
    "outsider": Person(full_name="解东", department="SALES", number=2103),
    "head": Person(full_name="尉迟海", department="RD", number=2104),
    "core": Person(full_name="仇远", department="RD-CORE", number=2105),
    "hr": Person(full_name="区静", department="HR", number=2106, tier="T4", roles=("hr",)),
    "steward": Person(
        full_name="查理文", department="ADMIN", number=2107, tier="T4", roles=("administration", "directory_steward")
    ),
    "infosec": Person(full_name="单安", department="SEC", number=2108, tier="T5", roles=("infosec",)),
    "auditor": Person(full_name="朴正", department="SEC", number=2109, tier="T5", roles=("auditor",)),
    "ceo": Person(
        full_name="任天", department="EXEC", number=2110, roles=("executive",), secrecy="executive", sensitive=True
    ),
    "intern": Person(full_name="乐乐", department="RD", number=2111, worker_kind="intern"),
    "it": Person(full_name="盖工", department="IT", number=2112, roles=("it", "system_admin")),
    "bare": Person(full_name="空白", department="RD", number=2113),
    "hotline": Person(full_name="服务热线", department="ADMIN", number=2114, kind="hotline"),
}

SECRETS = (
    *(
        value
        for person in PEOPLE.values()
        for value in (
            person.mobile,
            person.personal_mobile,
            person.email,
            f"8888{person.number:04d}",
            f"wx_{person.number:04d}_x",
        )
    ),
    "11010519491231002X",
    "无名路",
)
"""Every protected value of the company, in the form in which a leak would show it."""

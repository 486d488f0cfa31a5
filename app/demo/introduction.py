"""What is shown to whoever has just started the demo: a call to paste for each kind of caller, with a token in it, that answers at once.

Each is the main job of its caller, and the last one shows the one before: security asks who looked at the colleague. Pasted twice, they do
no more than once. Tokens are made for people and service accounts of the demo alone, and each is put on record as every token made at the
command line is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from app.application import Application
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.demo.events import SOURCE

TOKEN_SECONDS: Final = 8 * 3600
"""Life of the tokens in the calls: a working day."""

READER, COLLEAGUE, SECURITY = "demo-staff", "demo-colleague", "demo-infosec"
HR_SYSTEM, IT_SCRIPTS = "hr-system", "it-scripts"

JOINED_FIRST: Final[Mapping[str, Any]] = {
    "id": "evt-first-call",
    "source": SOURCE,
    "type": "employee.joined",
    "subject": "E9901",
    "time": "2026-01-05T01:00:00Z",
    "data": {
        "name": "令狐芷若",
        "user_name": "zhiruo.linghu.9901",
        "department": "RD-CORE",
        "title": "平台工程师",
        "mobile": "13800009901",
        "email": "zhiruo.linghu.9901@example.com",
        "effective_at": "2026-01-05T09:00:00+08:00",
    },
}
"""Somebody who joins; a repeated event changes nothing."""


class Caller(Enum):
    """Who calls, in English and Chinese."""

    HR = ("HR system", "人事系统")
    INTRANET = ("Intranet", "内网门户")
    IT = ("IT scripts", "信息技术脚本")
    SECURITY = ("Security", "信息安全")

    @property
    def en(self) -> str:
        """The name in English."""
        return self.value[0]

    @property
    def zh(self) -> str:
        """The name in Chinese."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Call:
    """A command for a shell, whose, and what it shows, in both languages. The command holds a token: it is for a screen, not for a log."""

    caller: Caller
    en: str
    zh: str
    command: str


async def calls(application: Application, author: Author, base_url: str) -> tuple[Call, ...]:
    """Make the calls with fresh tokens; none when the store holds no demo company.

    Raises ``MintRefused`` where tokens for people are not made (production) or somebody has ended one of the accounts.
    """
    reader = application.database.reader
    colleague = await application.accounts.by_user_name(reader, COLLEAGUE)
    people = [await application.accounts.by_user_name(reader, name) for name in (READER, SECURITY)]
    machines = [await application.clients.by_client_id(reader, name) for name in (HR_SYSTEM, IT_SCRIPTS)]
    if colleague is None or colleague.contact_id is None or None in people or None in machines:
        return ()
    identity = str(colleague.contact_id)

    async def curl(name: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        return _curl(await _token(application, author, name), f"{base_url}{path}", body)

    allocation = {"holder": {"type": "contact", "id": identity}, "count": 1, "consumer_ref": "first-call"}
    return (
        Call(
            Caller.HR,
            "somebody joins RD-CORE, is on the directory at once and has a number. Sent again, it changes nothing.",
            "一位新同事加入 RD-CORE，立即进入通讯录并获得号码；重复推送不产生变化。",
            await curl(HR_SYSTEM, "/v1/hr/events", JOINED_FIRST),
        ),
        Call(
            Caller.INTRANET,
            "an employee reads a colleague's card: the mobile is masked, what is none of their business is withheld.",
            "员工查看同事的名片：手机号脱敏显示，无权查看的字段不予显示。",
            await curl(READER, f"/v1/contacts/{identity}"),
        ),
        Call(
            Caller.IT,
            "that colleague gets one more number, the next one that is free. Asked again, it is the same number.",
            "为该同事再分配一个号码，取号段池中的下一个；重复请求得到相同的号码。",
            await curl(IT_SCRIPTS, "/v1/number-pools/desk/allocations", allocation),
        ),
        Call(
            Caller.SECURITY,
            "who looked at that colleague, and at which fields? The looks above are in the answer.",
            "谁看过这位同事、看了哪些字段？上面的查看已记录在案。",
            await curl(SECURITY, f"/v1/access-events?contact={identity}"),
        ),
    )


def _curl(token: str, url: str, body: Mapping[str, Any] | None) -> str:
    sent = "" if body is None else f" -H 'Content-Type: application/json' -d '{json.dumps(body, ensure_ascii=False)}'"
    return f"curl -s -H 'Authorization: Bearer {token}' '{url}'{sent}"


async def _token(application: Application, author: Author, name: str) -> str:
    token = await application.tokens.mint(application.database.reader, name, lifetime_seconds=TOKEN_SECONDS)
    detail = {"client": application.terms.masked(name), "jti": token.jti, "expires_at": token.expires_at}
    async with application.database.unit_of_work() as unit:
        draft = written(author, "token.mint", application.clock.now(), query=detail)
        await add_intent(unit.session, draft)
    return token.text

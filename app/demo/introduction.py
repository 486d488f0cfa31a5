"""What is shown to somebody who has just started the demo: two calls to paste, with tokens in them, that answer at once.

The first is the main job of a colleague, the second the main job of security, and the second shows the first. Tokens are made for people
of the demo alone, and each is put on record as every token made at the command line is.
"""

from dataclasses import dataclass
from typing import Final

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.composition import Application

TOKEN_SECONDS: Final = 8 * 3600
"""Life of the tokens in the calls: a working day."""

READER, COLLEAGUE, SECURITY = "demo-staff", "demo-colleague", "demo-infosec"


@dataclass(frozen=True, slots=True)
class Call:
    """A command for a shell, and what it shows, in both languages. The command holds a token: it is for a screen, not for a log."""

    en: str
    zh: str
    command: str


async def calls(application: Application, author: Author, base_url: str) -> tuple[Call, ...]:
    """Make the two calls with fresh tokens; none when the store holds no demo company.

    Raises ``MintRefused`` where tokens for people are not made (production) or somebody has ended one of the accounts.
    """
    reader = application.database.reader
    colleague = await application.accounts.by_user_name(reader, COLLEAGUE)
    known = [await application.accounts.by_user_name(reader, name) for name in (READER, SECURITY)]
    if colleague is None or colleague.contact_id is None or None in known:
        return ()
    card = f"{base_url}/v1/contacts/{colleague.contact_id}"
    looks = f"{base_url}/v1/access-events?contact={colleague.contact_id}"
    return (
        Call(
            "An employee reads a colleague's card: the mobile is masked, what is none of their business is withheld.",
            "员工查看同事的名片：手机号脱敏显示，无权查看的字段不予显示。",
            _curl(await _token(application, author, READER), card),
        ),
        Call(
            "Security asks who looked at that colleague, and at which fields. The look above is in the answer.",
            "信息安全查询谁看过这位同事、看了哪些字段：上面那次查看已记录在案。",
            _curl(await _token(application, author, SECURITY), looks),
        ),
    )


def _curl(token: str, url: str) -> str:
    return f"curl -s -H 'Authorization: Bearer {token}' '{url}'"


async def _token(application: Application, author: Author, name: str) -> str:
    token = await application.tokens.mint(application.database.reader, name, lifetime_seconds=TOKEN_SECONDS)
    detail = {"client": application.terms.masked(name), "jti": token.jti, "expires_at": token.expires_at}
    async with application.database.unit_of_work() as unit:
        draft = written(author, "token.mint", application.clock.now(), query=detail)
        await add_intent(unit.session, draft)
    return token.text

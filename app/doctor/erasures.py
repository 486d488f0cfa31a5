"""Erasures: does each certificate verify, are the keys gone that it names, and are those of history gone that it counts.

Whose certificate verifies is excused elsewhere: of their rows no MAC can be compared any more, and keys of their history went by no purge.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.audit.note import Verifier
from app.config import Settings
from app.departures.certificates import opened
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store
from app.production import Words

PUBLIC: Final = "SELECT public FROM signing_key WHERE use = 'log'"
_ERASURES: Final = "SELECT id, contact_id, note FROM erasure ORDER BY id LIMIT {limit} OFFSET {offset}"
_PAGE: Final = 500
_BACK: Final = (
    "SELECT count(*) FROM erasure e WHERE EXISTS (SELECT 1 FROM data_key k WHERE k.subject_id = e.contact_id)"
    " OR EXISTS (SELECT 1 FROM history_key h WHERE h.subject_id = e.contact_id AND h.wrapped IS NOT NULL)"
)
_UNMARKED: Final = (
    "SELECT count(*) FROM contact c WHERE (c.erased_at IS NOT NULL)"
    " <> EXISTS (SELECT 1 FROM erasure e WHERE e.contact_id = c.id)"
)
_FIND_OUT: Final = Words("somebody wrote past the service: find out who", "有人绕过服务写入，请查明")


class Certified(NamedTuple):
    """What a certificate that verifies says: the erasure, whom it is about, and the root over the keys of their history."""

    id: UUID
    contact: UUID
    root: str


def verifiers_of(settings: Settings, public: list[Any]) -> list[Verifier]:
    """Take the public keys of the log."""
    keys = [load_der_public_key(bytes(row[0])) for row in public]
    return [Verifier(settings.audit.origin, each) for each in keys if isinstance(each, Ed25519PublicKey)]


async def certified(settings: Settings, store: Store) -> tuple[list[Certified], int]:
    """Read every certificate; give those that verify, and how many there are."""
    verifiers, found, count = verifiers_of(settings, list(await store.ask(PUBLIC))), list[Certified](), 0
    while rows := await store.ask(_ERASURES.format(limit=_PAGE, offset=count)):
        for identity, contact, note in rows:
            said = opened(verifiers, note) or {}
            if (said.get("erasure"), said.get("contact")) == (str(id_of(identity)), str(id_of(contact))):
                found.append(Certified(id_of(identity), id_of(contact), said["history_root"]))
        count += len(rows)
    return found, count


async def erasures(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Compare certificates with what is left of whom they are about."""
    found, count = await certified(settings, store)
    ((back,),), ((unmarked,),) = await store.ask(_BACK), await store.ask(_UNMARKED)
    if len(found) < count:
        lost = count - len(found)
        what = Words(f"{lost} of {count} erasures have no certificate that verifies", f"{lost} 份销毁证书无法验证")
        yield bad("erasures", Level.ERROR, what, _FIND_OUT)
    if unmarked:
        what = Words(
            f"{unmarked} cards are marked as erased without a certificate, or the other way round",
            f"{unmarked} 张卡片的销毁标记与证书不符",
        )
        yield bad("erasures", Level.ERROR, what, _FIND_OUT)
    if back:
        what = Words(
            f"keys of {back} people who were erased are back, as from a backup", f"{back} 名已销毁人员的密钥重新出现"
        )
        mend = Words(
            "the worker destroys them again within a day; at once: duanhao archive erase --yes",
            "后台任务会在一天内再次销毁；可立即执行 duanhao archive erase --yes",
        )
        yield bad("erasures", Level.ERROR, what, mend)
    if len(found) == count and not back and not unmarked:
        yield ok("erasures", f"{count} people erased, each as certified", f"已销毁 {count} 人，均与证书一致")


def id_of(stored: object) -> UUID:
    """Read an id as either driver gives it."""
    return stored if isinstance(stored, UUID) else UUID(bytes=bytes(stored))  # type: ignore[call-overload]  # a driver's bytes

"""Purges of history: is every key that is gone on a certificate, does each certificate verify, and is all of it gone that one states."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.audit.note import Verifier
from app.config import Settings
from app.crypto.history_purging import KeptKey
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store
from app.history.rules import Tally, opened
from app.production import Words

_PUBLIC: Final = "SELECT public FROM signing_key WHERE use = 'log'"
_PURGES: Final = "SELECT id, note FROM history_purge ORDER BY at, id"
_GONE: Final = "SELECT purge_id, handle, subject_id, quarter FROM history_key WHERE wrapped IS NULL ORDER BY handle"
_FIND_OUT: Final = Words(
    "somebody wrote past the service: find out who; after a restored backup: duanhao history destroy-again FILE",
    "有人绕过服务写入，请查明；若刚恢复备份，请执行 duanhao history destroy-again FILE",
)


async def history(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Compare the keys that are gone with the certificates of the purges that destroyed them."""
    keys = [load_der_public_key(bytes(row[0])) for row in await store.ask(_PUBLIC)]
    verifiers = [Verifier(settings.audit.origin, each) for each in keys if isinstance(each, Ed25519PublicKey)]
    gone: dict[UUID, Tally] = {}
    for purge, handle, subject, quarter in await store.ask(_GONE):
        gone.setdefault(_id(purge), Tally()).add(KeptKey(bytes(handle), _id(subject), quarter))
    faults, count = 0, 0
    for identity, note in await store.ask(_PURGES):
        count += 1
        tally, statement = gone.pop(_id(identity), Tally()), opened(verifiers, note)
        if statement is None or (statement["request"], statement["root"]) != (str(_id(identity)), tally.root):
            faults += 1
    if faults:
        what = Words(
            f"{faults} of {count} purges are not as their certificates say", f"{count} 次清除中有 {faults} 次与证书不符"
        )
        yield bad("history", Level.ERROR, what, _FIND_OUT)
    if gone:
        lost = sum(each.tree.size for each in gone.values())
        what = Words(f"{lost} keys of history are gone without a certificate", f"{lost} 个历史密钥已销毁但没有对应证书")
        yield bad("history", Level.ERROR, what, _FIND_OUT)
    if not faults and not gone:
        yield ok("history", f"{count} purges, each as certified", f"{count} 次历史清除，均与证书一致")


def _id(stored: object) -> UUID:
    return stored if isinstance(stored, UUID) else UUID(bytes=bytes(stored))  # type: ignore[call-overload]  # a driver's bytes

"""Purges of history: is every key that is gone on a certificate, does each certificate verify, and is all of it gone that one states."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from app.config import Settings
from app.crypto.history_purging import KeptKey
from app.doctor.erasures import PUBLIC, certified, id_of, verifiers_of
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store
from app.history.rules import Tally, opened
from app.production import Words

_PURGES: Final = "SELECT id, note FROM history_purge ORDER BY at, id"
_GONE: Final = "SELECT purge_id, handle, subject_id, quarter FROM history_key WHERE wrapped IS NULL ORDER BY handle"
_FIND_OUT: Final = Words(
    "somebody wrote past the service: find out who; after a restored backup: duanhao history destroy-again FILE",
    "有人绕过服务写入，请查明；若刚恢复备份，请执行 duanhao history destroy-again FILE",
)


async def history(settings: Settings, store: Store) -> AsyncIterator[Finding]:
    """Compare the keys that are gone with the certificates of the purges that destroyed them."""
    verifiers = verifiers_of(settings, list(await store.ask(PUBLIC)))
    gone: dict[UUID, Tally] = {}
    for purge, handle, subject, quarter in await store.ask(_GONE):
        gone.setdefault(id_of(purge), Tally()).add(KeptKey(bytes(handle), id_of(subject), quarter))
    faults, count = 0, 0
    for erasure in (await certified(settings, store))[0]:
        if gone.get(erasure.id, Tally()).root == erasure.root:
            gone.pop(erasure.id, None)
    for identity, note in await store.ask(_PURGES):
        count += 1
        tally, statement = gone.pop(id_of(identity), Tally()), opened(verifiers, note)
        if statement is None or (statement["request"], statement["root"]) != (str(id_of(identity)), tally.root):
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

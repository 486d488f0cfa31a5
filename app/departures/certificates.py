"""What an erasure states, signed by the key of the access log. Pure.

One line of JSON: whom, when, until which day they were kept, by its handle which key went, and of the keys of their history how many and
the root of an RFC 6962 tree over them, in the order of their handles.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from app.audit.merkle import Frontier, leaf_hash
from app.audit.note import Signer, Verifier, attested
from app.crypto.history_purging import KeptKey

KIND: Final = "duanhao.erasure/1"


class Erasure(NamedTuple):
    """An erasure as stored: its id, whom it is about, when, and the signed note."""

    id: UUID
    contact_id: UUID
    at: datetime
    note: str


def root_of(keys: Iterable[KeptKey]) -> tuple[int, str]:
    """Count keys of history and give the root over them, in hexadecimal."""
    tree = Frontier()
    for key in keys:
        tree.append(leaf_hash(key.leaf()))
    return tree.size, tree.root().hex()


def stated(
    identity: UUID, contact_id: UUID, at: datetime, *, kept_until: date, handle: bytes, past: Sequence[KeptKey]
) -> dict[str, Any]:
    """Write what an erasure states."""
    count, root = root_of(past)
    return {
        "erasure": str(identity),
        "contact": str(contact_id),
        "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "kept_until": kept_until.isoformat(),
        "key": handle.hex(),
        "history_keys": count,
        "history_root": root,
    }


def certified(signer: Signer, statement: Mapping[str, Any]) -> str:
    """Write the signed note."""
    return signer.attest(KIND, orjson.dumps(statement, option=orjson.OPT_SORT_KEYS).decode())


def opened(verifiers: Sequence[Verifier], note: str) -> Mapping[str, Any] | None:
    """Read the statement of a note that one of these keys signed; ``None`` for anything else."""
    return attested(verifiers, KIND, note)

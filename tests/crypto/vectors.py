"""Known answers: what fixed keys, fixed nonces and fixed values make of each format, as JSON in ``vectors.json``.

Every key and nonce is counted, none is a secret. The file is written anew, after a change of format that is meant, by
``python -c "from tests.crypto import vectors; vectors.FILE.write_text(vectors.text())"``.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from app.crypto import datakey, providers
from app.crypto.bootstrap import kek_context
from app.crypto.datakey import DataKey
from app.crypto.envelope import Header, aad
from app.crypto.providers import EnvProvider, encode_root, root_id
from app.crypto.rowmac import RowSigner, RowValue, encode
from tests.crypto.material import ADA, BEN, Vault, counted, counting

FILE: Final = Path(__file__).with_name("vectors.json")

VALUES: Final = (
    (ADA, "mobile", "+86 138 0000 1234"),
    (ADA, "email", "ada@example.test"),
    (ADA, "private_notes", ""),
    (BEN, "home_address", "广东省深圳市某路1号"),
)
ROW: Final[tuple[RowValue, ...]] = (
    ADA,
    "employee",
    3,
    -1,
    True,
    None,
    b"\x00\x01",
    datetime(2026, 11, 20, 12, 0, 0, 1, tzinfo=UTC),
    ("a", ("b", 1)),
)


def data_key(subject: Any) -> DataKey:  # noqa: ANN401 — a UUID, spelled loosely for the tables above
    """Make the fixed data key of a person."""
    return DataKey(subject=subject, handle=counted(8, 16), version=1, raw=counted(64, 32))


def produce() -> dict[str, Any]:
    """Compute every answer."""
    vault = Vault()
    with patch.object(datakey, "urandom", counting()), patch.object(providers, "urandom", counting()):
        wrapped = data_key(ADA).wrap(vault.keyring._ciphers["field", 1], 1)
        provider = EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, 7))})
        return {
            "data_key": {"subject": str(ADA), "handle": counted(8, 16).hex(), "raw": counted(64, 32).hex()},
            "aad": aad(Header(1, counted(8, 16), 1), ADA, "mobile").hex(),
            "wrapped_data_key": {"kek": counted(32, 1).hex(), "kek_version": 1, "wrapped": wrapped.wrapped.hex()},
            "envelopes": [
                {
                    "subject": str(subject),
                    "field": field,
                    "value": value,
                    "envelope": data_key(subject).seal(field, value).envelope.hex(),
                    "digest": data_key(subject).digest(field, value).hex(),
                }
                for subject, field, value in VALUES
            ],
            "row": {
                "encoded": encode(ROW).hex(),
                "own_key": data_key(ADA).mac(ROW).hex(),
                "signed": RowSigner(vault.keyring.mac_key("row:grant")).sign("grant", ROW).hex(),
            },
            "mac_key": {label: vault.keyring.mac_key(label).hex() for label in ("row:grant", "tag:mobile.exact")},
            "root": {
                "id": root_id(counted(32, 7)),
                "wrapped": provider.wrap(counted(32, 9), kek_context("field", 1)).hex(),
            },
        }


def text() -> str:
    """Write the answers as the file holds them."""
    return json.dumps(produce(), ensure_ascii=False, indent=2) + "\n"

"""Keys and values stay out of whatever prints, stores or raises. The canary is a number that no output may contain."""

import base64
import copy
import logging
import pickle
import traceback
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import structlog

from app.crypto.datakey import DataKey
from app.crypto.errors import PermitRefused, SealBroken
from app.crypto.keyring import KekMaterial, Keyring
from app.crypto.providers import FileProvider, Roots
from app.crypto.rowmac import RowSigner
from app.crypto.sealed import PlainValueError, Sealed
from app.crypto.signing import TokenKeys
from tests.crypto.material import ADA, NUMBER, Vault, counted, keks

SECRET = counted(64, 40)


def holders() -> dict[str, object]:
    """Make one of everything that holds a key or a box."""
    vault = Vault()
    sealer, wrapped = vault.sealer.new(ADA)
    return {
        "data key": DataKey(subject=ADA, handle=counted(8), version=1, raw=SECRET),
        "KEK": KekMaterial(purpose="field", version=1, current=True, key=SECRET[:32]),
        "keyring": Keyring(
            [KekMaterial(purpose=kek.purpose, version=1, current=True, key=SECRET[:32]) for kek in keks()]
        ),
        "row signer": RowSigner(SECRET[:32]),
        "roots": Roots([SECRET[:32]]),
        "token keys": TokenKeys(kid="k", algorithm="ES256", public=(), private_pem=SECRET.hex()),
        "subject sealer": sealer,
        "box": sealer.seal("mobile", NUMBER),
        "permit": vault.permit({ADA: ["mobile"]}),
        "opener": vault.opener,
        "sealer": vault.sealer,
        "wrapped": wrapped,
    }


def spellings(secret: bytes) -> list[str]:
    """Spell a secret in the ways in which things are printed."""
    return [secret.hex(), base64.b64encode(secret).decode(), repr(secret)[2:-1], str(list(secret))[1:-1]]


@pytest.mark.parametrize("name", holders())
@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda held: repr([held]), lambda held: repr({"held": held})])
def test_nothing_that_holds_a_key_prints_it(name: str, show: Callable[[object], str]) -> None:
    shown = show(holders()[name])
    for part in (SECRET, SECRET[:32], SECRET[32:], SECRET[:16]):
        for spelling in spellings(part):
            assert spelling not in shown
    assert NUMBER not in shown
    assert len(shown) < 400


@pytest.mark.parametrize(
    "name", ["data key", "KEK", "keyring", "row signer", "roots", "token keys", "subject sealer", "box", "permit"]
)
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_nothing_that_holds_a_key_is_pickled_or_copied(name: str, duplicate: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        duplicate(holders()[name])


@pytest.mark.parametrize("name", ["opener", "sealer"])
def test_what_holds_a_keyring_is_not_pickled(name: str) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(holders()[name])


def test_a_failure_carries_no_value_in_its_traceback_and_none_into_any_log() -> None:
    vault = Vault()
    sealer, wrapped = vault.sealer.new(ADA)
    envelope = sealer.seal("mobile", NUMBER).envelope
    stream = StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(stream)
    before, root.handlers = root.handlers, [handler]
    configuration = structlog.get_config()
    structlog.configure(
        logger_factory=structlog.stdlib.LoggerFactory(), processors=[structlog.processors.KeyValueRenderer()]
    )
    printed = []
    try:
        permit = vault.permit({ADA: ["mobile"]})
        for fields in ([("mobile", envelope), ("mobile", envelope[:-1] + b"\x00")], [("email", envelope)]):
            with pytest.raises((SealBroken, PermitRefused)) as failed:
                vault.opener.open_fields(permit, ADA, wrapped, fields)
            logging.getLogger("duanhao").error("failed", exc_info=failed.value)
            printed.append("".join(traceback.format_exception(failed.value)))
        with pytest.raises(PlainValueError) as refused:
            Sealed(NUMBER)  # type: ignore[arg-type]  # the point of the test
        printed.append("".join(traceback.format_exception(refused.value)))
    finally:
        structlog.configure(**configuration)
        root.handlers = before
    output = stream.getvalue()
    assert "seal_broken" in output
    assert "permit_refused" in output
    for text in (output, *printed):
        assert NUMBER not in text
        assert envelope.hex() not in text


def test_a_root_file_that_is_refused_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    FileProvider(path, create=True)
    content = path.read_text().strip()
    path.chmod(0o644)
    with pytest.raises(Exception, match="open to others") as refused:
        FileProvider(path, create=True)
    assert content not in "".join(traceback.format_exception(refused.value))

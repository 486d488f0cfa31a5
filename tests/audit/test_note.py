"""Checkpoint text: what is written is read back, and nothing near it is taken."""

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.merkle import EMPTY_ROOT
from app.audit.note import Checkpoint, NoteInvalid, Signer, Verifier, find_notes, split
from tests.audit.places import ORIGIN, SIGNER

NOTE = SIGNER.sign(7, EMPTY_ROOT)
BODY, SIGNATURE = NOTE.split("\n\n")
ROOT = b64encode(EMPTY_ROOT).decode()


def test_layout() -> None:
    raw = SIGNER.verifier().raw
    assert f"{ORIGIN}\n7\n{ROOT}" == BODY
    dash, name, signature = SIGNATURE.removesuffix("\n").split(" ")
    assert (dash, name, len(signature)) == ("\N{EM DASH}", ORIGIN, 92)
    identifier = sha256(f"{ORIGIN}\n".encode() + b"\x01" + raw).digest()[:4]
    assert split(NOTE)[1][0][1][:4] == identifier
    encoded = b64encode(b"\x01" + raw).decode()
    assert SIGNER.verifier().text() == f"{ORIGIN}+{identifier.hex()}+{encoded}"


def test_round_trip() -> None:
    verifier = Verifier.parse(SIGNER.verifier().text() + "\n")
    assert verifier.open(NOTE) == Checkpoint(ORIGIN, 7, EMPTY_ROOT)


def test_a_cosignature_is_let_be() -> None:
    other = Signer("witness.invalid", Ed25519PrivateKey.generate()).sign(7, EMPTY_ROOT).split("\n\n")[1]
    assert SIGNER.verifier().open(NOTE + other).size == 7


@pytest.mark.parametrize(
    "note",
    [
        "",
        BODY + "\n",
        BODY + "\n\n",
        NOTE.removesuffix("\n"),
        NOTE.replace("\n7\n", "\n8\n"),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace(ORIGIN, "other.invalid"),
        NOTE.replace("\n\n", "\nextension\n\n"),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("\N{EM DASH} ", "- "),
        NOTE[:-6] + "AAAA\n",
        NOTE + SIGNATURE,
        "\x00" + NOTE,
        NOTE + "\N{EM DASH} name notbase64\n",
    ],
)
def test_anything_else_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        SIGNER.verifier().open(note)


def test_a_note_of_another_key_or_log_is_refused() -> None:
    for other in (Signer(ORIGIN, Ed25519PrivateKey.generate()), Signer("other.invalid", SIGNER.key)):
        with pytest.raises(NoteInvalid):
            SIGNER.verifier().open(other.sign(7, EMPTY_ROOT))


@pytest.mark.parametrize(
    "body",
    [
        f"{ORIGIN}\n7\n{ROOT}",
        f"\n7\n{ROOT}\n",
        f"{ORIGIN}\n-7\n{ROOT}\n",
        f"{ORIGIN}\n7\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n7\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n7\n{ROOT}\nmore\n",
        f"{ORIGIN}\n7\n{ROOT[:-2]}V=\n",
    ],
)
def test_checkpoint_is_strict(body: str) -> None:
    with pytest.raises(NoteInvalid):
        Checkpoint.parse(body)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_names(name: str) -> None:
    with pytest.raises(NoteInvalid):
        Signer(name, SIGNER.key)


def test_verifier_key_is_strict() -> None:
    text = SIGNER.verifier().text()
    name, identifier, key = text.split("+", 2)
    for wrong in (name, f"{name}+00000000+{key}", f"{name}x+{identifier}+{key}", f"{name}+{identifier}+{key[:-4]}"):
        with pytest.raises(NoteInvalid):
            Verifier.parse(wrong)


def test_the_key_is_not_printed() -> None:
    assert repr(SIGNER).count("key") == 0


def test_notes_are_found_around_a_torn_one() -> None:
    second = SIGNER.sign(9, EMPTY_ROOT)
    assert find_notes(NOTE + BODY + "\n\n" + second + second[:-9]) == [NOTE, second]

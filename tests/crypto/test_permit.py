"""A permit comes from the access log, stays what it was, and ends."""

import copy
import pickle
from collections.abc import Callable
from uuid import UUID

import pytest

from app.crypto.errors import PermitRefused
from app.crypto.permit import Permit, mint
from tests.crypto.material import ADA, BEN, EVENT

SCOPE = {ADA: frozenset({"mobile", "email"})}


def permit() -> Permit:
    return mint(event_id=EVENT, index=7, expires=100.0, scope=SCOPE)


def test_a_permit_names_its_record_and_the_fields_of_each_person() -> None:
    minted = permit()
    assert (minted.event_id, minted.index, minted.expires) == (EVENT, 7, 100.0)
    assert minted.fields_of(ADA, at=99.9) == {"mobile", "email"}


def test_nobody_constructs_a_permit() -> None:
    with pytest.raises(TypeError, match="minted"):
        Permit()
    with pytest.raises(TypeError, match="minted"):
        Permit(event_id=EVENT, index=7, expires=100.0, scope=SCOPE)


def test_nobody_extends_a_permit() -> None:
    with pytest.raises(TypeError, match="subclasses"):
        type("Lookalike", (Permit,), {})


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_nobody_copies_or_stores_a_permit(duplicate: Callable[[Permit], object]) -> None:
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        duplicate(permit())


@pytest.mark.parametrize(
    ("name", "value"), [("expires", 1e9), ("scope", {BEN: frozenset({"mobile"})}), ("index", 8), ("more", 1)]
)
def test_nobody_widens_or_prolongs_a_permit(name: str, value: object) -> None:
    minted = permit()
    with pytest.raises(AttributeError):
        setattr(minted, name, value)
    with pytest.raises(AttributeError):
        delattr(minted, name)
    assert (minted.expires, minted.scope, minted.index) == (100.0, SCOPE, 7)


def test_the_scope_is_a_copy_that_does_not_change() -> None:
    fields = {ADA: frozenset({"mobile"})}
    minted = mint(event_id=EVENT, index=7, expires=100.0, scope=fields)
    fields[BEN] = frozenset({"mobile"})
    assert set(minted.scope) == {ADA}
    with pytest.raises(TypeError):
        minted.scope[BEN] = frozenset({"mobile"})  # type: ignore[index]  # refused at run time too


def forged() -> Permit:
    """Assemble a permit without minting."""
    made = object.__new__(Permit)
    for name, value in {"event_id": EVENT, "index": 7, "expires": 1e9, "scope": SCOPE, "_mark": object()}.items():
        object.__setattr__(made, name, value)
    return made


@pytest.mark.parametrize(
    ("minted", "subject", "at", "cause"),
    [
        (permit(), BEN, 0.0, "subject"),
        (permit(), ADA, 100.0, "expired"),
        (permit(), ADA, 1e12, "expired"),
        (object.__new__(Permit), ADA, 0.0, "forged"),
        (forged(), ADA, 0.0, "forged"),
    ],
)
def test_what_the_record_does_not_cover_is_refused(minted: Permit, subject: UUID, at: float, cause: str) -> None:
    with pytest.raises(PermitRefused) as refused:
        minted.fields_of(subject, at=at)
    assert refused.value.cause_code == cause
    assert str(refused.value) == "The permit does not cover this"


def test_a_permit_prints_the_record_and_no_person() -> None:
    assert repr(permit()) == str(permit()) == "<permit index=7 subjects=1>"

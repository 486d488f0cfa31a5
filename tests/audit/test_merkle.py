"""The tree against a plain reading of RFC 6962, and proofs that hold exactly when they should."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    FrontierMalformed,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([number])) for number in range(70)]
sizes = st.integers(min_value=1, max_value=len(LEAVES))


def naive(leaves: list[bytes]) -> bytes:
    """Compute the root by the definition: split at the largest power of two below the size."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def test_hashes_are_those_of_the_rfc() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(b"a" * 32, b"b" * 32) == sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()


def test_frontier_grows_to_the_root_of_the_definition() -> None:
    frontier = Frontier()
    for size in range(len(LEAVES) + 1):
        assert frontier.root() == naive(LEAVES[:size]) == root_of(LEAVES, 0, size)
        assert Frontier.decode(frontier.encode()) == frontier
        if size < len(LEAVES):
            frontier.append(LEAVES[size])


def test_copy_is_independent() -> None:
    frontier = Frontier()
    frontier.append(LEAVES[0])
    frontier.copy().append(LEAVES[1])
    assert frontier.size == 1
    assert frontier.root() == LEAVES[0]


@given(st.binary(max_size=200))
def test_only_canonical_bytes_are_a_frontier(encoded: bytes) -> None:
    try:
        frontier = Frontier.decode(encoded)
    except FrontierMalformed:
        return
    assert frontier.encode() == encoded


@pytest.mark.parametrize(("size", "hashes"), [(-1, []), (3, [b"a" * 32]), (1, [b"short"]), (1 << 63, [b"a" * 32])])
def test_no_frontier(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(FrontierMalformed):
        Frontier(size, hashes)


@given(size=sizes, data=st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaves, root = LEAVES[:size], naive(LEAVES[:size])
    proof = inclusion_proof(leaves, index)
    assert verify_inclusion(leaf=leaves[index], index=index, size=size, root=root, proof=proof)
    assert len(proof) <= (size - 1).bit_length()
    wrong = data.draw(st.integers(0, size - 1).filter(lambda other: other != index)) if size > 1 else index + 1
    assert not verify_inclusion(leaf=leaves[index], index=wrong, size=size, root=root, proof=proof)
    assert not verify_inclusion(leaf=leaf_hash(b"other"), index=index, size=size, root=root, proof=proof)
    assert not verify_inclusion(leaf=leaves[index], index=index, size=size, root=root, proof=[*proof, b"x" * 32])
    if proof:
        assert not verify_inclusion(leaf=leaves[index], index=index, size=size, root=root, proof=proof[:-1])


@given(second=sizes, data=st.data())
def test_consistency(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    old, new = naive(LEAVES[:first]), naive(LEAVES[:second])
    proof = consistency_proof(LEAVES[:second], first)
    assert verify_consistency(first=first, first_root=old, second=second, second_root=new, proof=proof)
    assert not verify_consistency(first=first, first_root=b"x" * 32, second=second, second_root=new, proof=proof)
    assert not verify_consistency(first=first, first_root=old, second=second, second_root=b"x" * 32, proof=proof)
    assert not verify_consistency(
        first=first, first_root=old, second=second, second_root=new, proof=[*proof, b"x" * 32]
    )


def test_proofs_outside_of_the_tree() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(LEAVES[:3], index)
    for first in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(LEAVES[:3], first)
    assert not verify_inclusion(leaf=LEAVES[0], index=1, size=1, root=LEAVES[0], proof=[])
    assert not verify_consistency(first=0, first_root=EMPTY_ROOT, second=1, second_root=LEAVES[0], proof=[])
    assert not verify_consistency(first=1, first_root=LEAVES[0], second=2, second_root=naive(LEAVES[:2]), proof=[])

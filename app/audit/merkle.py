"""RFC 6962 Merkle tree mathematics, with nothing but SHA-256.

One tree grows for ever. A writer needs only its **frontier**, the roots of the perfect subtrees from left to right
(one for each bit set in the size), which is what the log's head row stores: appending costs two hashes on average and
the root at most ``log2(n)``. Proofs are computed from a list of leaf hashes, and are checked by the algorithms of RFC
9162 sections 2.1.3.2 and 2.1.4.2, which need the roots and the proof alone. A verdict on a proof is a plain boolean:
a proof has no other reason than "the hashes differ".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_SIZE_BYTES: Final = 8
_MOST_LEAVES: Final = (1 << 63) - 1


class FrontierMalformed(ValueError):
    """Stored bytes are not the encoding of a frontier."""


def leaf_hash(data: bytes) -> bytes:
    """Hash the content of a leaf (RFC 6962 section 2.1); the prefix keeps leaves and nodes apart."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees of 32 bytes each into their parent (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: its size in leaves and the roots of its perfect subtrees, largest first.

    Raises ``FrontierMalformed`` unless there is one hash of 32 bytes for each bit set in the size.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what is no frontier of any tree."""
        if not 0 <= self.size <= _MOST_LEAVES or len(self.hashes) != self.size.bit_count():
            message = f"a frontier of size {self.size} cannot have {len(self.hashes)} hashes"
            raise FrontierMalformed(message)
        if any(len(each) != HASH_BYTES for each in self.hashes):
            message = "a frontier consists of 32-byte hashes"
            raise FrontierMalformed(message)

    def copy(self) -> Self:
        """Give an independent frontier of the same tree."""
        return type(self)(self.size, list(self.hashes))

    def append(self, leaf: bytes) -> None:
        """Grow by one leaf hash (32 bytes, from ``leaf_hash``)."""
        hashes = self.hashes
        carry, count = leaf, self.size
        while count & 1:
            carry = sha256(b"\x01" + hashes.pop() + carry).digest()
            count >>= 1
        hashes.append(carry)
        self.size += 1

    def root(self) -> bytes:
        """Compute the root of the whole tree; the empty tree has the hash of nothing."""
        hashes = self.hashes
        if not hashes:
            return EMPTY_ROOT
        root = hashes[-1]
        for left in hashes[-2::-1]:
            root = sha256(b"\x01" + left + root).digest()
        return root

    def encode(self) -> bytes:
        """Write the one canonical form: the size in eight bytes, big endian, then the hashes."""
        return self.size.to_bytes(_SIZE_BYTES) + b"".join(self.hashes)

    @classmethod
    def decode(cls, encoded: bytes) -> Self:
        """Read what ``encode`` wrote; raise ``FrontierMalformed`` for any other bytes."""
        size, body = int.from_bytes(encoded[:_SIZE_BYTES]), encoded[_SIZE_BYTES:]
        if len(encoded) < _SIZE_BYTES or len(body) != HASH_BYTES * size.bit_count():
            message = f"{len(encoded)} bytes are no frontier"
            raise FrontierMalformed(message)
        return cls(size, [body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES)])


def root_of(leaves: Sequence[bytes], start: int = 0, end: int | None = None) -> bytes:
    """Compute the root over ``leaves[start:end]``, a sequence of leaf hashes."""
    frontier = Frontier()
    for at in range(start, len(leaves) if end is None else end):
        frontier.append(leaves[at])
    return frontier.root()


def _split(size: int) -> int:
    """Give the largest power of two below ``size`` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that the leaf at ``index`` is in the tree over ``leaves`` (RFC 6962 section 2.1.1), nearest sibling first.

    Raises ``IndexError`` when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        message = f"no leaf {index} among {len(leaves)}"
        raise IndexError(message)
    proof: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(root_of(leaves, middle, end))
            end = middle
        else:
            proof.append(root_of(leaves, start, middle))
            start = middle
    proof.reverse()
    return proof


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Prove that the tree over the first ``first`` leaves is a prefix of the tree over all (RFC 6962 section 2.1.2).

    Raises ``IndexError`` when ``first`` is not between one and the number of leaves.
    """
    if not 1 <= first <= len(leaves):
        message = f"no tree of {first} leaves inside one of {len(leaves)}"
        raise IndexError(message)
    proof: list[bytes] = []
    start, end, whole = 0, len(leaves), True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(root_of(leaves, middle, end))
            end = middle
        else:
            proof.append(root_of(leaves, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(root_of(leaves, start, end))
    proof.reverse()
    return proof


def verify_inclusion(*, leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether ``proof`` shows ``leaf`` at ``index`` in the tree of ``size`` and ``root`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(
    *, first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether ``proof`` shows the first tree to be a prefix of the second (RFC 9162, 2.1.4.2)."""
    if not 1 <= first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    if not proof:
        return False
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root

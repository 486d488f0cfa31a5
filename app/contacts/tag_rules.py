"""Which values have search tags, in which normal form they are tagged, and how many bits a tag has.

Pure. A tag that many share says little about who has which value, even to somebody who holds the key: so the planner gives a kind as many
bits as leave each tag with at least so many contacts that the profile asks for, and none to a small directory, where everybody shares one
tag. What is looked up among a hundred is compared with a hundred; a leak of the key leaves six thousand million possible numbers divided by
the number of tags (reference/crypto-audit.md C3; measured: docs/decisions).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log2
from types import MappingProxyType
from typing import Final, Literal
from uuid import UUID

from app.contacts.fields import CATALOGUE
from app.crypto.tags import MOST_BITS
from app.permissions.outcomes import Tag

ProfileName = Literal["strict", "balanced"]

SHARED: Final[Mapping[ProfileName, int]] = MappingProxyType({"strict": 64, "balanced": 16})
"""How many contacts a tag of each profile is at least meant for when it is planned."""
NO_PARTITION: Final = UUID(int=0)
ENDING: Final = 4
"""Digits of the end of a number that it may be found by."""
_WORN: Final = 2
_GROWN: Final = 4
"""A plan stays while a tag is expected to be shared by between half and four times what the profile asks for."""


DEFAULT_KINDS: Final = frozenset({Tag.MOBILE, Tag.MOBILE_LAST4, Tag.EMAIL, Tag.NAME})
"""The others are there for whoever switches them on."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """A kind: its number in the store (which never changes), the fields that have it, and how many bits a value of it has at all."""

    code: int
    fields: tuple[str, ...]
    domain_bits: float
    partitioned: bool = False


RULES: Final[Mapping[Tag, TagRule]] = MappingProxyType(
    {
        Tag.MOBILE: TagRule(1, ("mobile", "business_phone"), 32.5),
        Tag.MOBILE_LAST4: TagRule(2, ("mobile",), 13.3, partitioned=True),
        Tag.EMAIL: TagRule(3, ("email", "business_email"), 40.0),
        Tag.NAME: TagRule(4, ("name",), 20.0),
        Tag.WECHAT: TagRule(5, ("wechat",), 40.0),
        Tag.ID_NUMBER: TagRule(6, ("id_number",), 40.0),
    }
)
PLACE: Final[Mapping[str, int]] = MappingProxyType(
    {name: CATALOGUE.place[name] for rule in RULES.values() for name in rule.fields}
)
"""The number of a tagged field in the store: its place in the catalogue, which only grows at its end."""
FIELD_AT: Final = MappingProxyType({place: name for name, place in PLACE.items()})
KINDS_OF: Final[Mapping[str, tuple[Tag, ...]]] = MappingProxyType(
    {name: tuple(kind for kind, rule in RULES.items() if name in rule.fields) for name in PLACE}
)


def tagged_form(kind: Tag, value: str) -> str:
    """Bring a value that is in the normal form of contacts to the form in which it is tagged and looked up: case says nothing."""
    match kind:
        case Tag.MOBILE | Tag.ID_NUMBER:
            return value
        case Tag.MOBILE_LAST4:
            return value[-ENDING:]
        case Tag.EMAIL | Tag.WECHAT:
            return value.casefold()
        case Tag.NAME:
            return " ".join(value.casefold().split())


@dataclass(frozen=True, slots=True)
class Generation:
    """A plan that tags were made by: bits of each kind, of a partitioned kind by partition where it is large, and the keys' version."""

    number: int
    key_version: int
    bits: Mapping[str, int]

    @property
    def kinds(self) -> frozenset[Tag]:
        """Kinds that have tags in it; a kind of a later version of the service has none that we know of."""
        return frozenset(kind for kind in Tag if kind.value in self.bits)

    @property
    def fields(self) -> frozenset[str]:
        """Fields that have tags in it."""
        return frozenset(name for kind in self.kinds for name in RULES[kind].fields)

    def width(self, kind: Tag, partition: UUID) -> int:
        """Tell how many bits a tag has; never more than any tag may have, whatever somebody wrote into the plan."""
        found = self.bits.get(_large(kind, partition), self.bits[kind.value])
        return max(0, min(found, MOST_BITS))


@dataclass(frozen=True, slots=True)
class Population:
    """How many values there are of each kind, and of a partitioned kind in each partition."""

    values: Mapping[Tag, int]
    partitions: Mapping[UUID, int]


def planned_bits(population: int, shared: int, domain_bits: float) -> int:
    """Give the most bits with which each tag is still expected to stand for ``shared`` of ``population`` values."""
    if population < 2 * shared:
        return 0
    return min(floor(log2(population / shared)), floor(domain_bits) - 1, MOST_BITS)


def planned(kinds: frozenset[Tag], population: Population, profile: ProfileName) -> dict[str, int]:
    """Plan the bits of each kind.

    A mobile has two tags, so their bits together are at most log2(N) - 1: two people at least have both in common (CipherSweet's rule).
    """
    shared, found = SHARED[profile], dict[str, int]()
    for kind in sorted(kinds):
        rule = RULES[kind]
        if rule.partitioned:
            continue
        found[kind.value] = planned_bits(population.values.get(kind, 0), shared, rule.domain_bits)
    if Tag.MOBILE_LAST4 in kinds:
        found[Tag.MOBILE_LAST4.value] = 0
        everybody = population.values.get(Tag.MOBILE_LAST4, 0)
        left = floor(log2(everybody)) - 1 - found.get(Tag.MOBILE.value, 0) if everybody else 0
        for partition, size in population.partitions.items():
            bits = min(planned_bits(size, shared, RULES[Tag.MOBILE_LAST4].domain_bits), left)
            if bits > 0:
                found[_large(Tag.MOBILE_LAST4, partition)] = bits
    return found


def outgrown(current: Generation, wanted: Mapping[str, int], population: Population, profile: ProfileName) -> bool:
    """Tell whether the directory has outgrown a plan: other kinds, tags that too few share, or tags that too many share."""
    if {each for each in wanted if "/" not in each} != {each for each in current.bits if "/" not in each}:
        return True
    shared = SHARED[profile]
    sizes = [(kind, NO_PARTITION, size) for kind, size in population.values.items() if not RULES[kind].partitioned]
    parts = {*population.partitions, *(UUID(each.partition("/")[2]) for each in current.bits if "/" in each)}
    sizes += [(Tag.MOBILE_LAST4, partition, population.partitions.get(partition, 0)) for partition in sorted(parts)]
    for kind, partition, size in sizes:
        if kind not in current.kinds:
            continue
        has = current.width(kind, partition)
        expected = size / 2**has
        if (has and expected < shared / _WORN) or (
            expected > shared * _GROWN and wanted.get(_large(kind, partition), wanted[kind.value]) > has
        ):
            return True
    return False


def _large(kind: Tag, partition: UUID) -> str:
    return kind.value if partition == NO_PARTITION else f"{kind.value}/{partition}"

"""How strong masks are on the people who are really there: how many of them share each masked value.

Pure. A mask that leaves nearly every value apart hides digits and identifies people all the same (k-anonymity with k of one). The tally
keeps a number for each masked value, never a value.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.disclosure.fields import Catalogue
from app.disclosure.masks import masker
from app.permissions.outcomes import FieldClass, Outcome

LEVELS: Final = (Outcome.MASK_FINE, Outcome.MASK_COARSE)
"""The masks that leave something; a full one leaves the same of every value."""


@dataclass(frozen=True, slots=True)
class Strength:
    """Of one field under one mask: contacts with a value, the fewest that share a masked one, the median over contacts, those alone."""

    field: str
    field_class: FieldClass
    outcome: Outcome
    contacts: int
    least: int
    median: int
    alone: int

    def is_weak(self, enough: int) -> bool:
        """Tell whether half of the contacts share their masked value with fewer than ``enough``, themselves counted."""
        return self.contacts > 0 and self.median < enough


class Tally:
    """Counts."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Take the fields and their masks."""
        self._classes = {field.name: field.field_class for field in catalogue.declared}
        self._masks = {
            field.name: tuple((level, masker(field.mask, level)) for level in LEVELS) for field in catalogue.declared
        }
        self._shared: dict[tuple[str, Outcome], Counter[int]] = {}

    def add(self, name: str, value: str) -> None:
        """Count an opened value under every mask."""
        for level, mask in self._masks[name]:
            self._shared.setdefault((name, level), Counter())[hash(mask(value))] += 1

    def strengths(self) -> Iterator[Strength]:
        """Give what was counted, field by field in the order of their names, the finer mask first."""
        for (name, level), shared in sorted(self._shared.items(), key=lambda each: (each[0][0], -each[0][1])):
            sizes = sorted(shared.values())
            yield Strength(
                field=name,
                field_class=self._classes[name],
                outcome=level,
                contacts=sum(sizes),
                least=sizes[0],
                median=_median(sizes),
                alone=sum(1 for size in sizes if size == 1),
            )


def _median(sizes: list[int]) -> int:
    """Give the size of the group that the middle contact is in; ``sizes`` ascend."""
    half, passed = sum(sizes) / 2, 0
    for size in sizes:
        passed += size
        if passed >= half:
            return size
    return 0

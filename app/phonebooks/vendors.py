"""The makes of telephone that phonebooks are written for: what each takes, and who writes it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from app.phonebooks import fanvil, grandstream, yealink
from app.phonebooks.entry import Book, Limits

VendorName = Literal["yealink", "grandstream", "fanvil"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """One make. ``groups``: entries can be parted by department."""

    limits: Limits
    render: Callable[[Book], bytes]
    grouped: bool


VENDORS: Final[dict[VendorName, Vendor]] = {
    "yealink": Vendor(yealink.LIMITS, yealink.render, grouped=True),
    "grandstream": Vendor(grandstream.LIMITS, grandstream.render, grouped=True),
    "fanvil": Vendor(fanvil.LIMITS, fanvil.render, grouped=False),
}

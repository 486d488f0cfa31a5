"""A line of the plan as it is told to an exchange, with nothing in its words that an exchange could take for more than a word.

Names are somebody's: what nobody sees is left out of them, and a ``$``, which begins a variable in both exchanges wherever a dialplan looks
at a value twice, is written as the wide sign that people see the same and machines do not. There is no member for a secret.
"""

from dataclasses import dataclass, replace
from typing import Final
from unicodedata import category

from app.exchanges.line import LONGEST_NAME, LONGEST_VALUE

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NO_CHARACTER: Final = 0xFFFE
_DOLLAR: Final = str.maketrans({"$": "\uff04"})
INSIDE: Final = "duanhao-internal"
"""The context of a line that may only call inside the house."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One number: whose it is, what it may do beyond the house (in words of a fixed list), how it stands and until when."""

    digits: str
    extension: bool = False
    name: str = ""
    employee_no: str = ""
    user_name: str = ""
    room: str = ""
    department: str = ""
    privileges: tuple[str, ...] = ()
    state: str = ""
    until: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """What there is to be told beside number and name, by the names that readers know."""
        told = {
            "employee_no": self.employee_no,
            "user_name": self.user_name,
            "room": self.room,
            "department": self.department,
            "toll_allow": ",".join(self.privileges),
        }
        return {word: text for word, text in told.items() if text}

    @property
    def context(self) -> str:
        """Name the context of an exchange in which such a line dials: one for each set of privileges."""
        return f"duanhao-{'-'.join(sorted(self.privileges))}" if self.privileges else INSIDE


def plain(line: Told) -> Told:
    """Give a line whose words can be written."""
    return replace(
        line,
        name=word(line.name, LONGEST_NAME),
        employee_no=word(line.employee_no),
        user_name=word(line.user_name),
        room=word(line.room),
        department=word(line.department, LONGEST_NAME),
    )


def word(text: str, most: int = LONGEST_VALUE) -> str:
    """Give a text without what nobody sees and without what begins a variable, no longer than ``most`` characters."""
    seen = (" " if each.isspace() else each for each in text if each.isspace() or _is_seen(each))
    return " ".join("".join(seen).translate(_DOLLAR).split())[:most].strip()


def _is_seen(each: str) -> bool:
    code = ord(each)
    return category(each) not in _UNSEEN and code & _NO_CHARACTER != _NO_CHARACTER and not 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 — Unicode's noncharacters

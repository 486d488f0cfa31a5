"""Characters that show nothing, and the few words that are not spelt without them.

Two names that differ by such a character alone look alike, and an exact search finds one of them. Unicode calls these characters default
ignorable. Some are spelling where they stand, after UAX #31 section 2.3 (rules A1, A2 and B) in a simple form:

- U+200C between two letters that would join without it (Persian); U+200C and U+200D after a sign that silences a vowel (Indic words), and
  U+200D before it where Bengali and Kannada write RA so;
- the selectors and the vowel separator of Mongolian, after a Mongolian letter;
- the selector of a variant of an ideograph, after that ideograph (ideographic variation sequences).
"""

import re
import unicodedata
from typing import Final

_UNSHOWN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
UNSEEN: Final = ("invalid_text", "The text has characters that show nothing.", "文本含有不可见字符。")
"""What to say of a text that hides something."""
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_SILENCES: Final = 9
"""The combining class of a virama."""
_SHORT_VOWELS: Final = "".join(map(chr, range(0x064B, 0x0653))) + "\u0670"
_CURSIVE: Final = ("ARABIC LETTER ", "SYRIAC LETTER ", "MONGOLIAN LETTER ", "NKO LETTER ", "ADLAM ")

_RA: Final = ("BENGALI LETTER RA", "KANNADA LETTER RA")


def _forms(tag: str) -> frozenset[str]:
    """List the Arabic letters that have a shape of this kind, by the shapes that old encodings have of them."""
    shapes = (unicodedata.decomposition(chr(code)).split() for code in range(0xFB50, 0xFEFD))
    return frozenset(chr(int(shape[1], 16)) for shape in shapes if len(shape) == 2 and shape[0] == tag)  # noqa: PLR2004 — a tag and one letter


_ALONE: Final = _forms("<isolated>") - _forms("<initial>")
"""Letters that join none after them: nothing is to be kept apart there."""


def hides(text: str) -> bool:
    """Tell whether ``text`` has a character that shows nothing where it is not spelling."""
    return not text.isascii() and any(not _spelt(text, found.start()) for found in _UNSHOWN.finditer(text))


def spelt(text: str) -> str:
    """Give ``text`` without the characters that show nothing and are spelling where they stand; any other of them is left."""
    return text if text.isascii() else _UNSHOWN.sub(lambda found: "" if _spelt(text, found.start()) else found[0], text)


def _spelt(text: str, at: int) -> bool:
    letter, before = text[at], text[at - 1 : at]
    if letter in {_NON_JOINER, _JOINER}:
        return _in_a_word(text, at)
    if "\u180b" <= letter <= "\u180f":
        return _named(before, ("MONGOLIAN LETTER ",))
    if "\U000e0100" <= letter <= "\U000e01ef" or "\ufe00" <= letter <= "\ufe02":
        return _named(before, ("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
    return False


def _in_a_word(text: str, at: int) -> bool:
    before, after = text[:at].rstrip(_SHORT_VOWELS)[-1:], text[at + 1 : at + 2]
    if text[at - 1 : at] and unicodedata.combining(text[at - 1]) == _SILENCES:
        return text[at] == _JOINER or after.isalpha()
    if text[at] == _JOINER:
        return _named(before, _RA) and after != "" and unicodedata.combining(after) == _SILENCES
    return _named(before, _CURSIVE) and before not in _ALONE and _named(after, _CURSIVE)


def _named(letter: str, names: tuple[str, ...]) -> bool:
    return letter != "" and unicodedata.name(letter, "").startswith(names)

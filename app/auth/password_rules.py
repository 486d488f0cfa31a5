"""Which passwords may be chosen. Pure.

Length does the work: twelve characters at least, no demand for kinds of characters, which only makes people add ``1!``. Refused besides is
what a guesser tries first: the user name, a common word with digits around it, digits alone, one short piece over and over, a run
along the keyboard. Texts are compared in NFC, so that a password typed on another system is the same password.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128

_FEWEST_CHARACTERS: Final = 5
_SHORTEST_NAME: Final = 3
_LONGEST_PIECE: Final = 4
_RUNS: Final = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
)
_WORDS: Final = frozenset(
    """
    abc abcd access admin administrator aini asdf baobei changeme china company contact default demo diannao directory duanhao
    gongsi guest hello huawei iloveyou intranet ironman jiayou letmein login mima monkey newpassword nihao office passw password
    passwort phone phonebook princess qq qwer qwerty qwertyuiop root secret shouji start summer winter spring autumn sunshine
    superman temp temporary test testtest tongxunlu user username wangyi wechat weixin welcome woaini woaiwojia wodemima xinmima
    xiaomi yonghu zaq zhanghao
    短号 密码 我的密码 我爱你 公司 你好 管理员 通讯录 欢迎
    """.split()  # noqa: SIM905 — seventy words read better as a text
)
"""Words that are no password however many digits stand around them."""
_LOOKS: Final = str.maketrans("@4380$5!17", "aaebossiit")
_FRINGE: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_SEPARATORS: Final = re.compile(r"[\W_]+")


class Rule(Enum):
    """A rule that a password broke: its code, and what to do, in English and Chinese."""

    TOO_SHORT = ("too_short", "Take at least {least} characters.", "密码至少 {least} 个字符。")
    TOO_LONG = ("too_long", "Take at most 128 characters.", "密码最多 128 个字符。")
    UNPRINTABLE = ("unprintable", "Leave out control characters.", "密码不能含控制字符。")
    HOLDS_NAME = ("holds_name", "Leave your user name out of it.", "密码不能包含用户名。")
    COMMON = ("common", "This is one of the first that are guessed.", "该密码过于常见，容易被猜到。")
    USED_BEFORE = ("used_before", "You have used this one lately.", "该密码近期使用过。")
    NOT_REPEATED = ("not_repeated", "The two are not the same.", "两次输入不一致。")

    @property
    def code(self) -> str:
        """The stable code."""
        return self.value[0]


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What an installation asks of a password: its least length, how many days one may be used, how many earlier ones are refused."""

    least: int = MIN_LENGTH
    days: int = 365
    days_first: int = 7
    earlier: int = 5

    def words(self, rule: Rule) -> tuple[str, str]:
        """Say in both languages what to do about a broken rule."""
        _, en, zh = rule.value
        return en.format(least=self.least), zh.format(least=self.least)


def normal(password: str) -> str:
    """Give the form in which passwords are hashed and compared."""
    return unicodedata.normalize("NFC", password)


def broken(password: str, *, user_name: str, rules: PasswordRules) -> list[Rule]:
    """List the rules that a password breaks; none means that it may be used. What was used before is for the keeper to tell."""
    text = normal(password)
    found = []
    if len(text) < rules.least:
        found.append(Rule.TOO_SHORT)
    if len(text) > MAX_LENGTH:
        return [*found, Rule.TOO_LONG]
    if any(unicodedata.category(each) in {"Cc", "Cs", "Cn"} for each in text):
        found.append(Rule.UNPRINTABLE)
    if _holds_name(text.casefold(), user_name.casefold()):
        found.append(Rule.HOLDS_NAME)
    if _is_common(text.casefold()):
        found.append(Rule.COMMON)
    return found


def _holds_name(text: str, name: str) -> bool:
    """Tell whether the name stands in the text, forwards, backwards or taken apart at its dots."""
    bare = _SEPARATORS.sub("", text)
    parts = {name, name.partition("@")[0], _SEPARATORS.sub("", name)}
    named = {part for part in parts if len(part) >= _SHORTEST_NAME}
    return any(part in each or part[::-1] in each for part in named for each in (text, bare))


def _is_common(text: str) -> bool:
    bare = _SEPARATORS.sub("", text)
    if len(set(text)) < _FEWEST_CHARACTERS or _is_one_piece(bare) or not re.search(r"[^\W\d_]", text):
        return True
    stripped = {_FRINGE.sub("", each) for each in (text, text.translate(_LOOKS), bare, bare.translate(_LOOKS))}
    stripped |= {each.translate(_LOOKS) for each in stripped}
    if stripped & _WORDS or any(each and _is_one_piece(each) and len(each) > _LONGEST_PIECE for each in stripped):
        return True
    return any(_is_made_of_words(each) for each in (bare, bare.translate(_LOOKS))) or _is_run(bare)


def _is_one_piece(text: str) -> bool:
    """Tell whether the text is a short piece over and over."""
    return any(
        len(text) > size and (text[:size] * (len(text) // size + 1))[: len(text)] == text
        for size in range(1, _LONGEST_PIECE + 1)
    )


def _is_made_of_words(text: str) -> bool:
    """Tell whether nothing but digits is left when the common words are taken out."""
    letters = re.sub(r"\d", "", text)
    if not letters:
        return False
    whole = [True] + [False] * len(letters)
    for end in range(1, len(letters) + 1):
        whole[end] = any(whole[end - len(word)] for word in _WORDS if letters[:end].endswith(word))
    return whole[-1]


def _is_run(text: str) -> bool:
    """Tell whether the text is made of runs of four and more along the keyboard, the alphabet or the digits."""
    at = 0
    while at < len(text):
        longest = max(
            (size for size in range(4, len(text) - at + 1) if any(_along(text[at : at + size], run) for run in _RUNS)),
            default=0,
        )
        if not longest:
            return len(text) - at < _LONGEST_PIECE and at > 0
        at += longest
    return bool(text)


def _along(piece: str, run: str) -> bool:
    return piece in run or piece[::-1] in run

"""Names of people who do not exist: common, two-character and heteronym surnames, with the reading that a surname has.

Pure and the same on every machine: the only source of variety is ``random()`` of a seeded generator, the one sequence that Python promises
to keep. Given names are put together from characters that are rare in names, so that a name is unlikely to be anybody's.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")

_COMMON: Final = (
    "王 Wang 李 Li 张 Zhang 刘 Liu 陈 Chen 杨 Yang 赵 Zhao 黄 Huang 周 Zhou 吴 Wu 徐 Xu 孙 Sun 胡 Hu 朱 Zhu 高 Gao 林 Lin 何 He 郭 Guo "
    "马 Ma 罗 Luo 梁 Liang 宋 Song 郑 Zheng 谢 Xie 韩 Han 唐 Tang 冯 Feng 于 Yu 董 Dong 萧 Xiao 程 Cheng 曹 Cao 袁 Yuan 邓 Deng 许 Xu "
    "傅 Fu 沈 Shen 吕 Lü 苏 Su 卢 Lu 蒋 Jiang 蔡 Cai 丁 Ding 魏 Wei 薛 Xue 叶 Ye 余 Yu 潘 Pan 杜 Du 戴 Dai 夏 Xia 钟 Zhong 汪 Wang"
)
_COMPOUND: Final = (
    "欧阳 Ouyang 尉迟 Yuchi 上官 Shangguan 司马 Sima 诸葛 Zhuge 东方 Dongfang 皇甫 Huangfu 慕容 Murong 司徒 Situ 令狐 Linghu "
    "万俟 Moqi 长孙 Zhangsun 宇文 Yuwen 端木 Duanmu 澹台 Tantai 公孙 Gongsun"
)
_HETERONYM: Final = (
    "曾 Zeng 解 Xie 仇 Qiu 区 Ou 查 Zha 单 Shan 朴 Piao 任 Ren 华 Hua 盖 Ge 乐 Yue 翟 Zhai 缪 Miao 员 Yun 牟 Mu 冼 Xian 逄 Pang "
    "郗 Xi 洗 Xian 折 She 秘 Bi 燕 Yan 应 Ying 召 Shao 繁 Po 黑 He 盛 Sheng 纪 Ji"
)
_FIRST: Final = (
    "以 yi 若 ruo 予 yu 书 shu 知 zhi 思 si 景 jing 嘉 jia 雨 yu 星 xing 清 qing 安 an 明 ming 子 zi 言 yan 闻 wen "
    "望 wang 疏 shu"
)
_SECOND: Final = (
    "砚 yan 蘅 heng 樾 yue 岑 cen 溪 xi 梧 wu 棠 tang 屿 yu 禾 he 芷 zhi 笙 sheng 湛 zhan 泠 ling 珩 heng 昀 yun 熙 xi 霁 ji 煦 xu 翎 ling "
    "槿 jin 荻 di 苒 ran 衡 heng 岚 lan 朔 shuo 舟 zhou 槐 huai 川 chuan 穗 sui 桐 tong 沅 yuan 汀 ting 渚 zhu 钧 jun 铭 ming 骁 xiao "
    "恺 kai 柯 ke 灿 can 弈 yi"
)
_DOTTED_FIRST: Final = (
    "阿依夏木 Ayixiamu 叶尔达那 Yeerdana 古丽米热 Gulimire 巴图其木 Batuqimu 艾孜提亚 Aizitiya 其木德 Qimude 努尔夏提 Nuerxiati "
    "玛依沙 Mayisha 达瓦措姆 Dawacuomu 乌云格日 Wuyungeri 萨仁朵 Sarenduo 扎西卓嘎 Zhaxizhuoga"
)
_DOTTED_LAST: Final = (
    "托乎提汗 Tuohutihan 萨迪热木 Sadiremu 买合苏提 Maihesuti 哈力木江 Halimujiang 吐尔迪克 Tuerdike 斯琴夫 Siqinfu 那日苏克 Narisuke "
    "旦增措 Danzengcuo 牙生别克 Yashengbieke 阿不都力 Abuduli"
)
_ENGLISH: Final = (
    "Alma Basil Cedric Dora Edgar Flora Gwen Hector Ivy Jasper Kira Linus Mabel Nestor Odette Piers Quentin Rhea Silas Thora Ulric Vera "
    "Winston Xenia Yorick Zelda"
)
_ONE_CHARACTER: Final = 0.15
_SPECIAL_SHARE: Final = 0.12


def _table(text: str) -> tuple[tuple[str, str], ...]:
    words = text.split()
    return tuple(zip(words[::2], words[1::2], strict=True))


COMMON: Final = _table(_COMMON)
"""Common surnames with their reading."""

COMPOUND: Final = _table(_COMPOUND)
"""Surnames of two characters."""

HETERONYM: Final = _table(_HETERONYM)
"""Surnames that are read otherwise than the character is elsewhere, or read in more than one way."""

ENGLISH: Final = tuple(_ENGLISH.split())
"""First names that some take for colleagues abroad."""

DOT: Final = "·"
"""Stands between the parts of a name that is not one of surname and given name."""

_DOTTED: Final = tuple(
    (f"{first}{DOT}{last}", spelt, family)
    for first, spelt in _table(_DOTTED_FIRST)
    for last, family in _table(_DOTTED_LAST)
)
_FIRSTS: Final = _table(_FIRST)
_SECONDS: Final = _table(_SECOND)


class Draw:
    """Drawing with a seed: the same draws in the same order on every Python."""

    def __init__(self, seed: int) -> None:
        """Start the sequence of ``seed``."""
        self._random = random.Random(seed)  # noqa: S311 — invented people need repeatability, not secrecy

    def number(self, least: int, most: int) -> int:
        """Draw a whole number, both ends included."""
        return least + int(self._random.random() * (most - least + 1))

    def pick(self, among: Sequence[T]) -> T:
        """Draw one of ``among``."""
        return among[self.number(0, len(among) - 1)]

    def happens(self, share: float) -> bool:
        """Be true in ``share`` (0 to 1) of all draws."""
        return self._random.random() < share


@dataclass(frozen=True, slots=True)
class Name:
    """A name: in characters, in Latin letters with the given name first, and a user name that nobody else of the same drawing has."""

    han: str
    english: str
    user_name: str


class Names:
    """Draws names, each once. Every compound and heteronym surname comes up among the first fifty, the common ones after them."""

    def __init__(self, draw: Draw, *, taken: Iterable[str] = ()) -> None:
        """Take the draws, and user names (``ruo.ouyang``) that are not to be given out."""
        self._draw = draw
        self._user_names = set(taken)
        self._given: set[str] = set()
        self._waiting = _mixed(draw, [*COMPOUND, *HETERONYM])

    def next(self) -> Name:
        """Draw another name."""
        while True:
            family, reading = self._waiting.pop() if self._waiting else self._surname()
            given, spelt = self._drawn_given_name()
            if family + given not in self._given:
                break
        self._given.add(family + given)
        return Name(family + given, f"{spelt.capitalize()} {reading}", self._user_name(spelt, reading))

    def next_dotted(self) -> Name:
        """Draw a name of two parts with a dot between, as people of many nationalities of China have."""
        while True:
            han, first, last = self._draw.pick(_DOTTED)
            if han not in self._given:
                break
        self._given.add(han)
        return Name(han, f"{first} {last}", self._user_name(first.lower(), last))

    def _surname(self) -> tuple[str, str]:
        if self._draw.happens(_SPECIAL_SHARE):
            return self._draw.pick((*COMPOUND, *HETERONYM))
        return self._draw.pick(COMMON)

    def _drawn_given_name(self) -> tuple[str, str]:
        second, ending = self._draw.pick(_SECONDS)
        if self._draw.happens(_ONE_CHARACTER):
            return second, ending
        first, beginning = self._draw.pick(_FIRSTS)
        return first + second, beginning + ending

    def _user_name(self, spelt: str, reading: str) -> str:
        plain = f"{spelt}.{reading.lower().replace('ü', 'v')}"
        chosen, number = plain, 1
        while chosen in self._user_names:
            number += 1
            chosen = f"{plain}{number}"
        self._user_names.add(chosen)
        return chosen


def _mixed(draw: Draw, items: list[T]) -> list[T]:
    for at in range(len(items) - 1, 0, -1):
        other = draw.number(0, at)
        items[at], items[other] = items[other], items[at]
    return items

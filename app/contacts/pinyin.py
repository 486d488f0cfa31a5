"""How a Chinese name is read: one syllable per character, the surname by our own table, a given name in each of its readings.

Pure. Readings of single characters come from ``pypinyin`` (MIT), which is told to leave its table of phrases on the disk: it costs 55 MiB
and knows words, not names. A rare character that it does not know is read as a variant of it, else it is left out. What a surname is called
no dictionary of characters can tell, so that stands here: surnames of two characters, and characters that are read otherwise as a surname
than elsewhere. Only writing a card asks for readings; searching compares stored text.
"""

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby, islice, product
from typing import Final

from app.contacts.variants import read_as, simplified

os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")

MOST_READINGS: Final = 12
"""Ways in which a whole name may be read; a name with more keeps the first reading of each character and every single change of it."""
_MOST_OF_ONE: Final = 3
_FIRST_RARE, _LAST_RARE = 0x20000, 0x3FFFD

_COMPOUND: Final = (
    "欧阳 ou yang 尉迟 yu chi 司马 si ma 上官 shang guan 诸葛 zhu ge 东方 dong fang 皇甫 huang fu 慕容 mu rong 司徒 si tu 令狐 ling hu "
    "万俟 mo qi 长孙 zhang sun 宇文 yu wen 端木 duan mu 澹台 tan tai 公孙 gong sun 单于 chan yu 夏侯 xia hou 闻人 wen ren 赫连 he lian "
    "公冶 gong ye 宗政 zong zheng 濮阳 pu yang 淳于 chun yu 太叔 tai shu 申屠 shen tu 仲孙 zhong sun 轩辕 xuan yuan 钟离 zhong li "
    "鲜于 xian yu 闾丘 lv qiu 司空 si kong 司寇 si kou 子车 zi ju 颛孙 zhuan sun 巫马 wu ma 公西 gong xi 漆雕 qi diao 乐正 yue zheng "
    "壤驷 rang si 公良 gong liang 拓跋 tuo ba 夹谷 jia gu 宰父 zai fu 谷梁 gu liang 百里 bai li 东郭 dong guo 南门 nan men 呼延 hu yan "
    "羊舌 yang she 微生 wei sheng 梁丘 liang qiu 左丘 zuo qiu 西门 xi men 南宫 nan gong 第五 di wu 纳兰 na lan 独孤 du gu 叶赫 ye he "
    "完颜 wan yan 耶律 ye lv 贺兰 he lan 达奚 da xi 哥舒 ge shu 屈突 qu tu 段干 duan gan 亓官 qi guan 公羊 gong yang"
)
_SINGLE: Final = (
    "曾 zeng 解 xie 仇 qiu 区 ou 查 zha 单 shan 任 ren 盖 ge/gai 朴 piao/pu 翟 zhai/di 乐 yue/le 缪 miao 员 yun 贠 yun 牟 mu/mou 冼 xian "
    "洗 xian 逄 pang 郗 xi/chi 折 she 秘 bi 燕 yan 应 ying 召 shao 繁 po 黑 he 盛 sheng 纪 ji 华 hua 尉 wei 万 wan 宁 ning 覃 qin/tan "
    "隗 wei/kui 车 che 葛 ge 贾 jia 曲 qu 石 shi 沈 shen 谌 chen/shen 谷 gu 能 nai 种 chong 祭 zhai 訾 zi 那 na 佴 nai 相 xiang 柏 bai/bo "
    "薄 bo 晁 chao 褚 chu 瞿 qu 厍 she 宓 mi/fu 撒 sa 都 du 干 gan 句 gou 过 guo 会 gui 阚 kan 逯 lu 眭 sui 台 tai 澹 tan 於 yu 占 zhan "
    "长 chang 朝 chao 适 kuo 便 pian 不 fou 只 zhi 六 lu 佘 she 莘 shen/xin 叶 ye 俞 yu 缴 jiao 强 qiang 余 yu 王 wang 大 da 行 xing 哈 ha"
)
_UMLAUT: Final = ("v", "u", "yu")
"""How people write the ü of 吕 on a keyboard, and how passports do."""


def _compounds() -> dict[str, tuple[str, str]]:
    parts = _COMPOUND.split()
    return {parts[at]: (parts[at + 1], parts[at + 2]) for at in range(0, len(parts), 3)}


def _singles() -> dict[str, tuple[str, ...]]:
    parts = _SINGLE.split()
    return {character: tuple(read.split("/")) for character, read in zip(parts[::2], parts[1::2], strict=True)}


COMPOUND: Final = _compounds()
"""Surnames of two characters, each with its two syllables."""

SURNAMES: Final = _singles()
"""Characters with a reading of their own as a surname; several where families differ."""


@lru_cache(maxsize=8192)
def readings(character: str) -> tuple[str, ...]:
    """Give the readings of one character without tones, the commonest first; none for what is not a Chinese character."""
    found = dictionary(character)
    if found:
        return found
    variant = read_as(character)
    return () if variant is None else dictionary(variant)


def dictionary(character: str) -> tuple[str, ...]:
    """Give what the dictionary alone says."""
    from pypinyin import Style, pinyin  # noqa: PLC0415 — a dictionary of 15 MiB, read by who writes cards

    found = pinyin(character, style=Style.NORMAL, heteronym=True, errors="ignore")
    return _spelt(tuple(dict.fromkeys(found[0]))[:_MOST_OF_ONE]) if found else ()


def surname_length(name: str) -> int:
    """Count the characters of the surname that a Chinese name begins with: 2, 1, or 0 where it begins otherwise."""
    if simplified(name[:2]) in COMPOUND:
        return 2
    return 1 if name and (readings(name[0]) or is_rare(name[0])) else 0


def is_rare(character: str) -> bool:
    """Tell whether this is a character of the extensions B and up, whether or not anybody knows its reading or this Python its name."""
    return _FIRST_RARE <= ord(character) <= _LAST_RARE


def read_name(name: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Read a person's name (lower case, no spaces): its readings, each a tuple of syllables, and those that only a dictionary would give.

    Latin words and numbers in it are syllables as they stand; other characters are left out. Empty for a name with no Chinese character.
    """
    length = surname_length(name)
    if length == 0:
        return read_text(name), []
    rest = _choices(name[length:])
    if length == 1:
        usual = readings(name[0])
        proper = _spelt(SURNAMES.get(simplified(name[0]), usual[:1]))
        odd = [each for each in usual[:1] if each not in proper]
        return _varied([*([proper] if proper else []), *rest]), _varied([odd, *rest]) if odd else []
    first, second = COMPOUND[simplified(name[:2])]
    found = _varied([_spelt((first,)), _spelt((second,)), *rest])
    if not rest:  # two characters may be a surname and a given name as well: 单于
        alone = SURNAMES.get(simplified(name[0]), readings(name[0])[:1])
        found = list(dict.fromkeys([*found, *_varied([alone, readings(name[1])])]))
    return found, []


def read_text(text: str) -> list[tuple[str, ...]]:
    """Read what is no person's name, or an alias; empty when there is no Chinese character in it."""
    return _varied(_choices(text)) if any(map(readings, text)) else []


def words_of(text: str) -> Iterator[str]:
    """Split a text (lower case) into Chinese characters and runs of ASCII letters and digits; everything else separates."""
    for kind, letters in groupby(text, _kind):
        if kind == "han":
            yield from letters
        elif kind == "ascii":
            yield "".join(letters)


def _kind(letter: str) -> str:
    if letter.isascii():
        return "ascii" if letter.isalnum() else ""
    return "han" if readings(letter) else ""


def _choices(text: str) -> list[Sequence[str]]:
    return [(word,) if word.isascii() else readings(word) for word in words_of(text)]


def _varied(choices: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Combine readings; where that is too much, the first of each, and every other one alone."""
    ways = 1
    for each in choices:
        ways *= len(each)
    if ways <= MOST_READINGS:
        return list(product(*choices))
    first = tuple(each[0] for each in choices)
    single = ((*first[:at], other, *first[at + 1 :]) for at, each in enumerate(choices) for other in each[1:])
    return list(islice(chain([first], single), MOST_READINGS))


def _spelt(found: Sequence[str]) -> tuple[str, ...]:
    """Write a syllable with ü in every way in which it is typed; ``pypinyin`` and the tables write v."""
    plain = [each.replace("ê", "e") for each in found]
    return tuple(dict.fromkeys(each.replace("v", way) for each in plain for way in _UMLAUT))

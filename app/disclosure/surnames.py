"""Chinese surnames of two characters, for the mask of a name: what is left of 欧阳明 is 欧阳, not 欧.

Pure. The readings of the same surnames stand with searching (``app.contacts.pinyin``), a layer above; a test holds the two lists equal.
"""

from typing import Final

_ALL: Final = (
    "欧阳 尉迟 司马 上官 诸葛 东方 皇甫 慕容 司徒 令狐 万俟 长孙 宇文 端木 "
    "澹台 公孙 单于 夏侯 闻人 赫连 公冶 宗政 濮阳 淳于 太叔 申屠 仲孙 轩辕 "
    "钟离 鲜于 闾丘 司空 司寇 子车 颛孙 巫马 公西 漆雕 乐正 壤驷 公良 拓跋 "
    "夹谷 宰父 谷梁 百里 东郭 南门 呼延 羊舌 微生 梁丘 左丘 西门 南宫 第五 "
    "纳兰 独孤 叶赫 完颜 耶律 贺兰 达奚 哥舒 屈突 段干 亓官 公羊"
)
COMPOUND: Final = frozenset(_ALL.split())
"""Surnames of two characters."""

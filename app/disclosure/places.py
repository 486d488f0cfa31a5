"""Provinces and the cities that they are divided into, and where an address says that it is. Pure.

An address is masked down to its city, and a street is often named after one, so nothing is told that is not a whole name from this table
where such a name belongs: at the beginning. What is told is the table's name, never a piece of the address. A name without its ending
counts only below its province, and not when a street begins with it.

Source: the administrative divisions of the Ministry of Civil Affairs, at the level of provinces and prefectures, with the cities that a
province governs directly.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_WHOLE: Final = ("北京市", "天津市", "上海市", "重庆市", "香港特别行政区", "澳门特别行政区")
"""Cities that are no part of a province."""

_CITIES: Final = {
    "河北省": "石家庄市 唐山市 秦皇岛市 邯郸市 邢台市 保定市 张家口市 承德市 沧州市 廊坊市 衡水市 定州市 辛集市",
    "山西省": "太原市 大同市 阳泉市 长治市 晋城市 朔州市 晋中市 运城市 忻州市 临汾市 吕梁市",
    "内蒙古自治区": (
        "呼和浩特市 包头市 乌海市 赤峰市 通辽市 鄂尔多斯市 呼伦贝尔市 巴彦淖尔市 乌兰察布市 兴安盟 锡林郭勒盟 阿拉善盟"
    ),
    "辽宁省": ("沈阳市 大连市 鞍山市 抚顺市 本溪市 丹东市 锦州市 营口市 阜新市 辽阳市 盘锦市 铁岭市 朝阳市 葫芦岛市"),
    "吉林省": "长春市 吉林市 四平市 辽源市 通化市 白山市 松原市 白城市 延边+朝鲜族自治州",
    "黑龙江省": (
        "哈尔滨市 齐齐哈尔市 鸡西市 鹤岗市 双鸭山市 大庆市 伊春市 佳木斯市 七台河市 牡丹江市 黑河市 绥化市 大兴安岭地区"
    ),
    "江苏省": "南京市 无锡市 徐州市 常州市 苏州市 南通市 连云港市 淮安市 盐城市 扬州市 镇江市 泰州市 宿迁市",
    "浙江省": "杭州市 宁波市 温州市 嘉兴市 湖州市 绍兴市 金华市 衢州市 舟山市 台州市 丽水市",
    "安徽省": (
        "合肥市 芜湖市 蚌埠市 淮南市 马鞍山市 淮北市 铜陵市 安庆市 黄山市 滁州市 阜阳市 宿州市 六安市 亳州市 池州市 宣城市"
    ),
    "福建省": "福州市 厦门市 莆田市 三明市 泉州市 漳州市 南平市 龙岩市 宁德市",
    "江西省": "南昌市 景德镇市 萍乡市 九江市 新余市 鹰潭市 赣州市 吉安市 宜春市 抚州市 上饶市",
    "山东省": (
        "济南市 青岛市 淄博市 枣庄市 东营市 烟台市 潍坊市 济宁市 泰安市 威海市 日照市 临沂市 德州市 聊城市 滨州市 菏泽市"
    ),
    "河南省": (
        "郑州市 开封市 洛阳市 平顶山市 安阳市 鹤壁市 新乡市 焦作市 濮阳市 许昌市 漯河市 三门峡市 南阳市 商丘市 信阳市 周口市 "
        "驻马店市 济源市"
    ),
    "湖北省": (
        "武汉市 黄石市 十堰市 宜昌市 襄阳市 鄂州市 荆门市 孝感市 荆州市 黄冈市 咸宁市 随州市 恩施+土家族苗族自治州 仙桃市 潜江市 "
        "天门市 神农架林区"
    ),
    "湖南省": (
        "长沙市 株洲市 湘潭市 衡阳市 邵阳市 岳阳市 常德市 张家界市 益阳市 郴州市 永州市 怀化市 娄底市 湘西+土家族苗族自治州"
    ),
    "广东省": (
        "广州市 韶关市 深圳市 珠海市 汕头市 佛山市 江门市 湛江市 茂名市 肇庆市 惠州市 梅州市 汕尾市 河源市 阳江市 清远市 东莞市 "
        "中山市 潮州市 揭阳市 云浮市"
    ),
    "广西壮族自治区": (
        "南宁市 柳州市 桂林市 梧州市 北海市 防城港市 钦州市 贵港市 玉林市 百色市 贺州市 河池市 来宾市 崇左市"
    ),
    "海南省": "海口市 三亚市 三沙市 儋州市 五指山市 琼海市 文昌市 万宁市 东方市",
    "四川省": (
        "成都市 自贡市 攀枝花市 泸州市 德阳市 绵阳市 广元市 遂宁市 内江市 乐山市 南充市 眉山市 宜宾市 广安市 达州市 雅安市 巴中市 "
        "资阳市 阿坝+藏族羌族自治州 甘孜+藏族自治州 凉山+彝族自治州"
    ),
    "贵州省": (
        "贵阳市 六盘水市 遵义市 安顺市 毕节市 铜仁市 黔西南+布依族苗族自治州 黔东南+苗族侗族自治州 黔南+布依族苗族自治州"
    ),
    "云南省": (
        "昆明市 曲靖市 玉溪市 保山市 昭通市 丽江市 普洱市 临沧市 楚雄+彝族自治州 红河+哈尼族彝族自治州 文山+壮族苗族自治州 "
        "西双版纳+傣族自治州 大理+白族自治州 德宏+傣族景颇族自治州 怒江+傈僳族自治州 迪庆+藏族自治州"
    ),
    "西藏自治区": "拉萨市 日喀则市 昌都市 林芝市 山南市 那曲市 阿里地区",
    "陕西省": "西安市 铜川市 宝鸡市 咸阳市 渭南市 延安市 汉中市 榆林市 安康市 商洛市",
    "甘肃省": (
        "兰州市 嘉峪关市 金昌市 白银市 天水市 武威市 张掖市 平凉市 酒泉市 庆阳市 定西市 陇南市 临夏+回族自治州 甘南+藏族自治州"
    ),
    "青海省": (
        "西宁市 海东市 海北+藏族自治州 黄南+藏族自治州 海南+藏族自治州 果洛+藏族自治州 玉树+藏族自治州 海西+蒙古族藏族自治州"
    ),
    "宁夏回族自治区": "银川市 石嘴山市 吴忠市 固原市 中卫市",
    "新疆维吾尔自治区": (
        "乌鲁木齐市 克拉玛依市 吐鲁番市 哈密市 昌吉+回族自治州 博尔塔拉+蒙古自治州 巴音郭楞+蒙古自治州 阿克苏地区 "
        "克孜勒苏+柯尔克孜自治州 喀什地区 和田地区 伊犁+哈萨克自治州 塔城地区 阿勒泰地区 石河子市 阿拉尔市 图木舒克市 五家渠市 "
        "北屯市 铁门关市 双河市 可克达拉市 昆玉市 胡杨河市 新星市"
    ),
    "台湾省": "台北市 新北市 桃园市 台中市 台南市 高雄市 基隆市 新竹市 嘉义市",
}
"""Provinces with their cities; ``+`` stands before the part of a name that a short form leaves out for 州."""

_COUNTRY: Final = re.compile("中华人民共和国|中国")
_GAPS: Final = re.compile(r"[\s,，、;；.。·|/\-—]+")
_ENDINGS: Final = re.compile("(?:壮族|回族|维吾尔)?自治区$|特别行政区$|[省市]$|地区$|盟$")
_STREETS: Final = (
    "(?![东西南北中上下前后新老环一二三四五六七八九十]{0,3}"
    "(?:路|街|道|大街|大道|巷|弄|里|胡同|村|镇|乡|屯|桥|站|港|湾|园|苑|庄|广场|大厦|小区|公寓|新村))"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is; ``whole`` tells that the address says nothing else."""

    province: str | None
    city: str | None
    whole: bool


def _any(names: Iterable[str]) -> str:
    """Write a pattern for one of these, the longest that fits."""
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def _stem(name: str) -> str:
    return _ENDINGS.sub("", name)


class _Cities:
    """The cities of one province: ``whole`` are the forms that can be nothing else, ``stems`` those that need their province."""

    def __init__(self, names: str) -> None:
        self.whole: dict[str, str] = {}
        self.stems: dict[str, str] = {}
        for each in names.split():
            stem, _, tail = each.partition("+")
            name = stem + tail
            self.whole.update(dict.fromkeys((name, f"{stem}自治州", f"{stem}州") if tail else (name,), name))
            self.stems[stem if tail else _stem(name)] = name
        self._pattern = re.compile(f"({_any(self.whole)})|({_any(self.stems)}){_STREETS}")

    def at(self, text: str, begin: int) -> tuple[str | None, int]:
        """Read the city that stands at ``begin``; give it, and where it ends."""
        found = self._pattern.match(text, begin)
        if found is None:
            return None, begin
        return self.whole[found[1]] if found[1] else self.stems[found[2]], found.end()


_BELOW: Final = {province: _Cities(names) for province, names in _CITIES.items()}
_PROVINCE_OF: Final = {form: province for province, cities in _BELOW.items() for form in cities.whole}
_PROVINCES: Final = {_stem(each): each for each in _CITIES}
_PROVINCE: Final = re.compile(_any(_CITIES))
_PROVINCE_STEM: Final = re.compile(_any(_PROVINCES))
_CITY: Final = re.compile(_any(_PROVINCE_OF))
_CITY_ALONE: Final = re.compile(f"(?:{_any(map(_stem, _WHOLE))})?({_any(_WHOLE)})(?:\\1)?")


def place_of(address: str) -> Place | None:
    """Find province and city of an address; ``None`` when it does not begin with either."""
    text = _GAPS.sub("", address)
    if found := _COUNTRY.match(text):
        text = text[found.end() :]
    if found := _CITY_ALONE.match(text):
        return Place(None, found[1], found.end() == len(text))
    if found := _PROVINCE.match(text):
        city, end = _BELOW[found[0]].at(text, found.end())
        return Place(found[0], city, end == len(text))
    if found := _PROVINCE_STEM.match(text):
        province = _PROVINCES[found[0]]
        city, end = _BELOW[province].at(text, found.end())
        if city is not None:
            return Place(province, city, end == len(text))
    if found := _CITY.match(text):
        province = _PROVINCE_OF[found[0]]
        return Place(province, _BELOW[province].whole[found[0]], found.end() == len(text))
    return None

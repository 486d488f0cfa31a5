"""Where an address is: table by table, and never a word of a street."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.disclosure.fields import MaskKind
from app.disclosure.masks import HIDDEN_WHOLE, shown
from app.disclosure.places import _CITIES, _WHOLE, place_of
from app.permissions.outcomes import Outcome

PLACES: Final = [
    ("浙江省杭州市西湖区文三路 1 号", "浙江省杭州市"),
    ("浙江省 杭州市 西湖区", "浙江省杭州市"),
    ("中国浙江省杭州市西湖区", "浙江省杭州市"),
    ("中华人民共和国江苏省苏州市工业园区", "江苏省苏州市"),
    ("浙江杭州西湖区文三路", "浙江省杭州市"),
    ("浙江省杭州西湖区", "浙江省杭州市"),
    ("浙江杭州市西湖区", "浙江省杭州市"),
    ("杭州市西湖区文三路", "浙江省杭州市"),
    ("广东省深圳市南山区", "广东省深圳市"),
    ("北京市海淀区中关村", "北京市"),
    ("北京北京市朝阳区", "北京市"),
    ("北京市北京市朝阳区", "北京市"),
    ("上海市黄浦区南京东路 100 号", "上海市"),
    ("天津市河北区", "天津市"),
    ("重庆市渝中区", "重庆市"),
    ("香港特别行政区九龙", "香港特别行政区"),
    ("中国澳门特别行政区大堂区", "澳门特别行政区"),
    ("台湾省台北市信义区", "台湾省台北市"),
    ("广西壮族自治区南宁市青秀区", "广西壮族自治区南宁市"),
    ("广西南宁青秀区", "广西壮族自治区南宁市"),
    ("内蒙古自治区呼和浩特市新城区", "内蒙古自治区呼和浩特市"),
    ("内蒙古锡林郭勒盟锡林浩特市", "内蒙古自治区锡林郭勒盟"),
    ("内蒙古自治区兴安盟乌兰浩特市", "内蒙古自治区兴安盟"),
    ("西藏自治区阿里地区噶尔县", "西藏自治区阿里地区"),
    ("西藏拉萨市城关区", "西藏自治区拉萨市"),
    ("宁夏回族自治区银川市兴庆区", "宁夏回族自治区银川市"),
    ("宁夏银川兴庆区", "宁夏回族自治区银川市"),
    ("新疆维吾尔自治区乌鲁木齐市天山区", "新疆维吾尔自治区乌鲁木齐市"),
    ("新疆伊犁哈萨克自治州伊宁市", "新疆维吾尔自治区伊犁哈萨克自治州"),
    ("新疆伊犁州伊宁市", "新疆维吾尔自治区伊犁哈萨克自治州"),
    ("新疆喀什地区疏勒县", "新疆维吾尔自治区喀什地区"),
    ("湖北省恩施土家族苗族自治州利川市", "湖北省恩施土家族苗族自治州"),
    ("湖北省恩施州利川市", "湖北省恩施土家族苗族自治州"),
    ("湖南湘西州吉首市", "湖南省湘西土家族苗族自治州"),
    ("云南省西双版纳傣族自治州景洪市", "云南省西双版纳傣族自治州"),
    ("四川省凉山彝族自治州西昌市", "四川省凉山彝族自治州"),
    ("吉林省吉林市船营区", "吉林省吉林市"),
    ("吉林市船营区", "吉林省吉林市"),
    ("吉林省延边朝鲜族自治州延吉市", "吉林省延边朝鲜族自治州"),
    ("海南省海口市龙华区", "海南省海口市"),
    ("海南藏族自治州共和县", "青海省海南藏族自治州"),
    ("青海省海南州共和县", "青海省海南藏族自治州"),
    ("黑龙江省大兴安岭地区呼玛县", "黑龙江省大兴安岭地区"),
    ("湖北省神农架林区松柏镇", "湖北省神农架林区"),
    ("湖北省仙桃市沔城", "湖北省仙桃市"),
    ("河南省济源市", None),
    ("浙江省义乌市稠江", "浙江省"),
    ("江西省南昌路 5 号", "江西省"),
    ("广东省中山东路 5 号", "广东省"),
    ("广东中山路 5 号", None),
    ("江西南昌路 5 号", None),
    ("南京东路 5 号", None),
    ("广州路 15 号", None),
    ("北京东路 5 号", None),
    ("上海路小区 5 幢", None),
    ("浙江路 5 号", None),
    ("河北区黄纬路", None),
    ("朝阳区建国路", None),
    ("解放路 1 号，浙江省杭州市", None),
    ("示例省示例市梧桐路 1 号", None),
    ("义乌市稠江", None),
    ("杭州西湖区", None),
    ("北京", None),
    ("北京市", None),
    ("浙江省", None),
    ("浙江杭州", None),
    ("浙江省 杭州市", None),
    ("1 Main Street, Springfield", None),
    ("📦", None),
    ("", None),
]


@pytest.mark.parametrize(("address", "fine"), PLACES)
def test_each_address(address: str, fine: str | None) -> None:
    for kind in (MaskKind.ADDRESS, MaskKind.DELIVERY):
        assert shown(kind, address, Outcome.MASK_FINE) == (fine or HIDDEN_WHOLE)
    city = fine
    for province in _CITIES:
        city = city and city.removeprefix(province)
    assert shown(MaskKind.DELIVERY, address, Outcome.MASK_COARSE) == (city or HIDDEN_WHOLE)
    assert shown(MaskKind.ADDRESS, address, Outcome.MASK_COARSE) == HIDDEN_WHOLE


def test_every_city_is_found_below_its_province() -> None:
    named = [(province, each.replace("+", "")) for province, names in _CITIES.items() for each in names.split()]
    assert len(named) > 340
    assert len(set(named)) == len(named)
    for province, city in named:
        place = place_of(f"{province}{city}某区某处")
        assert place is not None
        assert (place.province, place.city, place.whole) == (province, city, False)
    for city in _WHOLE:
        place = place_of(f"{city}某区某处")
        assert place is not None
        assert (place.province, place.city) == (None, city)


def test_no_city_is_of_two_provinces() -> None:
    cities = [each.replace("+", "") for names in _CITIES.values() for each in names.split()]
    assert sorted(set(cities)) == sorted(cities)


TOLD: Final = {
    *_WHOLE,
    *_CITIES,
    *(province + each.replace("+", "") for province, names in _CITIES.items() for each in names.split()),
    *(each.replace("+", "") for names in _CITIES.values() for each in names.split()),
}
PIECES: Final = st.sampled_from(
    [
        *_WHOLE,
        *_CITIES,
        "杭州市",
        "浙江",
        "杭州",
        "南京",
        "中山",
        "东",
        "路",
        "街",
        "区",
        "1 号",
        " ",
        "，",
        "中国",
        "文三",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=6).map("".join), st.sampled_from([Outcome.MASK_FINE, Outcome.MASK_COARSE]))
def test_whatever_is_told_is_a_name_of_the_table(address: str, outcome: Outcome) -> None:
    for kind in (MaskKind.ADDRESS, MaskKind.DELIVERY):
        assert shown(kind, address, outcome) in TOLD | {HIDDEN_WHOLE}

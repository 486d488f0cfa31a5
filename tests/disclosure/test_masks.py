"""A mask shows what its outcome says and nothing else: never the value, nothing of its length, the same shape for every value of a kind."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.pinyin import COMPOUND
from app.disclosure.fields import MaskKind
from app.disclosure.masks import HIDDEN_WHOLE, national, shown
from app.disclosure.surnames import COMPOUND as SURNAMES
from app.permissions.outcomes import Outcome

FINE, COARSE, FULL, CLEAR = Outcome.MASK_FINE, Outcome.MASK_COARSE, Outcome.MASK_FULL, Outcome.CLEAR

TABLE: Final = [
    (MaskKind.MOBILE, "+8613800002101", "13800002101", "138****2101", "138********"),
    (MaskKind.MOBILE, "+85291234567", "+85291234567", "+8********67", "+8**********"),
    (MaskKind.MOBILE, "+12025550123", "+12025550123", "+1********23", "+1**********"),
    (MaskKind.MOBILE, "12345", "12345", "***", "***"),
    (MaskKind.MOBILE, "", "", "***", "***"),
    (MaskKind.MOBILE, "\uff11\uff13\uff18" * 4, "\uff11\uff13\uff18" * 4, "***", "***"),  # full-width digits
    (MaskKind.MOBILE, "📞", "📞", "***", "***"),
    (MaskKind.LANDLINE, "+861088882101", "010-88882101", "010-****01", "010-******"),
    (MaskKind.LANDLINE, "+867558888210", "0755-8888210", "0755-****10", "0755-******"),
    (MaskKind.LANDLINE, "+861088882101-123", "010-88882101-123", "010-****01", "010-******"),
    (MaskKind.LANDLINE, "+8613800002101", "13800002101", "138****2101", "138********"),
    (MaskKind.LANDLINE, "+442079460000", "+442079460000", "+4********00", "+4**********"),
    (MaskKind.LANDLINE, "4001", "4001", "***", "***"),
    (MaskKind.EMAIL, "person2101@example.com", "person2101@example.com", "p***@example.com", "***@example.com"),
    (MaskKind.EMAIL, "ab@example.com", "ab@example.com", "a***@example.com", "***@example.com"),
    (MaskKind.EMAIL, "a@example.com", "a@example.com", "***", "***"),
    (MaskKind.EMAIL, "no mail", "no mail", "***", "***"),
    (MaskKind.EMAIL, "***@example.com", "***@example.com", "****@example.com", "***"),
    (MaskKind.HANDLE, "wx_2101_x", "wx_2101_x", "w***", "***"),
    (MaskKind.HANDLE, "abc", "abc", "***", "***"),
    (MaskKind.HANDLE, "a***", "a***", "***", "***"),
    (MaskKind.ID_NUMBER, "11010519491231002X", "11010519491231002X", "1****************X", "*" * 18),
    (MaskKind.ID_NUMBER, "E12345678", "E12345678", "*" * 18, "*" * 18),
    (MaskKind.ADDRESS, "北京市海淀区无名路 1 号", "北京市海淀区无名路 1 号", "北京市", "***"),
    (MaskKind.ADDRESS, "浙江省杭州市西湖区", "浙江省杭州市西湖区", "浙江省杭州市", "***"),
    (MaskKind.ADDRESS, "北京市", "北京市", "***", "***"),
    (MaskKind.ADDRESS, "浙江省示例路 1 号", "浙江省示例路 1 号", "浙江省", "***"),
    (MaskKind.DELIVERY, "浙江省杭州市西湖区", "浙江省杭州市西湖区", "浙江省杭州市", "杭州市"),
    (MaskKind.DELIVERY, "上海市浦东新区无名路 1 号", "上海市浦东新区无名路 1 号", "上海市", "上海市"),
    (MaskKind.DELIVERY, "浙江省示例路 1 号", "浙江省示例路 1 号", "浙江省", "***"),
    (MaskKind.DELIVERY, "杭州市", "杭州市", "***", "***"),
    (MaskKind.DELIVERY, "1 Main Street", "1 Main Street", "***", "***"),
    (MaskKind.ADDRESS, "1 Main Street", "1 Main Street", "***", "***"),
    (MaskKind.DATE, "1949-12-31", "1949-12-31", "1949-**-**", "****-**-**"),
    (MaskKind.DATE, "gestern", "gestern", "****-**-**", "****-**-**"),
    (MaskKind.PLATE, "京A12345", "京A12345", "京A*****", "***"),
    (MaskKind.PLATE, "京A1", "京A1", "***", "***"),
    (MaskKind.NAME, "曾若砚", "曾若砚", "曾**", "某**"),
    (MaskKind.NAME, "欧阳明", "欧阳明", "欧阳**", "某**"),
    (MaskKind.NAME, "欧阳", "欧阳", "***", "某**"),
    (MaskKind.NAME, "曾", "曾", "***", "某**"),
    (MaskKind.NAME, "迈克尔·李", "迈克尔·李", "迈**", "某**"),
    (MaskKind.NAME, "Ford Prefect", "Ford Prefect", "F**", "***"),
    (MaskKind.NAME, "某**", "某**", "***", "***"),
    (MaskKind.TEXT, "anything", "anything", "***", "***"),
]


@pytest.mark.parametrize(("kind", "value", "clear", "fine", "coarse"), TABLE)
def test_each_outcome_of_each_kind(kind: MaskKind, value: str, clear: str, fine: str, coarse: str) -> None:
    assert (shown(kind, value, CLEAR), shown(kind, value, FINE), shown(kind, value, COARSE)) == (clear, fine, coarse)
    assert shown(kind, value, FULL) == HIDDEN_WHOLE


@pytest.mark.parametrize("kind", MaskKind)
def test_a_hidden_value_has_no_text(kind: MaskKind) -> None:
    with pytest.raises(ValueError, match="hidden"):
        shown(kind, "anything", Outcome.HIDDEN)


anything = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True),
    st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True),
    st.from_regex(r"\+86(10|2[0-9]|[3-9][0-9]{2})[0-9]{7,8}(-[0-9]{1,6})?", fullmatch=True),
    st.from_regex(r"[*a-z0-9._-]{1,12}@[a-z0-9]{1,10}\.[a-z]{2,5}", fullmatch=True),
    st.from_regex(r"[1-9*][0-9*]{16}[0-9X*]", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9*]{2}-[0-9*]{2}", fullmatch=True),
    st.text(alphabet="省市自治区州京沪*杭路号 1", max_size=12),
    st.lists(
        st.sampled_from(["中国", "浙江", "省", "杭州", "市", "吉林", "北京", "海南", "自治", "州", "路", "1"]),
        max_size=7,
    ).map("".join),
    st.text(alphabet="*", max_size=20),
    st.text(alphabet="欧阳明某* ab·", max_size=6),
)


@given(kind=st.sampled_from(MaskKind), value=anything, outcome=st.sampled_from([FINE, COARSE, FULL]))
def test_a_mask_is_never_the_value(kind: MaskKind, value: str, outcome: Outcome) -> None:
    masked = shown(kind, value, outcome)
    if value and set(value) != {"*"}:
        assert masked not in {value, national(value)}
    if len(value) > 1 and "*" not in value:
        assert value not in masked
    assert "*" in masked or kind in {MaskKind.ADDRESS, MaskKind.DELIVERY}


@given(kind=st.sampled_from(MaskKind), value=anything)
def test_what_is_coarse_tells_no_more_than_what_is_fine(kind: MaskKind, value: str) -> None:
    fine, coarse = (shown(kind, value, outcome) for outcome in (FINE, COARSE))
    assert sum(letter != "*" for letter in coarse) <= sum(letter != "*" for letter in fine) or fine == HIDDEN_WHOLE


def test_surnames_of_two_characters_are_those_that_searching_knows() -> None:
    assert frozenset(COMPOUND) == SURNAMES


SHAPES: Final = {
    MaskKind.MOBILE: st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True),
    MaskKind.HANDLE: st.from_regex(r"[a-z]{4,40}", fullmatch=True),
    MaskKind.ID_NUMBER: st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True),
    MaskKind.DATE: st.dates().map(lambda day: day.isoformat()),
    MaskKind.NAME: st.from_regex(r"[曾李单][明海林]{1,5}", fullmatch=True),
    MaskKind.TEXT: st.text(min_size=1, max_size=200),
    MaskKind.PLATE: st.from_regex(r"[京沪][A-Z][0-9A-Z]{5,6}", fullmatch=True),
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("outcome", [FINE, COARSE, FULL])
def test_masks_of_a_kind_have_one_length(kind: MaskKind, outcome: Outcome) -> None:
    lengths = set()

    @given(value=SHAPES[kind])
    def collect(value: str) -> None:
        lengths.add(len(shown(kind, value, outcome)))

    collect()
    assert len(lengths) == 1


@given(local=st.from_regex(r"[a-z0-9._-]{2,40}", fullmatch=True))
def test_a_mail_addresss_mask_says_nothing_of_its_length(local: str) -> None:
    assert shown(MaskKind.EMAIL, f"{local}@example.com", FINE) == f"{local[0]}***@example.com"


@given(number=st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True).filter(lambda text: not text.startswith("+86")))
def test_a_foreign_numbers_mask_says_nothing_of_its_length(number: str) -> None:
    assert len(shown(MaskKind.MOBILE, number, FINE)) == len(shown(MaskKind.MOBILE, number, COARSE)) == 12

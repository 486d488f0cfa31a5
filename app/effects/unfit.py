"""Why something cannot be asked for, though its form fits.

Invalid
└── CannotBeAsked      cannot_be_asked      ``errors`` says where and why
Conflict
└── BeneficiaryGone    beneficiary_gone     whom it is for is not in service, or has no account that may be used

Only somebody who may know of the subject is told; to everybody else it is absent.
"""

from enum import Enum

from app.kit.errors import Conflict, FieldError, Invalid


class Why(Enum):
    """A stable code, and what it says in English and in Chinese."""

    UNKNOWN_FIELD = ("unknown_field", "The contact carries no such protected field", "该联系人没有此受保护字段")
    FIELD_CLEAR = ("field_clear", "You see this field in clear already", "您已可查看该字段")
    BEYOND_REACH = ("beyond_reach", "The policy lets no request lead there", "策略不允许通过申请查看该字段")
    OTHER_CLASS = ("other_class", "Fields of this class are not asked for in this way", "该级别字段不能以此方式申请")
    OWN_CARD = ("own_card", "One's own card is not asked for", "本人信息无需申请")
    FOR_ONESELF = ("for_oneself", "This is asked for oneself alone", "只能为本人申请")
    FOR_OTHERS = ("for_others", "This is asked for somebody else", "不能为本人申请")
    PURPOSE = ("unfit_purpose", "This is not asked for with that purpose", "不能以该用途申请")
    TERM = ("unfit_term", "The end lies in the past, or too far ahead", "结束时间已过或过远")
    UNKNOWN_CONTACT = ("unknown_contact", "There is no such contact", "没有此联系人")
    NO_CONSENT = (
        "no_consent_here",
        "This person cannot be asked for their consent here",
        "该联系人无法在本系统中征求同意",
    )
    CONTRACT = (
        "malformed_contract",
        "The reference of a contract has 2 to 64 printable characters",
        "合同编号须为 2 至 64 个可见字符",
    )
    NOT_ASSIGNED = ("not_assigned", "You are not assigned to this customer", "您未负责该客户")
    OWN_DEPARTMENT = ("own_department", "The department is the beneficiary's own", "该部门即受益人所在部门")
    OTHER_DEPARTMENT = ("other_department", "The beneficiary is of another department", "受益人不在您的部门")
    CROSSES_BORDER = (
        "crosses_border",
        "Another region or legal entity is provided to, by provide.external",
        "跨地区或跨主体属于对外提供，请申请 provide.external",
    )
    ROLE = ("role_not_given", "A position brings this role, no request does", "该角色由岗位带来，不能申请")
    TIER = ("unfit_tier", "This tier does not go with these roles", "该层级与所列角色不符")
    NO_CHANGE = ("no_change", "Nothing would change", "没有任何变化")
    SCOPE = ("scope_not_given", "No request gives this scope", "该权限范围不能申请")
    CLIENT_ID = (
        "malformed_client_id",
        "A client id is 2 to 63 of a-z, 0-9 and -",
        "客户端标识须为 2 至 63 个小写字母、数字或连字符",
    )
    CHOICE = ("chosen_twice", "A given number is one number, and has its looks", "指定号码时不能再指定数量或样式")
    TAKEN = ("client_exists", "The client id is taken", "该客户端标识已被使用")
    MUST_END = (
        "must_end",
        "Numbers of this pool have an end; ask for one with number.temporary",
        "该号段池的号码须有截止时间，请申请 number.temporary",
    )
    NOT_IN_POOL = ("not_in_pool", "The number is not in this pool", "该号码不属于此号段池")
    NOT_HELD = ("not_held", "Nobody holds the number, or several do", "该号码无人持有或由多人共用")
    OTHER_HOLDER = ("other_holder", "The number is not the beneficiary's", "该号码不由受益人持有")
    NOT_COMPARED = (
        "nothing_to_release",
        "This reconciliation has no diff in which people leave, or it is over",
        "该对账没有可放行的离职差异，或已结束",
    )
    OTHER_AUTHOR = ("other_author", "Another author's new version is theirs to file", "新版本须由其作者提交")


class CannotBeAsked(Invalid):
    """The form is well formed, and what it asks for is nothing that can be given."""

    code, title, title_zh = "cannot_be_asked", "This cannot be asked for", "不能提出此申请"

    def __init__(self, pointer: str, why: Why, at: int | None = None) -> None:
        """Point at the member, or at its ``at``-th item."""
        place = pointer if at is None else f"{pointer}/{at}"
        super().__init__(errors=[FieldError(place, *why.value)])


class BeneficiaryGone(Conflict):
    """There is nobody to give it to."""

    code, title, title_zh = "beneficiary_gone", "The beneficiary can be given nothing", "受益人无法获得授权"

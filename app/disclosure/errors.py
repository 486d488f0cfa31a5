"""Refusals of the gate.

Forbidden
└── ApprovalRequired   approval_required   the caller must file a request first; names its kind
Invalid
├── UnknownField       unknown_field       not a protected field of this contact's kind
└── CaseMissing        invalid_request     policy asks for the number of a case, and the reveal names none
"""

from app.kit.errors import FieldError, Forbidden, Invalid


class ApprovalRequired(Forbidden):
    """Policy does not give this value on a reason alone."""

    code, title, title_zh = "approval_required", "An approved request is required", "需要先提交审批"


class UnknownField(Invalid):
    """A reveal names something that this contact's kind does not carry."""

    code, title, title_zh = "unknown_field", "Not a protected field of this contact", "不是该联系人的受保护字段"


class CaseMissing(Invalid):
    """A member is missing, as the reason might be; unlike that one it is only asked for where policy says so."""

    def __init__(self) -> None:
        """Point at the member."""
        en, zh = "Policy asks for the number of a case here.", "按策略，此处须提供案件编号。"
        super().__init__(errors=[FieldError("/case", "missing", en, zh)])

"""Every field of a contact, declared once (design/fields.md). Column, class, mask, labels and the log's bits follow from here.

Pure. The order of the protected fields is the order of bits in the log's index rows: append, never insert.
"""

from typing import Final

from app.disclosure.fields import Catalogue, MaskKind, ProtectedField, PublicField
from app.permissions.outcomes import FieldClass

_STAFF: Final = frozenset({"employee", "temporary"})
_STAFF_AND_HOTLINES: Final = _STAFF | {"hotline"}
_EXTERNAL: Final = frozenset({"external"})
_EVERYBODY: Final = _STAFF | _EXTERNAL | {"student", "applicant"}

CATALOGUE: Final = Catalogue(
    public=(
        PublicField("id", "标识", "Id"),
        PublicField("kind", "类别", "Kind"),
        PublicField("name", "姓名", "Name"),
        PublicField("name_en", "英文名", "English name"),
        PublicField("alias", "别名", "Alias"),
        PublicField("employee_no", "工号", "Employee number"),
        PublicField("user_name", "账号", "User name"),
        PublicField("worker_kind", "用工形式", "Kind of employment"),
        PublicField("status", "状态", "Status"),
        PublicField("department", "部门", "Department"),
        PublicField("title", "职务", "Title"),
        PublicField("memberships", "所属部门", "Memberships"),
        PublicField("manager", "上级", "Manager"),
        PublicField("dotted_manager", "虚线上级", "Dotted-line manager"),
        PublicField("short_numbers", "短号", "Short numbers"),
        PublicField("extension", "分机", "Extension"),
        PublicField("location", "办公地点", "Location"),
        PublicField("duties", "职责", "Duties"),
        PublicField("work_area", "分管区域", "Work area"),
        PublicField("organisation", "单位", "Organisation"),
        PublicField("relation", "关系", "Relation"),
        PublicField("contract_ref", "合同", "Contract"),
        PublicField("contract_until", "合同到期", "Contract until"),
        PublicField("review_due", "复核到期", "Review due"),
        PublicField("tags", "标签", "Tags"),
        PublicField("category", "分类", "Category"),
        PublicField("away_until", "离岗至", "Away until"),
        PublicField("backup_contact", "备用联系人", "Backup contact"),
    ),
    protected=(
        ProtectedField(
            "office_phone", FieldClass.C2, MaskKind.LANDLINE, "办公电话", "Office phone", _STAFF_AND_HOTLINES
        ),
        ProtectedField("fax", FieldClass.C2, MaskKind.LANDLINE, "传真", "Fax", _STAFF_AND_HOTLINES),
        ProtectedField("email", FieldClass.C2, MaskKind.EMAIL, "邮箱", "E-mail", _STAFF_AND_HOTLINES),
        ProtectedField("mobile", FieldClass.C3, MaskKind.MOBILE, "工作手机", "Work mobile", _STAFF_AND_HOTLINES),
        ProtectedField("wecom_id", FieldClass.C3, MaskKind.HANDLE, "企业微信", "WeCom id", _STAFF),
        ProtectedField("business_phone", FieldClass.C3, MaskKind.MOBILE, "业务电话", "Business phone", _EXTERNAL),
        ProtectedField("business_email", FieldClass.C3, MaskKind.EMAIL, "业务邮箱", "Business e-mail", _EXTERNAL),
        ProtectedField("personal_mobile", FieldClass.C4, MaskKind.MOBILE, "私人手机", "Personal mobile", _STAFF),
        ProtectedField("personal_email", FieldClass.C4, MaskKind.EMAIL, "私人邮箱", "Personal e-mail", _STAFF),
        ProtectedField("wechat", FieldClass.C4, MaskKind.HANDLE, "微信", "WeChat", _STAFF),
        ProtectedField("qq", FieldClass.C4, MaskKind.HANDLE, "QQ", "QQ", _STAFF),
        ProtectedField("plate", FieldClass.C4, MaskKind.PLATE, "车牌", "Number plate", _STAFF),
        ProtectedField("delivery_address", FieldClass.C4, MaskKind.ADDRESS, "收货地址", "Delivery address", _EXTERNAL),
        ProtectedField("home_address", FieldClass.C5, MaskKind.ADDRESS, "住址", "Home address", _EVERYBODY),
        ProtectedField("birth_date", FieldClass.C5, MaskKind.DATE, "出生日期", "Date of birth", _EVERYBODY),
        ProtectedField("id_number", FieldClass.C5, MaskKind.ID_NUMBER, "身份证号", "Identity number", _EVERYBODY),
        ProtectedField("private_notes", FieldClass.C5, MaskKind.TEXT, "备注", "Private notes", _EVERYBODY),
    ),
)
COLLECTED_KINDS: Final = ("employee", "temporary", "hotline")
"""Kinds that have a collection form so far; the others come with their forms and sealed names."""

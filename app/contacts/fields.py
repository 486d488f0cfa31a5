"""Every field of a contact, declared once (design/fields.md). Column, class, mask, labels and the log's bits follow from here.

Pure. The order of the protected fields is the order of bits in the log's index rows: append, never insert.
"""

from typing import Final

from app.disclosure.fields import ALL_KINDS, Catalogue, MaskKind, ProtectedField, PublicField
from app.permissions.outcomes import FieldClass

TEMPORARY: Final = "temporary"
"""The kind of those who are shown to nobody once their contract is over."""
_STAFF: Final = frozenset({"employee", TEMPORARY})
_STAFF_AND_HOTLINES: Final = _STAFF | {"hotline"}
_EXTERNAL: Final = frozenset({"external"})
_PRIVATELY: Final = _STAFF | {"student", "applicant"}
"""Kinds that are reached privately: an applicant has no office phone."""
_EVERYBODY: Final = _PRIVATELY | _EXTERNAL
SEALED_NAMES: Final = _EXTERNAL | {"student", "applicant"}
"""Kinds whose names are C2 and sealed; of all others they are C1."""
_NAMED_PLAINLY: Final = ALL_KINDS - SEALED_NAMES
_OUR_OWN: Final = ALL_KINDS - _EXTERNAL
"""What an employer knows of those who work or study here, and of its hotlines."""

CATALOGUE: Final = Catalogue(
    public=(
        PublicField("id", "标识", "Id"),
        PublicField("kind", "类别", "Kind"),
        PublicField("name", "姓名", "Name", _NAMED_PLAINLY),
        PublicField("name_en", "英文名", "English name", _NAMED_PLAINLY),
        PublicField("alias", "别名", "Alias", _NAMED_PLAINLY),
        PublicField("employee_no", "工号", "Employee number", _OUR_OWN),
        PublicField("user_name", "账号", "User name", _OUR_OWN),
        PublicField("worker_kind", "用工形式", "Kind of employment", _OUR_OWN),
        PublicField("status", "状态", "Status"),
        PublicField("department", "部门", "Department"),
        PublicField("title", "职务", "Title"),
        PublicField("memberships", "所属部门", "Memberships", _OUR_OWN),
        PublicField("manager", "上级", "Manager", _OUR_OWN),
        PublicField("dotted_manager", "虚线上级", "Dotted-line manager", _OUR_OWN),
        PublicField("short_numbers", "短号", "Short numbers"),
        PublicField("extension", "分机", "Extension"),
        PublicField("location", "办公地点", "Location", _OUR_OWN),
        PublicField("duties", "职责", "Duties", _OUR_OWN),
        PublicField("work_area", "分管区域", "Work area", _OUR_OWN),
        PublicField("organisation", "单位", "Organisation", _EXTERNAL),
        PublicField("relation", "关系", "Relation", _EXTERNAL),
        PublicField("contract_ref", "合同", "Contract"),
        PublicField("contract_until", "合同到期", "Contract until"),
        PublicField("review_due", "复核到期", "Review due", _EXTERNAL),
        PublicField("tags", "标签", "Tags"),
        PublicField("category", "分类", "Category"),
        PublicField("away_until", "离岗至", "Away until", _OUR_OWN),
        PublicField("backup_contact", "备用联系人", "Backup contact", _OUR_OWN),
        PublicField("retain_until", "保留至", "Kept until"),
        PublicField("unconfirmed_since", "未核对起始日", "Unconfirmed since", _OUR_OWN),
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
        ProtectedField("personal_mobile", FieldClass.C4, MaskKind.MOBILE, "私人手机", "Personal mobile", _PRIVATELY),
        ProtectedField("personal_email", FieldClass.C4, MaskKind.EMAIL, "私人邮箱", "Personal e-mail", _PRIVATELY),
        ProtectedField("wechat", FieldClass.C4, MaskKind.HANDLE, "微信", "WeChat", _PRIVATELY),
        ProtectedField("qq", FieldClass.C4, MaskKind.HANDLE, "QQ", "QQ", _PRIVATELY),
        ProtectedField("plate", FieldClass.C4, MaskKind.PLATE, "车牌", "Number plate", _STAFF),
        ProtectedField("delivery_address", FieldClass.C4, MaskKind.DELIVERY, "收货地址", "Delivery address", _EXTERNAL),
        ProtectedField("home_address", FieldClass.C5, MaskKind.ADDRESS, "住址", "Home address", _EVERYBODY),
        ProtectedField("birth_date", FieldClass.C5, MaskKind.DATE, "出生日期", "Date of birth", _EVERYBODY),
        ProtectedField("id_number", FieldClass.C5, MaskKind.ID_NUMBER, "身份证号", "Identity number", _EVERYBODY),
        ProtectedField("private_notes", FieldClass.C5, MaskKind.TEXT, "备注", "Private notes", _EVERYBODY),
        ProtectedField("photo", FieldClass.C2, MaskKind.PICTURE, "照片", "Photo", _STAFF, on_card=False),
        ProtectedField("name", FieldClass.C2, MaskKind.NAME, "姓名", "Name", SEALED_NAMES, stored_as="sealed_name"),
        ProtectedField(
            "name_en", FieldClass.C2, MaskKind.NAME, "英文名", "English name", SEALED_NAMES, stored_as="sealed_name_en"
        ),
        ProtectedField("alias", FieldClass.C2, MaskKind.NAME, "别名", "Alias", SEALED_NAMES, stored_as="sealed_alias"),
        ProtectedField(
            "relations",
            FieldClass.C5,
            MaskKind.RELATIONS,
            "紧急联系人与监护人",
            "Emergency contacts and guardians",
            _PRIVATELY,
        ),
    ),
)
PHOTO: Final = CATALOGUE.apart["photo"]
"""Stored in a table of its own, and shown at an address of its own: a picture on every card would cost every card."""
NAMES: Final = ("name", "name_en", "alias")

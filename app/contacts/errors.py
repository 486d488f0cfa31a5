"""Refusals about contacts.

Conflict
├── DuplicateEmployeeNumber   duplicate_employee_no
├── DuplicateUserName         duplicate_user_name
├── DuplicateTag              duplicate_tag
├── TagInUse                  tag_in_use             somebody whom the caller can see carries it
└── ProposalUnreadable        proposal_unreadable    a value that waited for a decision was edited past us
Invalid
├── UnknownDepartment         unknown_department
├── UnknownContact            unknown_contact        a manager or backup that the caller cannot name
├── NamesOneself              names_oneself          somebody as their own manager or backup
├── NotCollected              not_collected          this kind of contact does not carry this
├── ConsentRequired           consent_required       the field rests on a consent that is not live
├── UnreadableImage           unreadable_image       it says that it is a picture, and cannot be read as one
└── TooManyPixels             too_many_pixels        small as a file, too large as a picture
"""

from app.kit.errors import Conflict, FieldError, Invalid


class DuplicateEmployeeNumber(Conflict):
    """Another contact has this employee number."""

    code, title, title_zh = "duplicate_employee_no", "The employee number is taken", "工号已被使用"


class DuplicateUserName(Conflict):
    """Another contact has this user name."""

    code, title, title_zh = "duplicate_user_name", "The user name is taken", "账号已被使用"


class UnknownDepartment(Invalid):
    """No such department."""

    code, title, title_zh = "unknown_department", "There is no such department", "部门不存在"

    def __init__(self, pointer: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class UnknownContact(Invalid):
    """No such contact that the caller may see."""

    code, title, title_zh = "unknown_contact", "There is no such contact", "联系人不存在"

    def __init__(self, pointer: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class NamesOneself(Invalid):
    """Who leads somebody, or answers in their place, is somebody else."""

    code, title, title_zh = "names_oneself", "Nobody is their own manager or deputy", "不能将本人设为自己的上级或代理人"

    def __init__(self, pointer: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class NotCollected(Invalid):
    """The collection form of this kind does not ask for this."""

    code, title, title_zh = "not_collected", "This kind of contact does not carry this", "该类别不收集此字段"

    def __init__(self, *pointers: str) -> None:
        """Point at the members."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh) for pointer in pointers])


class ConsentRequired(Invalid):
    """The field rests on the person's consent, and none is live: never given, or withdrawn."""

    code, title, title_zh = "consent_required", "This takes a consent that is live", "须先取得有效的个人同意"

    def __init__(self, *pointers: str) -> None:
        """Point at the members."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh) for pointer in pointers])


class DuplicateTag(Conflict):
    """The tag is in the company's list already."""

    code, title, title_zh = "duplicate_tag", "The tag exists", "标签已存在"


class TagInUse(Conflict):
    """Contacts that the caller can see carry the tag; ``contact_count`` says how many."""

    code, title, title_zh = "tag_in_use", "The tag is in use", "标签正在使用"


class ProposalUnreadable(Conflict):
    """What waited to be put on the card is not what was kept: somebody edited it past us, or the contact has another key now."""

    code, title, title_zh = "proposal_unreadable", "A value that waited cannot be used", "待写入的值已不可用"


class UnreadableImage(Invalid):
    """The body begins like a picture and cannot be read as one."""

    code, title, title_zh = "unreadable_image", "The picture cannot be read", "图片无法读取"


class TooManyPixels(Invalid):
    """The picture would unfold to more than this operation takes into memory."""

    code, title, title_zh = "too_many_pixels", "The picture has too many pixels", "图片像素过多"

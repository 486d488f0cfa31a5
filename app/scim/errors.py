"""Refusals of provisioning, as problems like everybody's; how they leave under ``/scim`` is the business of ``app.scim.answers``.

Conflict
├── ExternalIdTaken    external_id_taken     the client calls somebody else so
└── GroupExists        group_exists          there is a group of this name
Invalid
├── DepartmentMissing  department_missing    no department was named, and none is set for that
├── NotWritable        not_writable          the attribute, or the group, is read alone
└── TooManyToSearch    too_many_to_search    no index answers the filter, and there are too many to look at each
"""

from app.kit.errors import Conflict, Invalid


class ExternalIdTaken(Conflict):
    """The client gave this ``externalId`` to somebody else."""

    code, title, title_zh = "external_id_taken", "This externalId is another resource's", "该 externalId 已被占用"


class GroupExists(Conflict):
    """A group is a tag, and a tag is its name."""

    code, title, title_zh = "group_exists", "There is a group of this name", "已有同名的组"


class DepartmentMissing(Invalid):
    """Everybody who joins belongs to a department."""

    code, title, title_zh = (
        "department_missing",
        "No department is given, and none is set for those without",
        "未给出部门，且未设置默认部门",
    )


class NotWritable(Invalid):
    """Departments are HR's; tags that policy reads are nobody's to give by provisioning; who has left keeps their user name."""

    code, title, title_zh = "not_writable", "This cannot be changed by provisioning", "不能通过同步修改"


class TooManyToSearch(Invalid):
    """A filter that no index answers is tried on each; not on all of a large company."""

    code, title, title_zh = (
        "too_many_to_search",
        "Too many resources for this filter or order",
        "资源过多，无法筛选或排序",
    )

"""Refusals of provisioning, as problems like everybody's; how they leave under ``/scim`` is the business of ``app.scim.answers``.

Conflict
├── ExternalIdTaken    external_id_taken     the client calls somebody else so
└── GroupExists        group_exists          there is a group of this name, or a tag of the company's own
Forbidden
└── GroupOfAnother     group_of_another      another client made the group
Invalid
├── UnfitExternalId    unfit_external_id     an externalId is no short, plain text
├── DepartmentMissing  department_missing    no department was named, and none is set for that
├── GroupTooLarge      group_too_large       more members than one answer tells of
├── NotWritable        not_writable          the attribute, or the group, is read alone
├── TooManyMembers     too_many_members      more people than one request puts into a group or takes out
├── TooManyTags        too_many_tags         somebody would carry more tags than a card has
└── TooManyToSearch    too_many_to_search    no index answers the filter, and there are too many to look at each
"""

from typing import Final

from app.kit.errors import Conflict, Forbidden, Invalid

LONGEST_EXTERNAL_ID: Final = 255


class ExternalIdTaken(Conflict):
    """The client gave this ``externalId`` to somebody else."""

    code, title, title_zh = "external_id_taken", "This externalId is another resource's", "该 externalId 已被占用"


class GroupExists(Conflict):
    """A group is a tag, and a tag is its name; those that others gave are not a client's to take over."""

    code, title, title_zh = "group_exists", "There is a group or a tag of this name", "已有同名的组或标签"


class GroupOfAnother(Forbidden):
    """A client reads the groups of others, and changes its own."""

    code, title, title_zh = "group_of_another", "Another client made this group", "该组由其他客户端创建"


class DepartmentMissing(Invalid):
    """Everybody who joins belongs to a department."""

    code, title, title_zh = (
        "department_missing",
        "No department is given, and none is set for those without",
        "未给出部门，且未设置默认部门",
    )


class GroupTooLarge(Invalid):
    """A list that is cut would make a client add those who are members, and never remove those who should not be."""

    code, title, title_zh = (
        "group_too_large",
        "More members than one answer tells of: ask with excludedAttributes=members, or for fewer groups",
        "成员过多，无法一次返回：请使用 excludedAttributes=members，或减少每页的组",
    )


class NotWritable(Invalid):
    """Departments are HR's; tags that policy reads are nobody's to give by provisioning; who has left keeps their user name."""

    code, title, title_zh = "not_writable", "This cannot be changed by provisioning", "不能通过同步修改"


class TooManyMembers(Invalid):
    """All of them are changed in one transaction."""

    code, title, title_zh = (
        "too_many_members",
        "One request changes at most 2,000 memberships: send the others with further requests",
        "一次请求至多变更 2,000 个成员关系，其余请另行发送",
    )


class TooManyTags(Invalid):
    """A card with more could not be written again by those who write cards."""

    code, title, title_zh = "too_many_tags", "A member carries as many tags as a card has", "某成员的标签数已达上限"


class TooManyToSearch(Invalid):
    """A filter that no index answers is tried on each; not on all of a large company."""

    code, title, title_zh = (
        "too_many_to_search",
        "Too many resources for this filter or order",
        "资源过多，无法筛选或排序",
    )


class UnfitExternalId(Invalid):
    """It stands in an index, of 255 characters."""

    code, title, title_zh = (
        "unfit_external_id",
        "An externalId has at most 255 characters, all of them printable",
        "externalId 至多 255 个字符，且均可打印",
    )


def refuse_unfit(external_id: str | None) -> None:
    """Raise ``UnfitExternalId`` for what no row can hold, or what does not show what it is."""
    if external_id is not None and not (len(external_id) <= LONGEST_EXTERNAL_ID and external_id.isprintable()):
        raise UnfitExternalId

"""Refusals of the change feed.

FeedTruncated   410   feed_truncated   what came after this version is kept no longer
"""

from app.kit.errors import Problem


class FeedTruncated(Problem):
    """Whoever follows from here would miss something: they read the directory whole and follow from where it is now."""

    status, code = 410, "feed_truncated"
    title = "What came after this version is no longer kept; read the directory again"
    title_zh = "该版本之后的变更已不再保留，请重新读取通讯录"

"""Refusals about undertakings.

Conflict
├── TextNotCurrent   undertaking_not_current   another version is in force
└── TextRaced        undertaking_raced         somebody else published the next version meanwhile
"""

from app.kit.errors import Conflict


class TextNotCurrent(Conflict):
    """What is confirmed is the version in force."""

    code, title, title_zh = "undertaking_not_current", "Another version is in force", "该版本不是现行版本"


class TextRaced(Conflict):
    """Two published at once."""

    code, title, title_zh = "undertaking_raced", "Somebody else published a version meanwhile", "已有他人同时发布新版本"

"""What a lookup can meet beside what every look can.

Unavailable
└── LookupsNotReady     lookups_not_ready    search tags are being written; nothing was looked for or charged
"""

from app.kit.errors import Unavailable


class LookupsNotReady(Unavailable):
    """Right after an upgrade, or when the directory has grown at once, tags have to be written first."""

    code, title, title_zh = (
        "lookups_not_ready",
        "Lookups are being prepared; try again soon",
        "反查索引正在生成，请稍后再试",
    )

"""Refusals of exports.

Invalid
└── ExportTooLarge    export_too_large    more numbers than one export holds: ``most``; name a pool
"""

from app.kit.errors import Invalid


class ExportTooLarge(Invalid):
    """The domain has more numbers that somebody holds than one export may tell."""

    code, title, title_zh = "export_too_large", "Too many numbers for one export; name a pool", "号码过多，请指定号池"

    def __init__(self, *, most: int) -> None:
        """Take how many one export holds."""
        super().__init__(most=most)

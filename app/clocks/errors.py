"""What goes wrong when deadlines are counted.

Invalid 422
└── PeriodUnfit    period_unfit    its end lies before its beginning, or it is longer than three years
"""

from app.kit.errors import Invalid


class PeriodUnfit(Invalid):
    """A period that cannot be counted."""

    code, title, title_zh = "period_unfit", "The period ends before it begins, or is too long", "期间无效或过长"

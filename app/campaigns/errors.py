"""Refusals of reviews.

Conflict
├── ItemAnswered      campaign_item_answered    somebody has answered, or time has
├── ItemUnopened      campaign_item_unopened    a risky right is kept by who has looked at it
├── SlotTaken         campaign_running          a campaign of this kind is under way
└── CampaignOver      campaign_over             there is nothing left to cancel
Invalid
├── UnfitVerdict      unfit_verdict             not an answer to what the item asks
└── UnfitEnd          unfit_end                 shortening needs an end, and one that is earlier
Forbidden
├── OwnRight          own_right                 nobody answers for a right of their own
└── NotInPost         reviewer_not_in_post      asked as head of a department, which the caller is no more
"""

from app.kit.errors import Conflict, FieldError, Forbidden, Invalid


class ItemAnswered(Conflict):
    """The item is not open any more."""

    code, title, title_zh = "campaign_item_answered", "The item has been answered already", "该复核项已处理"


class ItemUnopened(Conflict):
    """A right of high risk is kept only by somebody who has read it by itself."""

    code, title, title_zh = (
        "campaign_item_unopened",
        "A high-risk item is read by itself before it is kept",
        "高风险项须先单独查看后方可保留",
    )


class SlotTaken(Conflict):
    """Two campaigns of one kind at once would ask everybody twice."""

    code, title, title_zh = "campaign_running", "A campaign of this kind is under way", "同类复核正在进行"


class CampaignOver(Conflict):
    """It is closed."""

    code, title, title_zh = "campaign_over", "The campaign is over", "该次复核已结束"


class UnfitVerdict(Invalid):
    """Rights are kept, shortened or revoked; cards and lists confirmed or disputed."""

    code, title, title_zh = "unfit_verdict", "The verdict does not fit the item", "该结论不适用于此复核项"

    def __init__(self) -> None:
        """Point at the verdict."""
        super().__init__(errors=[FieldError("/verdict", self.code, self.title, self.title_zh)])


class UnfitEnd(Invalid):
    """An end belongs to shortening, lies in the future, and before the end that there is."""

    code, title, title_zh = "unfit_end", "The end does not shorten the right", "截止时间无效或并未缩短期限"

    def __init__(self) -> None:
        """Point at the end."""
        super().__init__(errors=[FieldError("/until", self.code, self.title, self.title_zh)])


class OwnRight(Forbidden):
    """The holder and the reviewer are one person, whatever accounts they use."""

    code, title, title_zh = "own_right", "Nobody answers for a right of their own", "不得复核本人的权限"


class NotInPost(Forbidden):
    """The caller was asked as somebody that they are no more; the item moves on by itself."""

    code, title, title_zh = (
        "reviewer_not_in_post",
        "The caller no longer holds the post that was asked",
        "您已不再担任该复核职务",
    )

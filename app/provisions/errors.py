"""Refusals about provisions.

Conflict
├── NobodyConsented     nobody_consented          nobody is left who may be provided
├── PackageTaken        provision_package_taken   the one package was made
├── ProvisionEnded      provision_ended           its term has not begun, is over, or it was taken back
├── NothingReachable    provision_nothing_left    the policy of now lets nothing of it be provided
├── ProvisionMoved      provision_moved           somebody took a consent back meanwhile
├── NothingOut          provision_nothing_out     there is nothing to return, or to confirm
Forbidden
├── ReturnOverdue       provision_marked          whoever carries a mark is given no package
└── OwnPart             provision_own_part        a return is confirmed by somebody who has no part in it
Invalid
└── RecipientKeyUnfit   recipient_key_not_usable  no public key of a recipient
"""

from app.kit.errors import Conflict, Forbidden, Invalid


class NobodyConsented(Conflict):
    """Without separate consent nobody is provided (PIPL 23)."""

    code, title, title_zh = "nobody_consented", "Nobody has consented", "没有人同意提供"


class PackageTaken(Conflict):
    """A package is made once, and kept nowhere."""

    code, title, title_zh = "provision_package_taken", "The package was made already", "资料包已生成，不可重复生成"


class ProvisionEnded(Conflict):
    """A package is made within the term, of what is still approved."""

    code, title, title_zh = "provision_ended", "The provision is not in force", "对外提供未生效或已终止"


class NothingReachable(Conflict):
    """Caps that were added since may leave nothing."""

    code, title, title_zh = "provision_nothing_left", "Nothing is left to provide", "按现行策略已无可提供的内容"


class ProvisionMoved(Conflict):
    """Asked for again, the package is made without whoever took a consent back."""

    code, title, title_zh = (
        "provision_moved",
        "The provision has changed meanwhile; ask again",
        "对外提供已变更，请重试",
    )


class NothingOut(Conflict):
    """It was never given, was returned, or nobody said that it was."""

    code, title, title_zh = (
        "provision_nothing_out",
        "There is nothing to return or to confirm",
        "没有待归还或待确认的内容",
    )


class ReturnOverdue(Forbidden):
    """Whoever is not trained, is suspended, or has something to return takes nothing outside."""

    code, title, title_zh = "provision_marked", "Your standing carries a mark", "您的权限受限，不能领取资料包"


class OwnPart(Forbidden):
    """A second person is another person."""

    code, title, title_zh = (
        "provision_own_part",
        "This takes somebody who has no part in it",
        "须由与此无关的另一人办理",
    )


class RecipientKeyUnfit(Invalid):
    """What was sent is no public key of ``duanhao provisions keygen``."""

    code, title, title_zh = (
        "recipient_key_not_usable",
        "This is no public key of a recipient",
        "不是有效的接收方公钥",
    )

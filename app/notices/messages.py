"""What people are told, in Chinese and English: which kind of thing happened, and where to read on. Pure; a message holds nothing else.

A message is made of the type and of a link, so that whoever reads over a shoulder, or runs the mail server or the chat, learns no name,
number or reason. Who follows the link is shown what they may see, and their look is on record.
"""

from collections.abc import Mapping
from typing import Final

from app.notices.notice import FAMILIES, Notice

TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "calendar.confirmed": (
        "工作日历已确认，期限可能有调整",
        "The working calendar is confirmed; due dates may have moved",
    ),
    "campaign.opened": ("有新的复核任务待您处理", "A review awaits you"),
    "campaign.reminder": ("复核任务即将到期，请尽快处理", "A review is due soon"),
    "campaign.escalated": ("逾期的复核任务已转交您处理", "An overdue review was passed to you"),
    "campaign.item_decided": ("一项复核已完成", "An item of a review was decided"),
    "campaign.suspended": ("因复核逾期，一项权限已暂停", "A right was suspended because its review is overdue"),
    "campaign.unconfirmed": ("有通讯录信息长期未确认", "A card has not been confirmed for long"),
    "campaign.closed": ("复核已结束", "A review has ended"),
    "client.handed_over": ("一个服务账号的负责人已离职，请接管", "A service account needs somebody to answer for it"),
    "client.taken_over": ("服务账号已由新负责人接管", "A service account was taken over"),
    "client.disabled": ("无人接管的服务账号已停用", "A service account that nobody took over was disabled"),
    "deadline.reminder": ("通讯录维护期限已过半，请尽快处理", "Half of the time to bring a card up to date is over"),
    "deadline.breached": ("通讯录维护已超过规定期限", "A card was not brought up to date in time"),
    "departure.begun": ("有同事离职，请接手其工作并收回物品", "Somebody leaves; their place is to be taken over"),
    "departure.archived": ("离职人员信息已移入封存档案", "The card of somebody who left is in the archive"),
    "delegation.given": ("有新的审批委托", "A delegation was made"),
    "delegation.started": ("审批委托已生效", "A delegation is in force"),
    "delegation.ended": ("审批委托已到期", "A delegation has ended"),
    "delegation.revoked": ("审批委托已撤销", "A delegation was revoked"),
    "device.handed_over": (
        "有话机或设备需要交接，请指定新的使用人",
        "A device is to be handed over; assign it to somebody",
    ),
    "device.taken_over": ("设备已交接", "A device was handed over"),
    "device.overdue": ("设备逾期未交接，已停用", "A device that nobody handed over in time was suspended"),
    "device.lost": ("有设备已报失并停用", "A device was reported lost and is shut out"),
    "directory.changed": ("通讯录有变更", "The directory has changed"),
    "emergency.opened": ("紧急查看已开启", "An emergency session was opened"),
    "emergency.confirmed": ("紧急查看已经第二人确认", "A second person confirmed an emergency session"),
    "emergency.incident": ("紧急查看复核认定存在问题，已立案", "The review of an emergency session opened an incident"),
    "emergency.renewed": ("紧急查看已延长", "An emergency session was renewed"),
    "emergency.ended": ("紧急查看已结束", "An emergency session has ended"),
    "emergency.subject_told": ("您的信息曾在紧急情况下被查看", "Your card was opened in an emergency"),
    "emergency.review_due": ("紧急查看待复核", "An emergency session awaits its review"),
    "emergency.review_overdue": ("紧急查看复核已逾期", "The review of an emergency session is overdue"),
    "emergency.reviewed": ("紧急查看已复核", "An emergency session was reviewed"),
    "emergency.sheet_used": ("应急联络表已被开启", "The emergency sheet was opened"),
    "hr.failed": ("人事事件处理失败，请重试或跳过", "A personnel event failed: replay or skip it"),
    "hr.gap_passed": ("人事事件缺序，等待超时后已继续", "A gap in personnel events was passed over after the wait"),
    "number.allocated": ("号码已分配", "A number was given to somebody"),
    "number.blocked": ("号码已停用", "A number was blocked"),
    "number.confirmed": ("号码已开通", "A number works, says the exchange"),
    "number.held": ("号码已暂留", "A number is held for a caller"),
    "number.hold_dropped": ("号码暂留已取消", "A hold of a number was dropped"),
    "number.hold_expired": ("号码暂留已到期", "A hold of a number is over"),
    "number.opened": ("号码预留已结束", "A reservation of a number was ended"),
    "number.released": ("号码已收回", "A number was taken back"),
    "number.reserved": ("号码已预留", "A number is kept for a purpose"),
    "number.rested": ("号码可再次分配", "The wait of a number is over and it is free"),
    "number.restored": ("号码已归还原持有人", "A number went back to whoever had it last"),
    "number.retired": ("号码已废止", "A number was given up for ever"),
    "number.swapped": ("号码已互换", "Two numbers changed holders"),
    "number.transferred": ("号码已转给他人", "A number went to another holder"),
    "number.unblocked": ("号码已解除停用", "A number was unblocked"),
    "number.low_water": ("号段池可用号码不足", "A pool of numbers runs low"),
    "number.exhaustion": ("号段池预计即将用尽", "A pool of numbers will run out before more can be had"),
    "number.reminder": ("您的短号即将到期", "A short number of yours ends soon"),
    "number.expired": ("短号已到期并收回", "A short number has ended and was taken back"),
    "operator.proposed": (
        "运维人员提出了须两人执行的操作，请核实",
        "An operator has put down something that takes two; please check",
    ),
    "operator.founded": ("运维人员在命令行授予了职务", "An office was given at the command line"),
    "operator.acted": ("运维人员在命令行执行了操作", "An operator did something at the command line"),
    "provision.prepared": ("对外提供已获批准，可生成资料包", "A package for an external recipient can be made"),
    "provision.fetched": ("对外提供的资料包已被领取", "A package for an external recipient was fetched"),
    "provision.due": ("对外提供的资料即将到期，请确认归还或销毁", "External data are due for return or destruction"),
    "provision.overdue": ("对外提供的资料已逾期未归还", "The return of external data is overdue"),
    "provision.declared": ("对外提供的资料已申报归还或销毁，待确认", "A return of external data awaits confirmation"),
    "provision.returned": ("对外提供的资料已归还", "External data were returned"),
    "provision.destroyed": ("对外提供的资料已确认销毁", "External data were destroyed"),
    "provision.ended": ("对外提供已终止", "A provision has ended"),
    "provision.consent_withdrawn": (
        "有人撤回对外提供的同意，请通知接收方删除",
        "Somebody withdrew their consent to a provision",
    ),
    "provision.revoked": ("对外提供已撤销", "A provision was revoked"),
    "request.filed": ("有新的申请", "A request was filed"),
    "request.activated": ("有申请待您审批", "A request awaits your decision"),
    "request.decided": ("申请有新的审批结果", "A request was decided"),
    "request.commented": ("申请有新的意见", "A request has a new comment"),
    "request.transferred": ("有申请转交您审批", "A request was passed to you"),
    "request.returned": ("申请已退回或资料已归还", "A request was returned"),
    "request.withdrawn": ("申请已撤回", "A request was withdrawn"),
    "request.amended": ("申请内容已修改，请重新审批", "A request was amended"),
    "request.reassigned": ("申请的审批人已变更", "Others are asked to decide a request"),
    "request.reminder": ("有申请待您审批，请尽快处理", "A request still awaits your decision"),
    "request.escalated": ("逾期的申请已转交您审批", "An overdue request was passed to you"),
    "request.timed_out": ("申请逾期未批，已关闭", "A request was closed because nobody decided in time"),
    "request.applied": ("申请已生效", "A request is in effect"),
    "request.failed": ("已批准的申请未能生效", "An approved request could not be carried out"),
    "request.needs_reapproval": ("申请需要重新审批", "A request has to be approved anew"),
    "request.rescheduled": ("工作日历调整，申请期限已变更", "The working calendar moved a due date"),
    "request.expired": ("申请的授权已到期", "What a request granted has expired"),
    "request.revoked": ("已批准的申请已撤销", "An approved request was revoked"),
    "request.overdue": ("申请逾期未归还", "The return of a request is overdue"),
    "webhook.ping": ("连接测试", "A test of the connection"),
    "webhook.disabled": ("一个通知地址已停用", "An address for notices was disabled"),
}
"""Title of every type, Chinese and English."""

_MARK: Final = "【短号】"
_NOTE: Final = (
    "本消息不含个人信息，详情请登录后查看。",
    "This message holds no personal data; sign in to read on.",
)


def link(notice: Notice, portal: str) -> str:
    """Give where people read on: the page of the resource below ``portal`` (without a slash at its end), or of its collection."""
    return f"{portal}{notice.path or f'/{FAMILIES[notice.family]}'}"


def subject(notice: Notice) -> str:
    """Write the subject of a mail."""
    zh, en = TITLES[notice.type]
    return f"{_MARK}{zh} · {en}"


def mail(notice: Notice, portal: str) -> str:
    """Write the text of a mail."""
    zh, en = TITLES[notice.type]
    return f"{zh}\n{en}\n\n{link(notice, portal)}\n\n{_NOTE[0]}\n{_NOTE[1]}\n"


def chat(notice: Notice, portal: str) -> str:
    """Write the line that a robot says in its group; it begins with the name of the product, which can be the robot's keyword."""
    return f"{_MARK}{TITLES[notice.type][0]}\n{link(notice, portal)}"

"""Notices: does what happened leave, which addresses are disabled, what was given up, and can people be reached at all."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from app.config import Settings
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store, instant
from app.production import Words

_LATE: Final = timedelta(minutes=15)
_UNSPREAD: Final = "SELECT count(*), min(created_at) FROM notice WHERE spread_at IS NULL"
_DISABLED: Final = "SELECT count(*) FROM webhook WHERE state = 'disabled'"
_DEAD: Final = "SELECT count(*) FROM notice_delivery WHERE state = 'dead' AND outcome <> 'no_address'"
_SENT: Final = "SELECT count(*) FROM notice_delivery WHERE state = 'delivered'"


async def notices(settings: Settings, store: Store, now: datetime) -> AsyncIterator[Finding]:
    """Check what waits, what was given up and what is switched off."""
    ((waiting, oldest),) = await store.ask(_UNSPREAD)
    if waiting and instant(oldest) < now - _LATE:
        yield bad(
            "notices",
            Level.ERROR,
            Words(f"{waiting} notices wait to be told, the oldest too long", f"{waiting} 条通知等待发送且已超时"),
            Words("let a worker run: duanhao worker, or serve on SQLite", "请运行 duanhao worker；SQLite 下运行 serve"),
        )
    ((disabled,),), ((dead,),), ((sent,),) = [await store.ask(each) for each in (_DISABLED, _DEAD, _SENT)]
    if disabled or dead:
        yield bad(
            "notices",
            Level.WARNING,
            Words(
                f"{disabled} webhooks are disabled, {dead} deliveries of the last month were given up",
                f"{disabled} 个通知地址已停用，近一个月有 {dead} 次发送已放弃",
            ),
            Words(
                "see GET /v1/webhooks and its deliveries with state=dead; mend the receiver, set it active, replay",
                "请查看 GET /v1/webhooks 及其 state=dead 的发送记录，修复接收端后重新启用并重放",
            ),
        )
    elif not waiting or instant(oldest) >= now - _LATE:
        mail_en, mail_zh = (
            ("by mail too", "含邮件") if settings.smtp.host else ("no mail server is set", "未配置邮件服务器")
        )
        yield ok("notices", f"{sent} delivered in the last month; {mail_en}", f"近一个月已送达 {sent} 次；{mail_zh}")

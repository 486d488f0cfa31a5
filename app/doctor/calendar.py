"""Working days: was the year announced here that due dates of now are counted in, and from December on the next one."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

from app.config import Settings
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store
from app.production import Words

_CONFIRMED: Final = "SELECT year FROM calendar_year WHERE status = 'confirmed' AND year >= {first} ORDER BY year"
_DECEMBER: Final = 12
_TAKE: Final = Words(
    "take the State Council's notice: duanhao calendar import FILE, or install a chinesecalendar that knows it and start again",
    "请录入国务院办公厅放假安排：duanhao calendar import FILE，或升级 chinesecalendar 后重新启动",
)


async def calendar(settings: Settings, store: Store, now: datetime) -> AsyncIterator[Finding]:
    """Name the years that are still predicted and matter now; in development nobody waits for what is due."""
    rows = await store.ask(_CONFIRMED.replace("{first}", str(now.year)))
    confirmed = {year for (year,) in rows}
    wanted = [now.year, *([now.year + 1] if now.month == _DECEMBER else [])]
    missing = ", ".join(str(each) for each in wanted if each not in confirmed)
    if missing:
        what = Words(
            f"{missing} is not confirmed: due dates in it are predicted", f"{missing} 年安排未录入，到期日为预测"
        )
        serious = settings.env == "production"
        yield bad("calendar", Level.WARNING, what, _TAKE) if serious else ok("calendar", what.en, what.zh)
    else:
        yield ok("calendar", f"confirmed to {max(confirmed)}", f"工作日已确认至 {max(confirmed)} 年")

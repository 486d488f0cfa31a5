"""What can be seen without asking the store: who runs this, the data directory, modes, room on the disk, what production refuses."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.config import Settings
from app.doctor.findings import Finding, Level, bad, ok
from app.production import Serving, Words, refusals

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MIB: Final = 1 << 20
_LITTLE: Final = 2048 * _MIB
_TOO_LITTLE: Final = 256 * _MIB


def environment(settings: Settings) -> Iterator[Finding]:
    """Look at the settings themselves."""
    against = refusals(settings, serving=Serving())
    for each in against:
        yield bad(f"production.{each.code}", Level.ERROR, each.what, each.mend)
    if settings.env == "development":
        yield ok("settings", "readable; this is a development installation", "可读取；当前为开发环境")
    elif not against:
        yield ok("settings", "readable; production refuses nothing of them", "可读取；符合生产环境要求")
    if settings.env == "production" and os.geteuid() == 0:
        yield bad(
            "user",
            Level.WARNING,
            Words("this runs as root", "当前以 root 身份运行"),
            Words("run the service, and this command, as a user of its own", "请以专用用户运行服务与本命令"),
        )
    if settings.env == "production" and not settings.tokens.external:
        yield bad(
            "tokens.issuers",
            Level.WARNING,
            Words("people can sign in nowhere: no issuer outside is configured", "未配置外部签发者，人员无法登录"),
            Words(
                "describe your identity provider in DUANHAO_TOKENS__EXTERNAL",
                "请在 DUANHAO_TOKENS__EXTERNAL 中配置身份提供方",
            ),
        )


def data_directory(settings: Settings) -> Iterator[Finding]:
    """Look at the data directory and the files in it that are nobody else's business."""
    folder = settings.data_dir
    if not folder.exists():
        yield bad(
            "data_dir",
            Level.WARNING,
            Words(f"{folder} is not there", f"{folder} 不存在"),
            Words(
                "the first start makes it; name another place with DUANHAO_DATA_DIR",
                "首次启动时会创建；可用 DUANHAO_DATA_DIR 指定其他位置",
            ),
        )
        return
    if not folder.is_dir():
        yield bad(
            "data_dir",
            Level.ERROR,
            Words(f"{folder} is no directory", f"{folder} 不是目录"),
            Words("name a directory with DUANHAO_DATA_DIR", "请用 DUANHAO_DATA_DIR 指定一个目录"),
        )
        return
    found = [*_writable(folder), *_modes(settings)]
    yield from found
    if not found:
        yield ok("data_dir", f"{folder} is ours and closed to others", f"{folder} 归本用户所有且未对他人开放")


def _writable(folder: Path) -> Iterator[Finding]:
    owner = folder.stat().st_uid
    if os.geteuid() not in (0, owner) or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield bad(
            "data_dir",
            Level.ERROR,
            Words(f"{folder} belongs to user {owner}, or cannot be written", f"{folder} 属于用户 {owner}，或不可写"),
            Words(
                f"run as its owner, or: chown -R {os.geteuid()} {folder}; a container needs a volume there",
                f"请以其属主运行，或执行 chown -R {os.geteuid()} {folder}；容器须挂载卷",
            ),
        )


def _modes(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    level = Level.ERROR if settings.env == "production" else Level.WARNING
    names = ("duanhao.sqlite3", "log.sqlite3", "server.lock")
    closed = [
        folder,
        folder / "keys",
        *(folder / f"{name}{beside}" for name in names for beside in ("", "-wal", "-shm")),
    ]
    for path in [*closed, settings.root_key_file] if settings.keys.provider == "file" else closed:
        try:
            status = path.stat()
        except OSError:
            continue
        if status.st_mode & _OTHERS:
            wanted = "0700" if stat.S_ISDIR(status.st_mode) else "0600"
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            yield bad(
                "modes",
                level,
                Words(f"{path} is open to others (mode {mode})", f"{path} 对他人开放（权限 {mode}）"),
                Words(f"chmod {wanted} {path}", f"chmod {wanted} {path}"),
            )


def room(settings: Settings) -> Iterator[Finding]:
    """Look how much room the disk of the data directory has."""
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    size = f"{free / _MIB:,.0f} MiB"
    if free >= _LITTLE:
        yield ok("disk", f"{size} free for {settings.data_dir}", f"{settings.data_dir} 剩余 {size}")
        return
    yield bad(
        "disk",
        Level.ERROR if free < _TOO_LITTLE else Level.WARNING,
        Words(f"only {size} free for {settings.data_dir}", f"{settings.data_dir} 仅剩 {size}"),
        Words(
            "make room before the log cannot be written: then nothing is shown any more",
            "请尽快清理空间：日志无法写入时将停止一切展示",
        ),
    )

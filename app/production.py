"""What ``DUANHAO_ENV=production`` refuses, all of it at once, each with what is wrong and how to mend it.

A refusal is a value: what is asked here are the settings and how the process was started, never the store. Whoever opens the store, serves
or migrates calls ``require`` before anything else happens; ``duanhao doctor`` shows the same list without stopping. In development only
what can never work is refused. No word of a refusal repeats a secret.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.config import Settings
from app.crypto import rootfile
from app.crypto.errors import KeyUnavailable
from app.crypto.providers import decode_root
from app.group import Group
from app.kit.placeholders import is_guessable_key, is_placeholder

_ANYBODY: Final = ("*", "0.0.0.0/0", "::/0")
_NOBODYS: Final = (".example", ".invalid", ".test", ".localhost", "example.com", "example.net", "example.org")
_OWN_ADDRESS: Final = re.compile(r"https://([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?(/\S*)?")


@dataclass(frozen=True, slots=True)
class Words:
    """One statement in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that production does not take: a stable code, what is wrong, how to mend it."""

    code: str
    what: Words
    mend: Words

    def line(self) -> str:
        """Write it as one line, English and Chinese."""
        return f"{self.code}: {self.what.en}; {self.mend.en} · {self.what.zh}；{self.mend.zh}"


@dataclass(frozen=True, slots=True)
class Serving:
    """How ``serve`` was called."""

    workers: int = 1
    demo: bool = False


class ProductionRefused(Exception):
    """The process must not start; ``refusals`` says why, one by one."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        """Take every refusal."""
        self.refusals = tuple(refusals)
        super().__init__("\n".join(each.line() for each in self.refusals))


def require(settings: Settings, *, serving: Serving | None = None, migrating: bool = False) -> None:
    """Raise ``ProductionRefused`` with every refusal; a migration holds no root key and issues no tokens, so only its database counts."""
    found = of_database(settings) if migrating else refusals(settings, serving=serving)
    if found:
        raise ProductionRefused(found)


def refusals(settings: Settings, *, serving: Serving | None = None) -> list[Refusal]:
    """List what stands against starting with ``settings``; ``serving`` is given where HTTP is to be answered."""
    found = [] if serving is None else _of_processes(settings, serving)
    if settings.env == "production":
        found += [*of_keys(settings), *of_database(settings), *_of_tokens(settings), *_of_the_rest(settings)]
        found += [*_of_http(settings, serving=serving is not None), *_of_notices(settings)]
    return found


def of_keys(settings: Settings) -> list[Refusal]:
    """List what production refuses about the root key; a key that cannot be read at all is for whoever loads it to report."""
    file = settings.keys.file
    if settings.keys.provider == "file" and (file is None or _is_inside(file, settings.data_dir)):
        return [
            Refusal(
                "root_key_generated",
                Words(
                    "production takes no root key that the service made itself", "生产环境不接受服务自行生成的根密钥"
                ),
                Words(
                    "place one outside of the data directory and name it with DUANHAO_KEYS__FILE, or use DUANHAO_KEYS__PROVIDER=env",
                    "请将根密钥文件放在数据目录之外并用 DUANHAO_KEYS__FILE 指定，或使用 DUANHAO_KEYS__PROVIDER=env",
                ),
            )
        ]
    try:
        keys = rootfile.read(file) if file is not None else _keys_of_environment(settings)
    except KeyUnavailable:
        return []
    if not any(is_guessable_key(key) for key in keys):
        return []
    return [
        Refusal(
            "root_key_placeholder",
            Words("a root key is not random", "根密钥不是随机值"),
            Words(
                "make one of 32 random bytes: openssl rand -base64 32", "请生成 32 字节随机值：openssl rand -base64 32"
            ),
        )
    ]


def of_database(settings: Settings) -> list[Refusal]:
    """List what production refuses about the addresses of PostgreSQL."""
    if settings.env != "production":
        return []
    found = []
    users: dict[str, str | None] = {}
    for member in ("url", "owner_url"):
        secret: SecretStr | None = getattr(settings.database, member)
        if secret is None:
            continue
        name = f"DUANHAO_DATABASE__{member.upper()}"
        try:
            url = make_url(secret.get_secret_value())
        except (ArgumentError, ValueError):
            found.append(_malformed(name))
            continue
        users[member] = url.username
        found += _of_address(name, url)
    if len(users) == 2 and users["url"] == users["owner_url"]:  # noqa: PLR2004 — both of them
        found.append(
            Refusal(
                "owner_is_service",
                Words(
                    "the service would own its tables and could change what is only ever appended",
                    "服务角色同时是表的属主，可改动只追加的数据",
                ),
                Words(
                    "give DUANHAO_DATABASE__URL and DUANHAO_DATABASE__OWNER_URL different roles",
                    "请为 DUANHAO_DATABASE__URL 与 DUANHAO_DATABASE__OWNER_URL 使用不同的角色",
                ),
            )
        )
    return found


def is_local(url: URL) -> bool:
    """Tell whether a database address stays on this machine: a Unix socket or the loopback interface."""
    return all(_is_local_host(host) for host in hosts(url))


def hosts(url: URL) -> list[str]:
    """List the hosts of a database address as the driver reads them; none means the machine's own sockets."""
    given = url.query.get("host", ())
    named = [url.host or "", *([given] if isinstance(given, str) else given)]
    if not any(named):
        named = [os.environ.get("PGHOST", "")]
    return [_without_port(part) for host in named for part in host.split(",") if part]


def _without_port(host: str) -> str:
    return host.partition(":")[0] if host.count(":") == 1 and not host.startswith("/") else host


def _is_local_host(host: str) -> bool:
    if host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _of_address(name: str, url: URL) -> list[Refusal]:
    found = []
    if url.password is not None and is_placeholder(str(url.password)):
        found.append(_placeholder(f"the password in {name}", f"{name} 中的密码"))
    if not is_local(url) and url.query.get("sslmode") != "verify-full":
        found.append(
            Refusal(
                "database_tls",
                Words(f"{name} leads across a network without verified TLS", f"{name} 经网络连接且未校验 TLS"),
                Words(
                    "add sslmode=verify-full and, for an authority of your own, sslrootcert=FILE to it, or use a Unix socket",
                    "请加上 sslmode=verify-full（自建证书机构另加 sslrootcert=文件），或改用 Unix 套接字",
                ),
            )
        )
    return found


def _of_processes(settings: Settings, serving: Serving) -> list[Refusal]:
    found = []
    if serving.workers > 1 and not settings.on_postgresql:
        found.append(
            Refusal(
                "sqlite_workers",
                Words("more than one process needs PostgreSQL", "多个服务进程需要 PostgreSQL"),
                Words(
                    "set DUANHAO_DATABASE__URL, or leave --workers at 1",
                    "请设置 DUANHAO_DATABASE__URL，或保持 --workers 为 1",
                ),
            )
        )
    if serving.demo and settings.env == "production":
        found.append(
            Refusal(
                "demo",
                Words("production takes no demo", "生产环境不载入演示数据"),
                Words("leave out --demo", "请去掉 --demo"),
            )
        )
    return found


def _of_http(settings: Settings, *, serving: bool) -> list[Refusal]:
    return [*_of_proxies(settings, serving=serving), *_of_origins(settings)]


def _of_origins(settings: Settings) -> list[Refusal]:
    if all(origin.startswith("https://") for origin in settings.http.cors_origins):
        return []
    return [
        Refusal(
            "cors_plain",
            Words(
                "pages that came without TLS could read what their reader may see",
                "未经 TLS 加载的网页将可读取其用户可见的数据",
            ),
            Words(
                "list https origins alone in DUANHAO_HTTP__CORS_ORIGINS",
                "DUANHAO_HTTP__CORS_ORIGINS 只能列出 https 来源",
            ),
        )
    ]


def _of_notices(settings: Settings) -> list[Refusal]:
    found, notices = [], settings.notices
    if notices.plain_loopback or any(not network.prefixlen for network in notices.allowed_networks):
        what = Words(
            "webhooks could be pointed at this machine, or anywhere inside", "通知地址可指向本机或任意内网地址"
        )
        mend = Words(
            "leave out DUANHAO_NOTICES__PLAIN_LOOPBACK, and list hosts or networks that are yours",
            "请去掉 DUANHAO_NOTICES__PLAIN_LOOPBACK，并只列出自己的主机或网段",
        )
        found.append(Refusal("webhooks_anywhere", what, mend))
    if any(url is not None and not url.startswith("https://") for url in (notices.public_url, notices.portal_url)):
        what = Words("links in notices would lead through a connection in clear", "通知中的链接将使用明文连接")
        mend = Words(
            "give https addresses in DUANHAO_NOTICES__PUBLIC_URL and __PORTAL_URL",
            "请在 DUANHAO_NOTICES__PUBLIC_URL 与 __PORTAL_URL 中使用 https 地址",
        )
        found.append(Refusal("links_plain", what, mend))
    return found


def _of_proxies(settings: Settings, *, serving: bool) -> list[Refusal]:
    if not settings.http.proxies:
        if not serving:
            return []
        return [
            Refusal(
                "no_proxy",
                Words(
                    "production answers plain HTTP to its TLS proxy only, and none is named",
                    "生产环境仅接受来自 TLS 代理的明文 HTTP，但未配置代理",
                ),
                Words(
                    "name its address: DUANHAO_HTTP__PROXIES='[\"192.0.2.1\"]'",
                    "请配置代理地址：DUANHAO_HTTP__PROXIES='[\"192.0.2.1\"]'",
                ),
            )
        ]
    if all(map(_is_somebody, settings.http.proxies)):
        return []
    return [
        Refusal(
            "proxy_anybody",
            Words(
                "DUANHAO_HTTP__PROXIES believes everybody, or a name that is no address",
                "DUANHAO_HTTP__PROXIES 信任任意来源，或不是地址",
            ),
            Words("list the addresses or networks of the proxies", "请列出代理的地址或网段"),
        )
    ]


def _is_somebody(proxy: str) -> bool:
    if proxy in _ANYBODY:
        return False
    try:
        return ip_network(proxy, strict=False).prefixlen > 0
    except ValueError:
        return False


def _of_tokens(settings: Settings) -> list[Refusal]:
    found = []
    issuer = _OWN_ADDRESS.fullmatch(settings.tokens.issuer)
    if issuer is None or _is_local_host(issuer[1]) or issuer[1].lower().endswith(_NOBODYS):
        found.append(
            Refusal(
                "issuer_address",
                Words(
                    "our own tokens would name an issuer that is not this service", "令牌中的签发者不是本服务的正式地址"
                ),
                Words(
                    "set DUANHAO_TOKENS__ISSUER to the https address under which callers reach the service",
                    "请将 DUANHAO_TOKENS__ISSUER 设为调用方访问本服务的 https 地址",
                ),
            )
        )
    if any(not each.jwks_url.lower().startswith("https://") for each in settings.tokens.external):
        found.append(
            Refusal(
                "issuer_keys_plain",
                Words("keys of an issuer outside would be fetched without TLS", "外部签发者的公钥将经明文获取"),
                Words(
                    "give an https jwks_url in DUANHAO_TOKENS__EXTERNAL",
                    "请在 DUANHAO_TOKENS__EXTERNAL 中使用 https 的 jwks_url",
                ),
            )
        )
    return found


def _of_the_rest(settings: Settings) -> list[Refusal]:
    found = [
        _placeholder(name, name)
        for name, secret in _secrets(settings, "DUANHAO")
        if not name.startswith("DUANHAO_DATABASE__") and is_placeholder(secret.get_secret_value())
    ]
    if settings.log_level == "debug":
        found.append(
            Refusal(
                "log_level_debug",
                Words("debug lines are for development", "调试日志仅用于开发"),
                Words("set DUANHAO_LOG_LEVEL to info", "请将 DUANHAO_LOG_LEVEL 设为 info"),
            )
        )
    return found


def _secrets(settings: Settings | Group, above: str) -> Iterator[tuple[str, SecretStr]]:
    """Find every secret among the settings, with the variable that sets it."""
    for member in type(settings).model_fields:
        value: Any = getattr(settings, member)
        name = f"{above}{'_' if above == 'DUANHAO' else '__'}{member.upper()}"
        for at, each in enumerate(value if isinstance(value, tuple) else (value,)):
            place = f"{name}[{at}]" if isinstance(value, tuple) else name
            if isinstance(each, SecretStr):
                yield place, each
            elif isinstance(each, Group):
                yield from _secrets(each, place)


def _keys_of_environment(settings: Settings) -> list[bytes]:
    variable = settings.keys.variable
    return [decode_root(part, origin=variable) for part in os.environ.get(variable, "").split(",")]


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _placeholder(what: str, what_zh: str) -> Refusal:
    return Refusal(
        "placeholder_secret",
        Words(f"{what} is a placeholder or could be guessed", f"{what_zh}是占位符或可被猜出"),
        Words(
            "use 32 random hexadecimal digits: openssl rand -hex 16", "请使用 32 位随机十六进制数：openssl rand -hex 16"
        ),
    )


def _malformed(name: str) -> Refusal:
    return Refusal(
        "database_address",
        Words(f"{name} is not an address", f"{name} 不是有效地址"),
        Words("write it as postgresql://ROLE:PASSWORD@HOST/DATABASE", "格式为 postgresql://角色:密码@主机/数据库"),
    )

"""The sign-in page: plain HTML in the language that the browser asks for, without a script, under a policy that allows none. Pure.

Whatever a person typed is escaped in the one place where text becomes HTML. The policy lets the form go nowhere but here and, because some
browsers hold it against the redirect that follows too, to the one registered address of the client that asked.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Final, Literal

Language = Literal["en", "zh"]

_STYLE: Final = (
    "body{margin:0;background:#f3f4f6;color:#111827;font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:24rem;margin:8vh auto;padding:2rem;background:#fff;border:1px solid #d1d5db;border-radius:.5rem}"
    "h1{margin:0 0 1rem;font-size:1.25rem}p{margin:.5rem 0}label{display:block;margin:1rem 0 .25rem}"
    "input[type=text],input[type=password]{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;"
    "border:1px solid #6b7280;border-radius:.25rem}"
    "button{margin-top:1.5rem;width:100%;padding:.6rem;font:inherit;color:#fff;background:#1d4ed8;border:0;"
    "border-radius:.25rem}.alert{padding:.5rem .75rem;color:#7f1d1d;background:#fee2e2;border-radius:.25rem}"
    ".check{display:flex;gap:.5rem;margin-top:1rem}.check label{margin:0}"
)
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Sign in", "登录"),
    "to": ("Sign in to {client}", "登录 {client}"),
    "user_name": ("User name", "用户名"),
    "password": ("Password", "密码"),
    "change": ("Change my password now", "现在修改密码"),
    "sign_in": ("Sign in", "登录"),
    "code": ("One-time code from your app", "动态验证码"),
    "code_why": ("This needs a second proof that it is you.", "此操作需要二次验证身份。"),
    "confirm": ("Confirm", "确认"),
    "new_password": ("New password", "新密码"),
    "again": ("New password, once more", "再次输入新密码"),
    "must_change": (
        "Choose a password of your own. At least {least} characters; a few unrelated words do well.",
        "请设置您自己的密码，至少 {least} 个字符，可使用几个不相关的词语。",
    ),
    "save": ("Save and go on", "保存并继续"),
    "wrong": (
        "User name or password is not right, or the account cannot sign in here.",
        "用户名或密码不正确，或该账号不能在此登录。",
    ),
    "wrong_code": ("The code is not right, or was used already.", "验证码不正确或已被使用。"),
    "too_fast": ("Too many attempts. Please wait and try again.", "尝试次数过多，请稍后再试。"),
    "stale": (
        "This page is too old, or was opened in another browser. Go back to where you came from and begin again.",
        "页面已过期或来自其他浏览器，请返回原应用重新登录。",
    ),
    "unanswerable": (
        "The application that sent you here is not known, or sent you wrongly. Nobody was signed in.",
        "发起登录的应用未登记，或请求有误，未进行登录。",
    ),
    "malformed": ("The form could not be read.", "无法读取提交的内容。"),
    "unavailable": ("Signing in is not possible at the moment. Please try again.", "暂时无法登录，请稍后再试。"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser: a page, or the address to go on to."""

    status: int
    body: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form; a ``known`` one is for password managers and not shown."""

    name: str
    kind: Literal["text", "password", "checkbox", "known"]
    label: str
    complete: str
    value: str = ""


def words(name: str, language: Language, **values: str | int) -> str:
    """Give a sentence in a language."""
    return _WORDS[name][1 if language == "zh" else 0].format(**values)


def policy(target: str | None) -> str:
    """Write the content security policy; ``target`` is the origin that the answer may lead to."""
    goes = "'self'" if target is None else f"'self' {target}"
    return f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action {goes}; frame-ancestors 'none'; base-uri 'none'"


def headers(language: Language, target: str | None = None) -> dict[str, str]:
    """Give what stands above every page."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language,
        "Content-Security-Policy": policy(target),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language, Cookie",
    }


def notice(name: str, language: Language, *, status: int, more: Mapping[str, str] | None = None) -> Page:
    """Write a page that only says something."""
    body = (
        f'<h1>{escape(words("title", language))}</h1><p class="alert" role="alert">{escape(words(name, language))}</p>'
    )
    return Page(status, _document(body, language), {**headers(language), **(more or {})})


def form(
    *,
    language: Language,
    heading: str,
    fields: Sequence[Field],
    hidden: Mapping[str, str],
    button: str,
    target: str,
    told: Iterable[str] = (),
    alert: Iterable[str] = (),
    status: int = 200,
    more: Mapping[str, str] | None = None,
) -> Page:
    """Write a page with a form; every text is escaped here."""
    parts = [f"<h1>{escape(heading)}</h1>"]
    parts += [f'<p class="alert" role="alert">{escape(each)}</p>' for each in alert]
    parts += [f"<p>{escape(each)}</p>" for each in told]
    parts.append('<form method="post" action="authorize" autocomplete="on">')
    parts += [f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in hidden.items()]
    shown = [each for each in fields if each.kind != "known"]
    parts += [_line(each, first=each is shown[0]) for each in fields]
    parts.append(f'<button type="submit">{escape(button)}</button></form>')
    return Page(status, _document("".join(parts), language), {**headers(language, target), **(more or {})})


def go_on(address: str, more: Mapping[str, str] | None = None) -> Page:
    """Lead the browser on; 303, so that it does not send the form again."""
    plain = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Page(303, "", {**plain, **(more or {})})


def _line(each: Field, *, first: bool) -> str:
    name, label = escape(each.name), escape(each.label)
    if each.kind == "known":
        return f'<input type="text" name="{name}" value="{escape(each.value)}" autocomplete="{each.complete}" hidden>'
    if each.kind == "checkbox":
        box = f'<input type="checkbox" id="{name}" name="{name}" value="yes">'
        return f'<div class="check">{box}<label for="{name}">{label}</label></div>'
    focus = " autofocus" if first else ""
    value = f' value="{escape(each.value)}"' if each.value else ""
    numeric = ' inputmode="numeric"' if each.complete == "one-time-code" else ""
    return (
        f'<label for="{name}">{label}</label><input type="{each.kind}" id="{name}" name="{name}"{value}{numeric}'
        f' autocomplete="{each.complete}" autocapitalize="none" spellcheck="false" maxlength="256" required{focus}>'
    )


def _document(body: str, language: Language) -> str:
    tag = "zh-CN" if language == "zh" else "en"
    return (
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words('title', language))} · Duanhao 短号</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )

"""Settings of what leaves this service: notices to webhooks and robots, mail, and the feed of changes."""

from typing import Annotated, Literal, Self

from pydantic import Field, IPvAnyNetwork, SecretStr, model_validator

from app.group import Group

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NoticesSettings(Group):
    """Where notices may be sent, and what their links begin with."""

    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*[^\s?#/])?$",
        title="Address of this API in the links of notices, without a slash at its end; unset: the issuer's",
    )
    portal_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*[^\s?#/])?$",
        title="Address of the pages that people open from mail and chat, as `<address>/requests/<id>`; unset: that of the API",
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), title="Hosts that may be called although their addresses are not public, in lower case"
    )
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        (), title="Networks that may be called although they are not public"
    )
    ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = Field(
        (443, 8443), title="Ports that webhooks may be called on"
    )
    plain_loopback: bool = Field(
        default=False,
        title="Call webhooks on this machine's loopback address, plain HTTP and any port too; development",
    )


class SmtpSettings(Group):
    """Through which server people get mail. Without ``host`` nobody does."""

    host: str | None = Field(None, title="Mail server; unset: no mail is sent")
    port: Annotated[int, Field(ge=1, le=65_535)] = Field(587, title="Its port")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", title="`starttls`, `tls` from the first byte, or `none` to this machine alone"
    )
    username: str | None = Field(None, title="Account at the server, where it asks for one")
    password: SecretStr | None = Field(None, title="Its password")
    sender: str = Field(
        "duanhao@localhost", pattern=r"^[^\s@<>,;:\"]+@[A-Za-z0-9.-]+$", title="Address that mail comes from"
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """Refuse a clear connection to another machine: passwords and addresses of people would go in clear."""
        if self.security == "none" and self.host is not None and self.host.lower() not in _LOOPBACK:
            message = "mail leaves this machine over TLS only: security is starttls or tls"
            raise ValueError(message)
        return self


class ChangesSettings(Group):
    """How long it can be followed what changed."""

    kept_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, title="Days for which the feed of changes is kept; who asks for older changes reads the directory again"
    )

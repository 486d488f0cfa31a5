"""Every setting of the service, in frozen groups that refuse what they do not know.

Values come from ``DUANHAO_*`` (nested with ``__``) over the file named by ``DUANHAO_CONFIG`` (YAML). Nothing here is read at import:
the entry point builds one ``Settings`` and the composition root hands each domain only the values that it needs, so a domain can
be tested with three numbers instead of an environment.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.deadlines import (
    ApprovalsSettings,
    CalendarSettings,
    CampaignsSettings,
    DeadlinesSettings,
)
from app.group import Group
from app.intake import HrSettings, ReconciliationsSettings, ScimSettings
from app.outgoing import ChangesSettings, NoticesSettings, SmtpSettings

_PREFIX: Final = "DUANHAO_"
_NOT_SETTINGS: Final = frozenset(
    {"DUANHAO_CONFIG", "DUANHAO_TOKEN", "DUANHAO_URL", "DUANHAO_CLIENT_ID", "DUANHAO_CLIENT_SECRET"}
)
"""Read by the file source above the settings, and by the commands that call a server."""
_OF_DEVELOPMENT: Final = ("DUANHAO_TEST_", "DUANHAO_BENCHMARK_")
_OF_KUBERNETES: Final = re.compile(
    r"DUANHAO_([A-Z0-9]+_)*(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)
"""What a pod finds in its environment of every service of its namespace whose name begins like ours."""
_SERVICE_ADDRESS: Final = re.compile(r"(tcp|udp|sctp)://")


_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_PerSecond = Annotated[float, Field(ge=0, le=1_000_000)]


class DatabaseSettings(Group):
    """Where the business tables and the log live. Without ``url`` both are SQLite files in the data directory."""

    url: SecretStr | None = Field(
        None, title="PostgreSQL URL of the service role; unset means SQLite in the data directory"
    )
    owner_url: SecretStr | None = Field(None, title="PostgreSQL URL of the role that owns the tables and migrates")
    service_role: str | None = Field(None, title="Name of the service role for grants; default: the user of `url`")
    pool_size: Annotated[int, Field(ge=1, le=200)] = Field(8, title="Connections for writes, and as many for reads")
    lock_timeout_ms: Annotated[int, Field(ge=10)] = Field(
        1500, title="Longest wait for a lock, below the log's deadline"
    )
    statement_timeout_ms: Annotated[int, Field(ge=100)] = Field(10_000, title="Longest statement of a request")


class KeysSettings(Group):
    """Where the root key is, and how many data keys stay in memory."""

    provider: Literal["file", "env"] = Field("file", title="Who holds the root key")
    file: Path | None = Field(
        None, title="Root key file; default: `keys/root.key` in the data directory, development only"
    )
    variable: str = Field("DUANHAO_ROOT_KEY", title="Environment variable that holds the root key (provider `env`)")
    cache_size: Annotated[int, Field(ge=16)] = Field(50_000, title="Most data keys kept unwrapped in memory")
    cache_ttl_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        300, title="Longest time a data key stays unwrapped"
    )


class ExternalIssuer(Group):
    """One issuer outside: whose tokens are taken, and what it calls its claims."""

    issuer: str = Field(title="Exact `iss`")
    jwks_url: str = Field(title="Where its keys are; https outside development")
    audience: str = Field(title="Exact `aud` that its tokens for us carry")
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"], ...] = Field(
        ("RS256",), min_length=1, title="Signature algorithms taken from it"
    )
    types: tuple[str, ...] = Field(("JWT", "at+jwt"), min_length=1, title="`typ` header values taken from it")
    binding_claim: str = Field("preferred_username", title="Claim that names the person here")
    binding: dict[str, str] = Field(default_factory=dict, title="Claim value to `user_name`, where they differ")
    scope_claim: str | None = Field("scp", title="Claim with scopes; none means the person's own default scopes")
    client_claim: str = Field("azp", title="Claim that names the front end")
    jti_claim: str | None = Field("uti", title="Claim that identifies the token, where promised")
    acr_claim: str = Field("acr", title="Claim that tells how the person signed in; a word or a list of words")
    auth_time_claim: str = Field("auth_time", title="Claim that tells when the person signed in")
    second_proof: tuple[str, ...] | None = Field(
        None, title="Values of `acr_claim` that tell of a second proof of identity; unset: those that are common"
    )
    registered_only: bool = Field(
        default=False, title="Take people's tokens through front ends registered here alone, whose ceilings then hold"
    )


class TokensSettings(Group):
    """The built-in issuer, the issuers outside, and how strict their tokens are read."""

    issuer: str = Field("http://127.0.0.1:8000", title="`iss` of our own tokens")
    audience: str = Field("duanhao", title="`aud` of our own tokens")
    access_ttl_seconds: Annotated[int, Field(ge=30, le=86_400)] = Field(3600, title="Life of our own access tokens")
    exchange_ttl_seconds: Annotated[int, Field(ge=30, le=900)] = Field(
        300, title="Longest life of a token with which a back end acts for a person"
    )
    leeway_seconds: Annotated[int, Field(ge=0, le=120)] = Field(30, title="Clock difference forgiven")
    max_bytes: Annotated[int, Field(ge=512, le=65_536)] = Field(8192, title="Longest token read at all")
    cache_size: Annotated[int, Field(ge=0)] = Field(20_000, title="Most verified tokens remembered until they expire")
    external: tuple[ExternalIssuer, ...] = Field((), title="Issuers outside")


class SignInSettings(Group):
    """Signing in through the page of the built-in issuer: passwords, guesses, and how long a sign-in is carried on."""

    code_seconds: Annotated[int, Field(ge=10, le=60)] = Field(60, title="Life of an authorization code")
    refresh_idle_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = Field(
        43_200, title="Life of a refresh token that is not used"
    )
    refresh_absolute_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = Field(
        604_800, title="Longest time that one sign-in is carried on by refresh tokens"
    )
    password_length: Annotated[int, Field(ge=12, le=64)] = Field(12, title="Fewest characters of a password")
    password_days: Annotated[int, Field(ge=0, le=3650)] = Field(
        365, title="Days after which a password has to be changed; 0: never"
    )
    first_password_days: Annotated[int, Field(ge=1, le=90)] = Field(
        7, title="Days in which a password given by an operator has to be changed"
    )
    password_history: Annotated[int, Field(ge=1, le=24)] = Field(
        5, title="How many passwords, the present one included, may not be chosen again"
    )
    argon2_memory_kib: Annotated[int, Field(ge=19_456, le=1_048_576)] = Field(
        65_536, title="Memory of one Argon2id hash in KiB; two run at once"
    )
    argon2_rounds: Annotated[int, Field(ge=2, le=64)] = Field(2, title="Passes of one Argon2id hash over its memory")
    failures: Annotated[int, Field(ge=3, le=100)] = Field(20, title="Failed sign-ins of one name before it waits")
    failure_window_seconds: Annotated[int, Field(ge=60, le=86_400)] = Field(
        3600, title="Time in which failures of one name count, and for which it waits"
    )


class AuditSettings(Group):
    """The access log: how long a look may wait for it, and where its checkpoints go."""

    deadline_seconds: Annotated[float, Field(gt=0, le=30)] = Field(2.0, title="Longest wait for the log before 503")
    batch_size: Annotated[int, Field(ge=1, le=4096)] = Field(512, title="Most events in one transaction")
    permit_seconds: Annotated[float, Field(gt=0, le=30)] = Field(2.0, title="Life of a permit to open")
    origin: str = Field("duanhao.local/access-log", title="Origin line of checkpoints")
    checkpoint_file: Path | None = Field(
        None, title="File that collects checkpoints; default: `checkpoints` in the data directory"
    )


class HttpSettings(Group):
    """The listener and the edges of a request."""

    host: str = Field("127.0.0.1", title="Address to listen on")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8000, title="Port to listen on")
    max_body_bytes: Annotated[int, Field(ge=1024)] = Field(1_048_576, title="Longest request body")
    proxies: tuple[str, ...] = Field(
        (), title="Addresses or networks of the TLS proxies in front, whose forwarded headers are believed"
    )
    cors_origins: tuple[str, ...] = Field(
        (), title="Origins of other sites whose pages may call, each exactly as browsers send it"
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            fault = _origin_fault(origin)
            if fault is not None:
                message = f"an entry of cors_origins {fault}"
                raise ValueError(message)
        return origins


def _origin_fault(origin: str) -> str | None:
    """Tell what keeps a configured origin from ever equalling one that a browser sends; ``None`` when nothing does."""
    if origin in {"*", "null"}:
        return "names everybody: list the origins"
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return "is no origin: write scheme://host or scheme://host:port, in lower case, without a path"
    if found[3] == _DEFAULT_PORTS[found[1]]:
        return "names the default port, which browsers leave out"
    return None


class LimitsSettings(Group):
    """How often one caller may call one process; over it the answer is 429 with `Retry-After`."""

    person: _PerSecond | None = Field(
        None, title="Requests a second of one person; `0`: no limit; unset: 20 in production, none in development"
    )
    client: _PerSecond | None = Field(
        None, title="The same of one service account; unset: 1000 in production, none in development"
    )
    address: _PerSecond | None = Field(
        None,
        title="The same of one address (IPv6: /64), signed in or not; unset: 1000 in production, none in development",
    )
    caller_names: _PerSecond | None = Field(
        None,
        title="Names of callers a second that one device or exchange may ask for; unset: 50 in production, none in development",
    )
    burst_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        20, title="How many seconds' worth of requests may come at once"
    )


class ContactsSettings(Group):
    """What a contact may carry."""

    collect_sensitive: tuple[str, ...] = Field(
        (), title="Fields that forms name as switched off, collected all the same"
    )
    forms: Literal["default", "strict"] = Field("default", title="Collection forms that ship with the service")
    forms_file: Path | None = Field(None, title="Collection forms of the operator's own, instead of `forms`")
    import_profiles: Path | None = Field(None, title="Directory with import profiles of the operator's own (`*.yaml`)")
    default_region: str = Field(
        "CN", pattern="^[A-Z]{2}$", title="Region of telephone numbers written without country code"
    )
    history_quarters: Annotated[int, Field(ge=2, le=120)] = Field(
        12, title="Whole quarters of history, beside the one that runs, that no purge may touch"
    )


class PolicySettings(Group):
    """Which rules are in force."""

    profile: Literal["default", "strict"] = Field("default", title="Policy pack of the first start, of those that ship")
    file: Path | None = Field(None, title="Policy pack of the first start, the operator's own, instead of `profile`")


class NumbersSettings(Group):
    """How the number plan is told."""

    utc_offset_minutes: Annotated[int, Field(ge=-840, le=840)] = Field(
        480, title="When a day begins, in minutes east of UTC, for questions about a day and for daily quotas"
    )
    longest_hold_minutes: Annotated[int, Field(ge=1, le=10_080)] = Field(
        1440, title="How long numbers can be held before they are given out, in minutes"
    )


class QuotasSettings(Group):
    """How much of others' reachable data (C3 and above, masked or shown) one caller is shown in a day."""

    contacts: Annotated[int, Field(ge=0)] = Field(2000, title="Contacts per person and day")
    reveals: Annotated[int, Field(ge=0)] = Field(50, title="Reveals per person and day")
    service_contacts: Annotated[int, Field(ge=0)] = Field(20_000, title="Contacts per service account and day")
    clients: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, title="Contacts per day of single service accounts, by client id, instead"
    )
    alarms: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (250, 2500), title="Contacts per caller and day that the security log is told of"
    )


class LookupSettings(Group):
    """Who may look up how much in a day, and by what."""

    terms_per_day: Annotated[int, Field(ge=0)] = Field(20, title="Terms that a person may look up in a day")
    service_terms_per_day: Annotated[int, Field(ge=0)] = Field(
        2000, title="Terms that a service account may look up in a day"
    )
    client_terms_per_day: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, title="Terms a day of service accounts with a ceiling of their own, by client id"
    )
    kinds: tuple[
        Literal["mobile.exact", "mobile.last4", "email.exact", "name.exact", "wechat.exact", "id_number.exact"], ...
    ] = Field(
        ("mobile.exact", "mobile.last4", "email.exact", "name.exact"),
        title="Search tags that are kept; another list has everybody tagged anew",
    )
    profile: Literal["strict", "balanced"] = Field(
        "strict", title="How many people share a search tag: at least 64 when planned (`strict`) or 16 (`balanced`)"
    )


class _ConfigFile(PydanticBaseSettingsSource):
    """Settings from the YAML file named by ``DUANHAO_CONFIG``; an empty variable means none."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ANN401 — signature of pydantic-settings
        """Answer one member; unused, because the whole file is returned at once."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read the file whole; a missing or malformed file stops the start."""
        path = os.environ.get("DUANHAO_CONFIG")
        if not path:
            return {}
        loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        if not isinstance(loaded, dict):
            message = f"{path} must hold a mapping of settings"
            raise TypeError(message)
        return loaded


class Settings(BaseSettings):
    """All settings. Frozen: what a process runs with is what it started with."""

    model_config = SettingsConfigDict(
        env_prefix="DUANHAO_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        nested_model_default_partial_update=True,
    )

    env: Literal["development", "production"] = Field(
        "development", title="`production` refuses what only development may do"
    )
    data_dir: Path = Field(Path("var"), title="SQLite files, development keys, checkpoints")
    language: Literal["auto", "en", "zh"] = Field("auto", title="Language of `doctor`; `auto` goes by `LANG`")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", title="Least severity printed")
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    keys: KeysSettings = Field(default_factory=KeysSettings)
    tokens: TokensSettings = Field(default_factory=TokensSettings)
    sign_in: SignInSettings = Field(default_factory=SignInSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    limits: LimitsSettings = Field(default_factory=LimitsSettings)
    contacts: ContactsSettings = Field(default_factory=ContactsSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    numbers: NumbersSettings = Field(default_factory=NumbersSettings)
    calendar: CalendarSettings = Field(default_factory=CalendarSettings)
    quotas: QuotasSettings = Field(default_factory=QuotasSettings)
    lookups: LookupSettings = Field(default_factory=LookupSettings)
    approvals: ApprovalsSettings = Field(default_factory=ApprovalsSettings)
    campaigns: CampaignsSettings = Field(default_factory=CampaignsSettings)
    reconciliations: ReconciliationsSettings = Field(default_factory=ReconciliationsSettings)
    hr: HrSettings = Field(default_factory=HrSettings)
    deadlines: DeadlinesSettings = Field(default_factory=DeadlinesSettings)
    notices: NoticesSettings = Field(default_factory=NoticesSettings)
    smtp: SmtpSettings = Field(default_factory=SmtpSettings)
    changes: ChangesSettings = Field(default_factory=ChangesSettings)
    scim: ScimSettings = Field(default_factory=ScimSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, and arguments over both."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, _ConfigFile(settings_cls))

    @model_validator(mode="after")
    def _environment_is_known(self) -> Self:
        """Refuse a variable of ours that nobody reads; inside a group, the group does."""
        unknown = sorted(name for name, value in os.environ.items() if not self._reads(name, value))
        if unknown:
            message = f"no setting has the name {', '.join(unknown)}: groups are parted with two underscores, as in DUANHAO_HTTP__PORT"
            raise ValueError(message)
        return self

    def _reads(self, name: str, value: str) -> bool:
        upper = name.upper()
        if not upper.startswith(_PREFIX) or upper.startswith(_OF_DEVELOPMENT):
            return True
        if name in _NOT_SETTINGS or name == self.keys.variable:
            return True
        if _OF_KUBERNETES.fullmatch(name) or (name.endswith("_PORT") and _SERVICE_ADDRESS.match(value)):
            return True
        setting, nested, _ = upper.removeprefix(_PREFIX).partition("__")
        field = type(self).model_fields.get(setting.lower())
        return field is not None and (not nested or isinstance(getattr(self, setting.lower()), Group))

    @property
    def root_key_file(self) -> Path:
        """Where the file provider keeps the root key."""
        return self.keys.file or self.data_dir / "keys" / "root.key"

    @property
    def checkpoint_file(self) -> Path:
        """Where published checkpoints are appended."""
        return self.audit.checkpoint_file or self.data_dir / "checkpoints"

    @property
    def on_postgresql(self) -> bool:
        """Whether a PostgreSQL address is configured."""
        return self.database.url is not None

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the api process; read once in ``create_app`` and passed on."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.errors import ApiSettingsError
from central.identity.outside.settings import OutsideSettings
from central.identity.security_keys.types import KeySite
from central.passages.service import SEARCH_TIME_MAX
from central.settings import (
    DeviceAuthoritySettings,
    NotifySettings,
    OfficeSettings,
)
from central.webhook_settings import WebhookSettings

ENV_PREFIX = "LUUTHONG_API_"


class MetricsAccess(StrEnum):
    """Who may read ``/metrics``."""

    LOOPBACK = "loopback"
    EVERYBODY = "everybody"
    NOBODY = "nobody"


class PaperTrustSettings(BaseModel):
    """Whose signatures under papers are trusted when the console shows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ca_file: Path | None = Field(
        default=None,
        description="Certificate of the authority whose signers are trusted (PEM), the same as the "
        "centre's: without it signatures are not checked when papers are shown.",
    )


class ApiSettings(BaseSettings):
    """Everything that the api process can be told.

    Secrets are never values here: they stand in files that the settings name.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    database_url: str = Field(
        pattern=r"^postgres(ql)?://", description="Address of the database, without a password."
    )
    database_password_file: Path | None = Field(
        default=None,
        description="File whose first line is the database password; not needed on a socket.",
    )
    database_replica_url: str | None = Field(
        default=None,
        pattern=r"^postgres(ql)?://",
        description="Address of a streaming standby for heavy questions, without a password; "
        "without it the database answers everything.",
    )
    database_replica_password_file: Path | None = Field(
        default=None, description="File whose first line is the password at the standby."
    )
    database_replica_lag_max: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="How far the standby may be behind to be asked. Higher: it is asked more "
        "often under load, and searches miss what came last.",
    )
    database_connections_max: int = Field(
        default=8,
        ge=2,
        le=100,
        description="Most database connections of this process. Higher: more requests at a time, "
        "more memory at the database.",
    )
    database_statement_time: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=10),
        description="Longest time that one statement of a request may take. Higher: rare searches "
        "get their answer, and a few of them keep everybody else waiting.",
    )
    database_search_time: timedelta = Field(
        default=SEARCH_TIME_MAX,
        ge=timedelta(milliseconds=100),
        le=timedelta(minutes=10),
        description="Longest time that a search of passages may take. Higher: rare plates are "
        "found in wider spans of time, and a few such searches keep everybody else waiting.",
    )
    evidence_folder: Path = Field(
        default=Path("evidence"),
        description="Folder of the content-addressed evidence store, the same as the centre's.",
    )
    session_lifetime: timedelta = Field(
        default=timedelta(hours=12),
        ge=timedelta(minutes=5),
        le=timedelta(days=7),
        description="Longest time from signing in to having to sign in again.",
    )
    session_idle: timedelta = Field(
        default=timedelta(hours=2),
        ge=timedelta(minutes=5),
        le=timedelta(days=7),
        description="Longest pause between two requests before a session ends.",
    )
    sessions_max: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Most sessions of one user at a time; a further one ends the oldest.",
    )
    password_words_file: Path | None = Field(
        default=None,
        description="File of the authority's own words, one a line, such as its name and its "
        "programs: no password may be made of them.",
    )
    metrics_access: MetricsAccess = Field(
        default=MetricsAccess.LOOPBACK, description="Who may read /metrics."
    )
    live_subscribers_max: int = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Most pages that follow the live list at a time; further ones are told to "
        "try again later.",
    )
    key_requests_per_minute: int = Field(
        default=600,
        ge=1,
        le=100_000,
        description="Most requests of one program's key in a minute; further ones are told to "
        "wait. Higher: one program may take more of this server from the others.",
    )
    office: OfficeSettings = Field(
        default=OfficeSettings(),
        description="Who takes dossiers in and decides, the same as the centre's.",
    )
    devices: DeviceAuthoritySettings = Field(
        default=DeviceAuthoritySettings(),
        description="Authority of devices' certificates, the same as the centre's: without it no "
        "device can enrol.",
    )
    notify: NotifySettings = Field(
        default=NotifySettings(),
        description="Notices by e-mail, the same as the centre's: without a server none is queued.",
    )
    webhooks: WebhookSettings = Field(
        default=WebhookSettings(), description="Webhooks, the same as the centre's."
    )
    relatives_key_file: Path | None = Field(
        default=None, description="Secret under which plates of officials' relatives are hashed."
    )
    outside: OutsideSettings = Field(
        default=OutsideSettings(), description="Signing in by an OpenID Connect provider."
    )
    second_factor_key_file: Path | None = Field(
        default=None,
        description="Secret under which secrets of second factors are sealed, at least 32 random "
        "characters: without it nobody can set one up or sign in with an app's code.",
    )
    console_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Address of this console without a path, as browsers know it: security keys "
        "are bound to it. https and a name, or http://localhost; without it the address that the "
        "outside provider sends people back to counts, and without that nobody can add or use a "
        "key.",
    )
    https_only: bool = Field(
        default=False,
        description="Whether whoever comes by plain HTTP is turned away: pages are forwarded to "
        "the console's address, anything but `/metrics` is refused. A proxy that ends TLS must set "
        "`X-Forwarded-Proto`.",
    )
    documents: PaperTrustSettings = Field(
        default=PaperTrustSettings(), description="Trust in signed papers."
    )
    log_level: str = Field(
        default="info",
        pattern=r"^(debug|info|warning|error)$",
        description="Least important log line that is written.",
    )

    @field_validator("console_url")
    @classmethod
    def _fits_keys(cls, url: str | None) -> str | None:
        """Stop when browsers would offer no keys at this address."""
        if url is not None and KeySite.of_url(url) is None:
            raise ValueError("security keys need https and a name, or http://localhost")
        return url

    @model_validator(mode="after")
    def _knows_where_to_forward_to(self) -> Self:
        """Stop when pages could be forwarded to nowhere, or to plain HTTP."""
        if self.https_only and not (self.console_url or "").startswith("https://"):
            raise ValueError("https_only needs a console_url with https")
        return self

    @property
    def key_site(self) -> KeySite | None:
        """What security keys are bound to; ``None`` where nobody can add or use one."""
        url = self.console_url or self.outside.console_url
        return None if url is None else KeySite.of_url(url)


def read_settings() -> ApiSettings:
    """Read the settings from the environment.

    Raises:
        ApiSettingsError: A setting is missing or wrong; names it without showing its value.
    """
    try:
        return ApiSettings()
    except ValidationError as error:
        problems = "; ".join(
            f"{ENV_PREFIX}{'__'.join(str(part) for part in problem['loc']).upper()}: "
            f"{problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ApiSettingsError(problems) from error

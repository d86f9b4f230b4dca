# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the outside identity provider, and when a link to it may be plain."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from central.broker_settings import LOOPBACK_HOSTS


class OutsideSettings(BaseModel):
    """Who else may say that somebody is who they claim; off without an issuer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str | None = Field(
        default=None,
        max_length=500,
        pattern=r"^https?://[^\s?#]+$",
        description="Issuer of the OpenID Connect provider, exactly as it calls itself; without it "
        "people sign in with their password only. Plain http is allowed on this machine only.",
    )
    client_id: str = Field(
        default="luuthong",
        min_length=1,
        max_length=200,
        description="Name under which the provider knows this console.",
    )
    client_secret_file: Path | None = Field(
        default=None, description="File whose first line is the secret shared with the provider."
    )
    console_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Address of this console without a path, as browsers know it: the provider "
        "sends people back to /console/login/outside/return below it.",
    )
    name_vi: str = Field(
        default="tài khoản cơ quan",
        min_length=1,
        max_length=60,
        description="Name of the provider on Vietnamese pages.",
    )
    name_en: str = Field(
        default="the office account",
        min_length=1,
        max_length=60,
        description="Name of the provider on English pages.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates for the provider (PEM); without it the system's.",
    )
    timeout: timedelta = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="Longest wait for each answer of the provider.",
    )
    clock_leeway: timedelta = Field(
        default=timedelta(seconds=60),
        ge=timedelta(0),
        le=timedelta(minutes=5),
        description="How far the provider's clock may be off. Higher: worse clocks are forgiven, "
        "and a token holds for that much longer.",
    )
    second_factor_values: tuple[str, ...] = Field(
        default=("mfa", "otp", "hwk", "sc"),
        description="Values of amr or acr by which the provider says that it asked for a second "
        "factor. Without one of them nobody comes in whose role or account needs one.",
    )

    @model_validator(mode="after")
    def _is_whole_and_protected(self) -> Self:
        """Stop when codes would travel in the clear, or half of the settings is missing."""
        if self.issuer is None:
            return self
        if self.client_secret_file is None or self.console_url is None:
            raise ValueError("an issuer needs a client_secret_file and a console_url")
        if not all(map(may_be_called, (self.issuer, self.console_url))):
            raise ValueError("issuer and console_url on another machine need https")
        return self

    @property
    def names(self) -> Mapping[str, str]:
        """Name of the provider by language."""
        return {"vi": self.name_vi, "en": self.name_en}


def may_be_called(url: str) -> bool:
    """Whether a link is protected, or stays on this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of webhooks, the same for the process that registers them and the one that sends."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from central.broker_settings import Port


class WebhookSettings(BaseModel):
    """Where webhooks may go, and the secret behind their signatures.

    Without a key file no webhook can be registered and none is sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key_file: Path | None = Field(
        default=None,
        description="Secret from which the secrets of webhooks are made; whoever has it can forge "
        "their signatures.",
    )
    ports_allowed: tuple[Port, ...] = Field(
        default=(443, 8443),
        min_length=1,
        max_length=20,
        description="TCP ports that webhooks may go to.",
    )
    networks_allowed: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        max_length=50,
        description="Networks that webhooks may go to although they are not public, such as the "
        "authority's own. Each one lets administrators of this system reach machines in it.",
    )
    plain_http_to_loopback: bool = Field(
        default=False,
        description="Whether webhooks may go to programs on this machine by plain HTTP, on any "
        "port; for development only.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates for receivers (PEM); without it the system's.",
    )
    keep: timedelta = Field(
        default=timedelta(days=30),
        ge=timedelta(days=7),
        le=timedelta(days=366),
        description="How long deliveries are kept after their event.",
    )

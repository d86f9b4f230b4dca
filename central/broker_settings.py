# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the link to the MQTT broker, and when a link may be plain."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Port = Annotated[int, Field(ge=1, le=65_535)]


class BrokerSettings(BaseModel):
    """How ingest reaches the MQTT broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1, description="Host name or address of the broker.")
    port: Port = Field(default=1883, description="TCP port of the broker.")
    username: str = Field(default="ingest", min_length=1, description="Broker user of ingest.")
    password_file: Path = Field(description="File whose first line is the broker password.")
    control_password_file: Path | None = Field(
        default=None,
        description="File whose first line is the password of the broker's account `centre`, which "
        "gives accounts to devices; needed by commands only.",
    )
    client_id: str = Field(
        default="ingest-1",
        pattern=r"^[a-z0-9-]{1,23}$",
        description="MQTT client id, different for every ingest process; its session is kept.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="CA certificates for TLS (PEM); without it the link is plain, which is allowed "
        "to a broker on this machine only.",
    )
    keepalive: timedelta = Field(
        default=timedelta(seconds=30),
        ge=timedelta(seconds=5),
        le=timedelta(minutes=10),
        description="Longest silence on the link before it counts as broken.",
    )
    session_expiry: timedelta = Field(
        default=timedelta(days=7),
        ge=timedelta(minutes=1),
        le=timedelta(days=365),
        description="How long the broker keeps messages for an absent ingest.",
    )

    @model_validator(mode="after")
    def _is_protected(self) -> Self:
        """Stop when the password and plates would travel to another machine in the clear."""
        if self.ca_file is None and self.host not in LOOPBACK_HOSTS:
            raise ValueError("a broker on another machine needs a ca_file")
        return self

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The parts of the site file about the way to the centre, and what every part is made of."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

MEGABYTE: Final = 1_000_000
DEFAULT_PICTURE_BYTES: Final = 2_000 * MEGABYTE
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PORT_MAX: Final = 65_535
OTHERS_MAX: Final = 8
_ADDRESS: Final = re.compile(r"^(?P<host>\[[0-9a-f:]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})$")

Port = Annotated[int, Field(ge=1, le=PORT_MAX)]


class Section(BaseModel):
    """A part of the site file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class BrokerSettings(Section):
    """Where events go."""

    host: str = Field(min_length=1, max_length=253, description="name or address of the broker")
    port: Port = Field(default=8883, description="TCP port; 8883 is MQTT over TLS")
    others: tuple[str, ...] = Field(
        default=(),
        max_length=OTHERS_MAX,
        description="further nodes of the same broker, each `host:port`; tried in turn when one is "
        "lost",
    )
    use_tls: bool = Field(default=True, description="encrypt; false only for loopback and tests")
    ca_file: Path | None = Field(
        default=None, description="certificates to trust; the system's when absent"
    )
    certificate_file: Path | None = Field(
        default=None, description="the device's certificate; `luuthong-edge enrol` writes it"
    )
    key_file: Path | None = Field(
        default=None, description="private key of the certificate, readable by its owner only"
    )
    window: int = Field(
        default=64,
        ge=1,
        le=1_000,
        description="most events sent and not yet committed by the centre",
    )
    ack_timeout: timedelta = Field(
        default=timedelta(seconds=10),
        gt=timedelta(0),
        le=timedelta(minutes=10),
        description="after this time without a commit acknowledgement events are sent again",
    )
    late_after: timedelta = Field(
        default=timedelta(seconds=30),
        gt=timedelta(0),
        le=timedelta(days=1),
        description="an event sent later than this after it was made is marked late",
    )

    @field_validator("others")
    @classmethod
    def _are_addresses(cls, others: tuple[str, ...]) -> tuple[str, ...]:
        for other in others:
            match = _ADDRESS.match(other)
            if match is None or not 1 <= int(match["port"]) <= PORT_MAX:
                raise ValueError("a node is written host:port, for example 10.0.0.5:8883")
        return others

    @property
    def other_addresses(self) -> tuple[tuple[str, int], ...]:
        """Hosts and ports of the further nodes."""
        split = (other.rpartition(":") for other in self.others)
        return tuple((host.strip("[]"), int(port)) for host, _, port in split)

    @model_validator(mode="after")
    def _is_protected(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("a certificate needs its key, and the reverse")
        hosts = {self.host, *(host for host, _ in self.other_addresses)}
        if not self.use_tls and not hosts <= LOOPBACK_HOSTS:
            raise ValueError("a broker on another machine needs use_tls")
        return self


class ApiSettings(Section):
    """Where evidence pictures go."""

    url: str = Field(
        pattern=r"^(https://[^\s/@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/[^\s]*)?$",
        description="address of the api, without user; http for this machine only",
    )
    ca_file: Path | None = Field(
        default=None, description="certificates to trust; the system's when absent"
    )


class OutboxSettings(Section):
    """Where events wait until the centre has them."""

    path: Path = Field(default=Path("outbox.sqlite3"), description="SQLite file")
    picture_bytes_max: int = Field(
        default=DEFAULT_PICTURE_BYTES,
        ge=0,
        le=10**13,
        description="bytes of waiting pictures; above it the oldest are dropped and counted",
    )
    file_bytes_max: int | None = Field(
        default=None,
        ge=MEGABYTE,
        description="bytes of the whole file; above it pictures go, then events wait",
    )

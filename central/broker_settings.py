# SPDX-License-Identifier: AGPL-3.0-or-later
"""Settings of the link to the broker, and when a link may be plain."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Port = Annotated[int, Field(ge=1, le=65_535)]


NODES_MAX: Final = 9
_ADDRESS: Final = re.compile(r"^(?P<host>\[[0-9a-f:]+\]|[^\s:/@\[\]]+):(?P<port>\d{1,5})$")
_PORT_MAX: Final = 65_535
_MANAGEMENT_URL: Final = re.compile(
    r"^(https://[^\s/@?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?)$"
)


class RabbitSettings(BaseModel):
    """How ingest reaches a RabbitMQ cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nodes: tuple[str, ...] = Field(
        min_length=1,
        max_length=NODES_MAX,
        description="AMQP addresses of the nodes, each `host:port`; ingest tries them in turn.",
    )

    management_urls: tuple[str, ...] = Field(
        default=(),
        max_length=NODES_MAX,
        description="Addresses of the nodes' management interface, by which commands give accounts "
        "to devices; http to this machine only.",
    )

    @field_validator("management_urls")
    @classmethod
    def _are_plain_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_MANAGEMENT_URL.match(url) for url in urls):
            raise ValueError("an address is written https://host:port, without user or path")
        return urls

    @field_validator("nodes")
    @classmethod
    def _are_addresses(cls, nodes: tuple[str, ...]) -> tuple[str, ...]:
        for node in nodes:
            match = _ADDRESS.match(node)
            if match is None or not 1 <= int(match["port"]) <= _PORT_MAX:
                raise ValueError("a node is written host:port, for example 10.0.0.5:5671")
        if len(set(nodes)) != len(nodes):
            raise ValueError("two nodes have the same address")
        return nodes

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Hosts and ports of the nodes."""
        split = (node.rpartition(":") for node in self.nodes)
        return tuple((host.strip("[]"), int(port)) for host, _, port in split)


class BrokerSettings(BaseModel):
    """How the centre reaches the broker: by MQTT, and a RabbitMQ cluster by AMQP as well."""

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

    rabbitmq: RabbitSettings | None = Field(
        default=None,
        description="A RabbitMQ cluster, which ingest reads by AMQP; without it ingest reads by "
        "MQTT. Host and port name the cluster's MQTT side then.",
    )

    @model_validator(mode="after")
    def _is_protected(self) -> Self:
        """Stop when the password and plates would travel to another machine in the clear."""
        nodes = () if self.rabbitmq is None else self.rabbitmq.addresses
        hosts = {self.host, *(host for host, _ in nodes)}
        if self.ca_file is None and not hosts <= LOOPBACK_HOSTS:
            raise ValueError("a broker on another machine needs a ca_file")
        return self

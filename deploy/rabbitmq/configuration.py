# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a RabbitMQ node of ours is told: its file of settings, its environment, its command line."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.security.connections import TLS_1_2_SUITES, TLS_1_3_SUITES
from central.devices.rabbitmq.names import EXCHANGE, VHOST
from deploy.local.ports import LOOPBACK
from deploy.setup.rabbitmq import RabbitPrograms

CONFIGURATION_NAME: Final = "rabbitmq.conf"
DEFINITIONS_NAME: Final = "definitions.json"
PLUGINS: Final = ("rabbitmq_management", "rabbitmq_mqtt")

_HOST: Final = "localhost"
_MESSAGE_BYTES_MAX: Final = 262_144
_SESSION_EXPIRY_MAX_S: Final = 604_800
# Up: a device may have more unanswered acknowledgements. Down: a slow device holds less memory.
_MQTT_PREFETCH: Final = 100
# Schedulers of one node. Up: more work at a time. Down: three nodes leave a small machine alone.
_SCHEDULERS: Final = 2
_ONLY_LOOPBACK: Final = "{127,0,0,1}"
_ALLOCATION: Final = "+MBas ageffcbf +MHas ageffcbf +MBlmbcs 512 +MHlmbcs 512 +MMmcs 30"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePorts:
    """Loopback ports of one node.

    Attributes:
        mqtt: Devices.
        amqp: Ingest.
        management: Accounts and state, over HTTP.
        distribution: Other nodes.
        mqtt_tls: Devices, over TLS; unused where nodes have no certificate.
        amqp_tls: Ingest, over TLS; the same.
    """

    mqtt: int
    amqp: int
    management: int
    distribution: int
    mqtt_tls: int
    amqp_tls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCertificate:
    """What nodes prove themselves by, and whose certificates devices may come with.

    Attributes:
        authority_file: The devices' authority (PEM).
        certificate_file: The nodes' own certificate (PEM).
        key_file: Its private key.
    """

    authority_file: Path
    certificate_file: Path
    key_file: Path


def node_name(number: int) -> str:
    """Name of a node among its like; they are counted from 1."""
    return f"luuthong{number}@{_HOST}"


def configuration(
    ports: NodePorts, *, definitions: Path, nodes: int, certificate: NodeCertificate | None
) -> str:
    """The settings of one node.

    Args:
        ports: Where it listens.
        definitions: File with the centre's accounts.
        nodes: How many nodes the cluster has.
        certificate: For ports with TLS; ``None`` for none.
    """
    members = "\n".join(
        f"cluster_formation.classic_config.nodes.{number} = {node_name(number)}"
        for number in range(1, nodes + 1)
    )
    return f"""\
listeners.tcp.1 = {LOOPBACK}:{ports.amqp}
mqtt.listeners.tcp.1 = {LOOPBACK}:{ports.mqtt}
mqtt.vhost = {VHOST}
mqtt.exchange = {EXCHANGE}
mqtt.prefetch = {_MQTT_PREFETCH}
mqtt.max_packet_size_authenticated = {_MESSAGE_BYTES_MAX}
mqtt.max_session_expiry_interval_seconds = {_SESSION_EXPIRY_MAX_S}
anonymous_login_user = none
management.tcp.ip = {LOOPBACK}
management.tcp.port = {ports.management}
definitions.import_backend = local_filesystem
definitions.local.path = {definitions}
cluster_formation.peer_discovery_backend = classic_config
{members}
cluster_partition_handling = pause_minority
quorum_queue.continuous_membership_reconciliation.enabled = true
quorum_queue.continuous_membership_reconciliation.target_group_size = {nodes}
log.console = true
log.console.level = warning
{"" if certificate is None else _tls(ports, certificate)}"""


def _tls(ports: NodePorts, certificate: NodeCertificate) -> str:
    """Ports with TLS: a device with a certificate is whom that names, and needs no password."""
    suites = "\n".join(
        f"ssl_options.ciphers.{number} = {suite}"
        for number, suite in enumerate((*TLS_1_3_SUITES, *TLS_1_2_SUITES), start=1)
    )
    return f"""\
listeners.ssl.1 = {LOOPBACK}:{ports.amqp_tls}
mqtt.listeners.ssl.1 = {LOOPBACK}:{ports.mqtt_tls}
mqtt.ssl_cert_login = true
ssl_cert_login_from = common_name
ssl_options.cacertfile = {certificate.authority_file}
ssl_options.certfile = {certificate.certificate_file}
ssl_options.keyfile = {certificate.key_file}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_options.versions.1 = tlsv1.3
ssl_options.versions.2 = tlsv1.2
ssl_options.honor_cipher_order = true
{suites}
"""


def plugins_file() -> str:
    """The list of plugins as Erlang reads it."""
    return f"[{','.join(PLUGINS)}].\n"


def environment(
    programs: RabbitPrograms, folder: Path, *, number: int, ports: NodePorts, epmd_port: int
) -> Mapping[str, str]:
    """The whole environment of one node.

    Args:
        programs: What runs.
        folder: The node's own folder; Erlang's cookie lies in the one above.
        number: Which node.
        ports: Where it listens.
        epmd_port: Where the nodes' port mapper listens.
    """
    return {
        "PATH": f"{programs.erlang / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "LC_ALL": "C.UTF-8",
        "HOME": str(folder.parent),
        "ROOTDIR": str(programs.erlang),
        "BINDIR": str(programs.runtime),
        "EMU": "beam",
        "PROGNAME": "erl",
        "ERL_LIBS": str(programs.home / "plugins"),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "ERL_MAX_PORTS": "65536",
        "ERL_CRASH_DUMP_BYTES": "0",
        # For every Erlang that a node starts by the way, too.
        "ERL_AFLAGS": f"-start_epmd false -kernel inet_dist_use_interface {_ONLY_LOOPBACK}",
        "RABBITMQ_NODENAME": node_name(number),
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_CONFIG_FILE": str(folder / CONFIGURATION_NAME),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PLUGINS_DIR": str(programs.home / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "SYS_PREFIX": str(folder),
    }


def command(programs: RabbitPrograms) -> Sequence[str]:
    """Starts a node without the package's shell scripts: the process is the node itself."""
    return (
        str(programs.runtime / "erlexec"),
        *("-noinput", "-s", "rabbit", "boot", "-boot", "start_sasl"),
        *("+W", "w", *_ALLOCATION.split(), "+pc", "unicode", "+P", "1048576", "+t", "5000000"),
        *("+S", f"{_SCHEDULERS}:{_SCHEDULERS}", "+stbt", "u", "+zdbbl", "128000", "+B", "i"),
        *("+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"),
        *("-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false"),
        *("-kernel", "prevent_overlapping_partitions", "false"),
    )

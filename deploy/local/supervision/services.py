# SPDX-License-Identifier: AGPL-3.0-or-later
"""The processes of a local stack: how each is started, known to be ready, and stopped."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from api.security.connections import CONNECTIONS_MAX
from central.devices.broker_rights import INGEST_USERNAME
from deploy.local.broker import STOP_TIMEOUT_S as BROKER_STOP_TIMEOUT_S
from deploy.local.broker import PrivateBroker
from deploy.local.layout import StackLayout
from deploy.local.names import API, BROKER, INGEST, JOBS, POSTGRES
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import STOP_TIMEOUT_S as POSTGRES_STOP_TIMEOUT_S
from deploy.local.postgres import PrivateCluster
from deploy.local.state import StackState
from deploy.local.supervision.children import start_child
from deploy.setup.places import PROJECT_FOLDER

# Together with the two servers' own limits this stays under ten seconds.
_OURS_STOP_TIMEOUT_S: Final = 3.0
# A page that is open keeps a stream open; it must not hold the stop up.
_API_GRACE_S: Final = 2
_PROBE_TIMEOUT_S: Final = 2.0
_ANSWER_BYTES_MAX: Final = 256 * 1024
_INGEST_CONNECTED: Final = "luuthong_ingest_broker_connected 1.0"
_JOBS_STARTED: Final = "jobs_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process of the stack.

    Attributes:
        name: Short name; also of its log.
        where: Address or file that others reach it by, for people.
        launch: Starts it without waiting.
        is_ready: Whether it does its work; asked often, answers within two seconds.
        stop_signal: Asks it to end tidily.
        stop_timeout_s: How long it may take before it is killed.
    """

    name: str
    where: str
    launch: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = _OURS_STOP_TIMEOUT_S


def postgres_service(cluster: PrivateCluster) -> Service:
    """The database server."""
    return Service(
        name=POSTGRES,
        where=f"{cluster.socket_folder} port {cluster.port}",
        launch=cluster.launch,
        is_ready=cluster.answers,
        stop_signal=signal.SIGINT,
        stop_timeout_s=POSTGRES_STOP_TIMEOUT_S,
    )


def broker_service(broker: PrivateBroker) -> Service:
    """The MQTT broker."""
    return Service(
        name=BROKER,
        where=f"{broker.host}:{broker.port}",
        launch=broker.launch,
        is_ready=broker.answers,
        stop_timeout_s=BROKER_STOP_TIMEOUT_S,
    )


def product_services(layout: StackLayout, state: StackState) -> tuple[Service, ...]:
    """Our own processes, in the order in which they are started."""
    central = central_environment(layout, state)
    folder = Path(sys.executable).parent
    api = _Program(_api_command(state), api_environment(layout, state), layout.log_file(API))
    ingest = _Program((f"{folder}/luuthong-central", INGEST), central, layout.log_file(INGEST))
    jobs = _Program((f"{folder}/luuthong-central", JOBS), central, layout.log_file(JOBS))
    return (
        Service(
            name=API,
            where=state.api_url,
            launch=api.launch,
            is_ready=lambda: bool(_answer(f"{state.api_url}/v1/health")),
        ),
        Service(
            name=INGEST,
            where=state.ingest_metrics_url,
            launch=ingest.launch,
            is_ready=lambda: _INGEST_CONNECTED in _answer(state.ingest_metrics_url),
        ),
        Service(
            name=JOBS,
            where=f"log {layout.log_file(JOBS)}",
            launch=jobs.launch,
            is_ready=lambda: jobs.has_said(_JOBS_STARTED),
        ),
    )


def central_environment(layout: StackLayout, state: StackState) -> Mapping[str, str]:
    """Environment of the central processes and of ``luuthong-central`` on the command line."""
    key = layout.signing_key
    return MappingProxyType(
        {
            "LUUTHONG_CENTRAL_OFFICE__PUBLIC_URL": state.api_url,  # what the caller sets wins
            **os.environ,
            "LUUTHONG_CENTRAL_DATABASE_URL": state.service_database_url,
            "LUUTHONG_CENTRAL_EVIDENCE_FOLDER": str(state.evidence_folder),
            "LUUTHONG_CENTRAL_BROKER__HOST": state.broker_host,
            "LUUTHONG_CENTRAL_BROKER__PORT": str(state.broker_port),
            "LUUTHONG_CENTRAL_BROKER__USERNAME": INGEST_USERNAME,
            "LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE": str(layout.ingest_secret_file),
            "LUUTHONG_CENTRAL_INGEST__METRICS_PORT": str(state.metrics_port),
            "LUUTHONG_CENTRAL_DOCUMENTS__SIGNING_KEY_FILE": str(key.key_file),
            "LUUTHONG_CENTRAL_DOCUMENTS__SIGNING_CERTIFICATE_FILE": str(key.certificate_file),
            "LUUTHONG_CENTRAL_DOCUMENTS__CA_FILE": str(key.ca_file),
            "LUUTHONG_CENTRAL_RELATIVES_KEY_FILE": str(layout.relatives_key_file),
            "LUUTHONG_CENTRAL_WEBHOOKS__KEY_FILE": str(layout.webhook_key_file),
            "LUUTHONG_CENTRAL_WEBHOOKS__PLAIN_HTTP_TO_LOOPBACK": "true",
        }
    )


def api_environment(layout: StackLayout, state: StackState) -> Mapping[str, str]:
    """Environment of the HTTP interface."""
    return MappingProxyType(
        {
            "LUUTHONG_API_OFFICE__PUBLIC_URL": state.api_url,
            # Browsers bind security keys to names, never to mere numbers.
            "LUUTHONG_API_CONSOLE_URL": f"http://localhost:{state.api_port}",
            **os.environ,
            "LUUTHONG_API_DATABASE_URL": state.service_database_url,
            "LUUTHONG_API_EVIDENCE_FOLDER": str(state.evidence_folder),
            "LUUTHONG_API_DOCUMENTS__CA_FILE": str(layout.signing_key.ca_file),
            "LUUTHONG_API_RELATIVES_KEY_FILE": str(layout.relatives_key_file),
            "LUUTHONG_API_WEBHOOKS__KEY_FILE": str(layout.webhook_key_file),
            "LUUTHONG_API_WEBHOOKS__PLAIN_HTTP_TO_LOOPBACK": "true",
            "LUUTHONG_API_SECOND_FACTOR_KEY_FILE": str(layout.second_factor_key_file),
        }
    )


def _api_command(state: StackState) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app"),
        *("--host", LOOPBACK, "--port", str(state.api_port)),
        *("--timeout-graceful-shutdown", str(_API_GRACE_S)),
        *("--http", "api.security.connections:GuardedProtocol"),
        *("--limit-concurrency", str(CONNECTIONS_MAX)),
        "--no-access-log",
        "--no-server-header",
        "--no-proxy-headers",  # nothing stands in front, so nobody may say where a call came from
    )


class _Program:
    """One of our programs with a log of its own."""

    def __init__(
        self, command: tuple[str, ...], environment: Mapping[str, str], log_file: Path
    ) -> None:
        self._command = command
        self._environment = environment
        self._log_file = log_file
        self._log_offset = 0

    def launch(self) -> subprocess.Popen[bytes]:
        with self._log_file.open("ab") as log:
            self._log_offset = log.tell()
            return start_child(
                self._command, log=log, environment=self._environment, folder=PROJECT_FOLDER
            )

    def has_said(self, text: str) -> bool:
        """Whether the log of this launch holds a text, near its beginning."""
        with self._log_file.open("rb") as log:
            log.seek(self._log_offset)
            return text.encode() in log.read(_ANSWER_BYTES_MAX)


def _answer(url: str) -> str:
    """Body of a successful answer of one of our own processes; empty otherwise."""
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_TIMEOUT_S) as answer:  # noqa: S310 - ours
            return str(answer.read(_ANSWER_BYTES_MAX), "utf-8", "replace")
    except OSError:
        return ""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The processes of a local stack: how each is started, known to be ready, and stopped."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from deploy.local.broker import INGEST_USERNAME, PrivateBroker
from deploy.local.broker import STOP_TIMEOUT_S as BROKER_STOP_TIMEOUT_S
from deploy.local.children import start_child
from deploy.local.layout import StackLayout
from deploy.local.names import API, BROKER, INGEST, JOBS, POSTGRES
from deploy.local.ports import LOOPBACK, has_listener
from deploy.local.postgres import STOP_TIMEOUT_S as POSTGRES_STOP_TIMEOUT_S
from deploy.local.postgres import PrivateCluster
from deploy.local.state import StackState
from deploy.setup.places import PROJECT_FOLDER

# Together with the two servers' own limits this stays under ten seconds.
_OURS_STOP_TIMEOUT_S: Final = 3.0
# A page that is open keeps a stream open; it must not hold the stop up.
_API_GRACE_S: Final = 2
_PROBE_TIMEOUT_S: Final = 2.0
_HTTP_OK: Final = 200
_OWN_PREFIXES: Final = ("LUUTHONG_CENTRAL_", "LUUTHONG_API_")


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
    api = api_environment(state)
    return (
        Service(
            name=API,
            where=state.api_url,
            launch=_launcher(layout, API, _api_command(state), api),
            is_ready=lambda: _is_healthy(f"{state.api_url}/v1/health"),
        ),
        _central_service(layout, INGEST, central, is_ready=lambda: _ingest_is_ready(state)),
        _central_service(layout, JOBS, central, is_ready=lambda: True),
    )


def central_environment(layout: StackLayout, state: StackState) -> Mapping[str, str]:
    """Environment of the central processes and of ``luuthong-central`` on the command line."""
    return MappingProxyType(
        {
            **os.environ,
            "LUUTHONG_CENTRAL_DATABASE_URL": state.database_url,
            "LUUTHONG_CENTRAL_EVIDENCE_FOLDER": str(state.evidence_folder),
            "LUUTHONG_CENTRAL_BROKER__HOST": state.broker_host,
            "LUUTHONG_CENTRAL_BROKER__PORT": str(state.broker_port),
            "LUUTHONG_CENTRAL_BROKER__USERNAME": INGEST_USERNAME,
            "LUUTHONG_CENTRAL_BROKER__PASSWORD_FILE": str(layout.ingest_secret_file),
        }
    )


def api_environment(state: StackState) -> Mapping[str, str]:
    """Environment of the HTTP interface."""
    return MappingProxyType(
        {
            **os.environ,
            "LUUTHONG_API_DATABASE_URL": state.database_url,
            "LUUTHONG_API_EVIDENCE_FOLDER": str(state.evidence_folder),
        }
    )


def _central_service(
    layout: StackLayout,
    name: str,
    environment: Mapping[str, str],
    *,
    is_ready: Callable[[], bool],
) -> Service:
    command = (str(Path(sys.executable).with_name("luuthong-central")), name)
    return Service(
        name=name,
        where=f"log {layout.log_file(name)}",
        launch=_launcher(layout, name, command, environment),
        is_ready=is_ready,
    )


def _api_command(state: StackState) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app"),
        *("--host", LOOPBACK, "--port", str(state.api_port)),
        *("--timeout-graceful-shutdown", str(_API_GRACE_S)),
        "--no-access-log",
        "--no-server-header",
    )


def _launcher(
    layout: StackLayout, name: str, command: tuple[str, ...], environment: Mapping[str, str]
) -> Callable[[], subprocess.Popen[bytes]]:
    def launch() -> subprocess.Popen[bytes]:
        with layout.log_file(name).open("ab") as log:
            return start_child(command, log=log, environment=environment, folder=PROJECT_FOLDER)

    return launch


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_PROBE_TIMEOUT_S) as answer:  # noqa: S310 - ours
            return bool(answer.status == _HTTP_OK)
    except (OSError, urllib.error.URLError):
        return False


def _ingest_is_ready(state: StackState) -> bool:
    return has_listener(state.broker_port, timeout_s=_PROBE_TIMEOUT_S)

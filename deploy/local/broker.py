# SPDX-License-Identifier: AGPL-3.0-or-later
"""A private mosquitto on loopback, where each device may only touch its own topics."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from api.security.connections import TLS_1_2_SUITES
from central.devices.broker_accounts import BrokerAccounts, BrokerControlAccess
from central.devices.broker_rights import accounts_of_services
from deploy.errors import BrokerError, StackNotReadyError
from deploy.local.ports import LOOPBACK, has_listener
from deploy.local.supervision.children import start_child, stop_child
from deploy.setup.places import ServerAccount

SECRET_BYTES: Final = 32

_READY_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 2.0
_PROBE_TIMEOUT_S: Final = 2.0
_POLL_INTERVAL_S: Final = 0.03
_PRIVATE_MODE: Final = 0o700
_SECRET_MODE: Final = 0o600
_MESSAGE_BYTES_MAX: Final = 262_144
_INFLIGHT_MAX: Final = 65_535
# As good as unlimited. With 0, which means the same, mosquitto 2.0 drops a client of this plugin
# after one refused message.
_QUEUED_MAX: Final = 1_000_000_000
_ACCOUNTS_FILE: Final = "dynamic-security.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateListener:
    """A second port, on which devices are known by their certificates.

    Attributes:
        port: Loopback port.
        ca_file: The devices' authority (PEM).
        certificate_file: The broker's own certificate (PEM).
        key_file: Its private key.
        revocation_file: Certificates that count no more; read again by ``reload``.
    """

    port: int
    ca_file: Path
    certificate_file: Path
    key_file: Path
    revocation_file: Path


@dataclass(kw_only=True)
class PrivateBroker:
    """One mosquitto in one folder.

    Attributes:
        folder: Configuration, accounts and persisted messages.
        program: The ``mosquitto`` program.
        plugin: Its dynamic security.
        port: Loopback port.
        account: Who runs it.
        log_file: Its log.
        control_secret: Of the account that gives accounts to devices.
        with_certificates: A port for devices with certificates, ``None`` for none.
        pid: Process to signal; set by ``start``, or by the caller for a broker that another
            process has started.
    """

    folder: Path
    program: Path
    plugin: Path
    port: int
    account: ServerAccount
    log_file: Path
    control_secret: str = field(repr=False)
    with_certificates: CertificateListener | None = None
    pid: int | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def host(self) -> str:
        """Address that it listens on."""
        return LOOPBACK

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The running broker, ``None`` when it was not started by this object."""
        return self._process

    def init(self, *, ingest_secret: str) -> None:
        """Write the configuration and the accounts of the centre; devices' accounts are kept.

        Args:
            ingest_secret: Secret of ingest's account.

        Raises:
            BrokerError: The file of accounts is damaged.
        """
        for folder in (self.folder, self.folder / "data"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(_PRIVATE_MODE)
            self._give_to_account(folder)
        accounts = accounts_of_services(
            self._known_accounts(), control_secret=self.control_secret, ingest_secret=ingest_secret
        )
        self._write(_ACCOUNTS_FILE, json.dumps(accounts, indent=1))
        self._write("mosquitto.conf", self._configuration())

    def start(self) -> None:
        """Start the broker as a child that ends with us, and wait until it answers.

        Raises:
            StackNotReadyError: It ended, or did not answer in time.
        """
        process = self.launch()
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self.answers():
            code = process.poll()
            if code is not None or time.monotonic() > deadline:
                detail = "no answer in time" if code is None else f"it ended with code {code}"
                raise StackNotReadyError("mosquitto", log_file=self.log_file, detail=detail)
            time.sleep(_POLL_INTERVAL_S)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the broker without waiting for it."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = start_child(
                [str(self.program), "-c", str(self.folder / "mosquitto.conf")],
                log=log,
                account=self.account,
                environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            )
        self.pid = self._process.pid
        return self._process

    def stop(self) -> None:
        """Stop the broker; it writes its persisted messages first."""
        if self._process is not None:
            stop_child(self._process, first=signal.SIGTERM, timeout_s=STOP_TIMEOUT_S)
        self._process = None
        self.pid = None

    def answers(self) -> bool:
        """Whether the broker accepts connections."""
        return has_listener(self.port, timeout_s=_PROBE_TIMEOUT_S)

    @property
    def control_access(self) -> BrokerControlAccess:
        """How its accounts are reached while it runs."""
        return BrokerControlAccess(host=self.host, port=self.port, secret=self.control_secret)

    def add_device(self, device_id: str, *, secret: str | None = None) -> str:
        """Let a device in by its secret.

        Args:
            device_id: Serves as the user name.
            secret: Its secret; ``None`` makes a new one.

        Returns:
            The secret.

        Raises:
            BrokerControlError: The running broker did not take it.
        """
        chosen = new_secret() if secret is None else secret
        with BrokerAccounts(self.control_access) as accounts:
            accounts.let_in(device_id, secret=chosen)
        return chosen

    def reload(self) -> None:
        """Let the running broker read its certificates and the list of revoked ones again."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)

    def _configuration(self) -> str:
        return f"""\
plugin {self.plugin}
plugin_opt_config_file {self.folder / _ACCOUNTS_FILE}
listener {self.port} {LOOPBACK}
allow_anonymous false
{self._certificate_listener()}
persistence true
persistence_location {self.folder / "data"}/
autosave_interval 1
max_queued_messages {_QUEUED_MAX}
max_inflight_messages {_INFLIGHT_MAX}
message_size_limit {_MESSAGE_BYTES_MAX}
set_tcp_nodelay true
log_dest stdout
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""

    def _certificate_listener(self) -> str:
        """A device is whom its certificate names, and can't take another's session."""
        listener = self.with_certificates
        if listener is None:
            return ""
        return f"""\
listener {listener.port} {LOOPBACK}
cafile {listener.ca_file}
certfile {listener.certificate_file}
keyfile {listener.key_file}
ciphers {":".join(TLS_1_2_SUITES)}
crlfile {listener.revocation_file}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
"""

    def _known_accounts(self) -> dict[str, object] | None:
        path = self.folder / _ACCOUNTS_FILE
        if not path.exists():
            return None
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise BrokerError(f"the broker's accounts can't be read: {path}") from error
        return known if isinstance(known, dict) else None

    def _write(self, name: str, text: str) -> None:
        """Replace a file at once: the broker may read it at any moment."""
        path, fresh = self.folder / name, self.folder / f"{name}.new"
        fresh.touch(mode=_SECRET_MODE)
        fresh.write_text(text, encoding="utf-8")
        self._give_to_account(fresh)
        fresh.replace(path)

    def _give_to_account(self, path: Path) -> None:
        if not self.account.is_ours:
            os.chown(path, self.account.uid, self.account.gid)


def new_secret() -> str:
    """A random secret, safe in files, headers and command lines."""
    return secrets.token_urlsafe(SECRET_BYTES)


def may_connect(*, port: int, username: str, secret: str) -> bool:
    """Whether the broker on a loopback port lets a user in (MQTT 3.1.1, nothing is subscribed)."""
    payload = b"".join(
        len(text).to_bytes(2, "big") + text
        for text in (b"", username.encode(), secret.encode())  # client id, user, password
    )
    flags_and_keep_alive = b"\xc2\x00\x0a"  # user, password, clean session; 10 s
    body = b"\x00\x04MQTT\x04" + flags_and_keep_alive + payload
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_PROBE_TIMEOUT_S) as connection:
            connection.sendall(b"\x10" + _remaining_length(len(body)) + body)
            answer = connection.recv(4)
    except OSError:
        return False
    return answer == b"\x20\x02\x00\x00"


def _remaining_length(length: int) -> bytes:
    """MQTT's variable byte integer."""
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)

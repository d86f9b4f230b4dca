# SPDX-License-Identifier: AGPL-3.0-or-later
"""A private mosquitto on loopback, where each device may only touch its own topics."""

import base64
import hashlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.errors import BrokerError, StackNotReadyError
from deploy.local.ports import LOOPBACK, has_listener
from deploy.local.supervision.children import start_child, stop_child
from deploy.setup.places import ServerAccount

INGEST_USERNAME: Final = "ingest"
SECRET_BYTES: Final = 32

_READY_TIMEOUT_S: Final = 20.0
_RELOAD_TIMEOUT_S: Final = 10.0
STOP_TIMEOUT_S: Final = 2.0
_PROBE_TIMEOUT_S: Final = 2.0
_POLL_INTERVAL_S: Final = 0.03
_PRIVATE_MODE: Final = 0o700
_SECRET_MODE: Final = 0o600
# mosquitto's own format: $7$iterations$salt$hash, PBKDF2 with SHA-512. Our secrets are random
# and 256 bits long, so more iterations would only slow every connection down.
_HASH_ITERATIONS: Final = 101
_SALT_BYTES: Final = 12
_MESSAGE_BYTES_MAX: Final = 262_144
_INFLIGHT_MAX: Final = 65_535

_ACL: Final = f"""\
user {INGEST_USERNAME}
topic readwrite lt/#

pattern write lt/1/+/+/%u/passage
pattern write lt/1/+/+/%u/tag-read
pattern write lt/1/+/+/%u/heartbeat
pattern read lt/1/+/+/%u/ack
"""


@dataclass(kw_only=True)
class PrivateBroker:
    """One mosquitto in one folder.

    Attributes:
        folder: Configuration, passwords and persisted messages.
        program: The ``mosquitto`` program.
        port: Loopback port.
        account: Who runs it.
        log_file: Its log.
        pid: Process to signal; set by ``start``, or by the caller for a broker that another
            process has started.
    """

    folder: Path
    program: Path
    port: int
    account: ServerAccount
    log_file: Path
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

    def init(self, *, secrets_by_username: Mapping[str, str]) -> None:
        """Write the configuration, and set the passwords of some users.

        Args:
            secrets_by_username: Users that must be there, with their secrets; others are kept.
        """
        for folder in (self.folder, self.folder / "data"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(_PRIVATE_MODE)
            self._give_to_account(folder)
        self._write("acl", _ACL)
        self._write("mosquitto.conf", self._configuration())
        self._set_secrets(secrets_by_username)

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

    def add_device(self, device_id: str, *, secret: str | None = None) -> str:
        """Let a device in, and wait until the broker knows it.

        Args:
            device_id: Serves as the user name.
            secret: Its secret; ``None`` makes a new one.

        Returns:
            The secret.

        Raises:
            BrokerError: The running broker did not take the new password.
        """
        chosen = new_secret() if secret is None else secret
        self._set_secrets({device_id: chosen})
        if self.pid is not None:
            self._reload(device_id, chosen)
        return chosen

    def _reload(self, username: str, secret: str) -> None:
        if self.pid is None:
            return
        os.kill(self.pid, signal.SIGHUP)
        deadline = time.monotonic() + _RELOAD_TIMEOUT_S
        while not may_connect(port=self.port, username=username, secret=secret):
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"mosquitto did not take the password of {username!r} within"
                    f" {_RELOAD_TIMEOUT_S:.0f} s. Its log: {self.log_file}"
                )
            time.sleep(_POLL_INTERVAL_S)

    def _configuration(self) -> str:
        return f"""\
listener {self.port} {LOOPBACK}
allow_anonymous false
password_file {self.folder / "passwords"}
acl_file {self.folder / "acl"}
persistence true
persistence_location {self.folder / "data"}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages {_INFLIGHT_MAX}
message_size_limit {_MESSAGE_BYTES_MAX}
set_tcp_nodelay true
log_dest stdout
log_type error
log_type warning
log_type notice
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""

    def _set_secrets(self, secrets_by_username: Mapping[str, str]) -> None:
        hashes = dict(self._stored_hashes())
        hashes |= {name: password_hash(secret) for name, secret in secrets_by_username.items()}
        self._write("passwords", "".join(f"{name}:{value}\n" for name, value in hashes.items()))

    def _stored_hashes(self) -> Iterator[tuple[str, str]]:
        path = self.folder / "passwords"
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            name, _, value = line.partition(":")
            yield name, value

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


def password_hash(secret: str) -> str:
    """A secret as mosquitto's password file wants it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _HASH_ITERATIONS)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return "$".join(["", "7", str(_HASH_ITERATIONS), *encoded])


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

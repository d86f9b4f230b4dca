# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which file of a local stack lies where."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from central.documents.types import SigningKey
from deploy.local.names import SOCKET_FOLDER_LENGTH_MAX
from deploy.setup.places import ServerAccount, require_writable, server_account, server_data_folder

_PRIVATE_MODE: Final = 0o700
_SECRET_MODE: Final = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class StackLayout:
    """Folders and files of one local stack.

    Attributes:
        home: State, logs, secrets and evidence; ours.
        server_folder: Data of PostgreSQL and mosquitto; readable by the servers' account.
        account: Who runs the two servers.
    """

    home: Path
    server_folder: Path
    account: ServerAccount

    @property
    def state_file(self) -> Path:
        """What the stack is doing, kept by its supervisor."""
        return self.home / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.home / "supervisor.lock"

    @property
    def logs(self) -> Path:
        """One log per process."""
        return self.home / "logs"

    @property
    def evidence(self) -> Path:
        """The evidence store."""
        return self.home / "evidence"

    @property
    def secrets(self) -> Path:
        """Files with one secret each; readable by us only."""
        return self.home / "secrets"

    @property
    def ingest_secret_file(self) -> Path:
        """Broker password of ingest."""
        return self.secrets / "ingest-broker-password"

    @property
    def control_secret_file(self) -> Path:
        """Broker password of the account that gives accounts to devices."""
        return self.secrets / "control-broker-password"

    @property
    def relatives_key_file(self) -> Path:
        """Secret under which plates of officials' relatives are hashed."""
        return self.secrets / "relatives-key"

    @property
    def webhook_key_file(self) -> Path:
        """Secret from which the secrets of webhooks are made."""
        return self.secrets / "webhook-key"

    @property
    def second_factor_key_file(self) -> Path:
        """Secret under which secrets of second factors are sealed."""
        return self.secrets / "second-factor-key"

    @property
    def signing_key(self) -> SigningKey:
        """The development key that papers are signed with, and its certificates."""
        return SigningKey(
            key_file=self.secrets / "document-signing-key.pem",
            certificate_file=self.secrets / "document-signing-certificate.pem",
            ca_file=self.secrets / "document-authority.pem",
        )

    @property
    def cluster_data(self) -> Path:
        """PostgreSQL's data."""
        return self.server_folder / "pg"

    @property
    def broker_folder(self) -> Path:
        """Configuration and messages of mosquitto."""
        return self.server_folder / "broker"

    @property
    def socket_folder(self) -> Path:
        """Folder of PostgreSQL's unix socket; the same at every start."""
        usual = self.server_folder / "run"
        if len(str(usual)) <= SOCKET_FOLDER_LENGTH_MAX:
            return usual
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"luuthong-{os.geteuid()}-{digest}"

    def log_file(self, service: str) -> Path:
        """Log of one process."""
        return self.logs / f"{service}.log"

    def make_folders(self) -> None:
        """Make every folder that is ours.

        Raises:
            PlaceNotUsableError: One of them is not writable.
        """
        require_writable(self.home, setting="LUUTHONG_HOME")
        for folder in (self.logs, self.evidence, self.secrets):
            require_writable(folder, setting="LUUTHONG_HOME")
        # Pictures of people's vehicles, and who did what when.
        for folder in (self.secrets, self.evidence, self.logs):
            folder.chmod(_PRIVATE_MODE)
        require_writable(self.server_folder, setting="LUUTHONG_HOME")


def layout_of(home: Path) -> StackLayout:
    """Layout of the stack of one home, for the account that runs this process."""
    return StackLayout(home=home, server_folder=server_data_folder(home), account=server_account())


def write_secret(path: Path, secret: str) -> None:
    """Keep a secret in a file that only we can read; replaced at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=_SECRET_MODE)
    fresh.write_text(f"{secret}\n", encoding="utf-8")
    fresh.replace(path)

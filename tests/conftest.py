# SPDX-License-Identifier: AGPL-3.0-or-later
"""Real servers for the tests: one PostgreSQL and one mosquitto per run, a database per test.

The migrated database is made once per run as a template; a copy of it takes a fraction of a
second. Both servers are bound to the test process by the kernel: they end with it.
"""

import gc
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from central.devices.broker_accounts import BrokerControlAccess
from central.devices.broker_rights import INGEST_USERNAME
from deploy.local.broker import PrivateBroker, new_secret
from deploy.local.names import SERVICE_USER
from deploy.local.ports import free_port
from deploy.local.postgres import THROW_AWAY_SETTINGS, LoopbackAccess, PrivateCluster
from deploy.setup.chromium import find_chromium
from deploy.setup.components import Servers, ensure_servers
from deploy.setup.places import PROJECT_FOLDER, is_reachable, server_account
from deploy.setup.progress import SilentReporter

_TEMPLATE: Final = "luuthong_template"
_FIRST_TIME_TIMEOUT_S: Final = 1200
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
_MEMORY_FREE_BYTES: Final = 6 * 1024**3


LONGEST_FIRST: Final = ("system", "vision", "integration")
"""Folders whose files take longest: begun last, one of them would run alone at the end."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage only afterwards: each look goes through every module and test so far."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_configure() -> None:
    """Hear Ctrl-C, and let what the tests start hear it, though a shell began them in its back."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first, where several processes share them."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    """Place of a test's folder."""
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def temporary_place() -> Path:
    """Where servers of the tests keep their data: in memory if there is room, as each test makes a
    database of two thousand small files. Their account may enter it."""
    account = server_account()
    if is_reachable(_MEMORY, account) and shutil.disk_usage(_MEMORY).free >= _MEMORY_FREE_BYTES:
        return _MEMORY
    usual = Path(tempfile.gettempdir())
    return usual if is_reachable(usual, account) else Path("/tmp")  # noqa: S108


def copy_database(cluster: PrivateCluster, template: str, *, name: str) -> None:
    """Make a database as a copy of another, file by file: in memory that is quicker than by log."""
    with closing(psycopg.connect(cluster.dsn("postgres"), autocommit=True)) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


class BrokerForTests:
    """The run's broker, and the secrets of everybody who may use it."""

    def __init__(self, broker: PrivateBroker, secrets_by_username: dict[str, str]) -> None:
        self._broker = broker
        self._secrets_by_username = secrets_by_username

    @property
    def host(self) -> str:
        return self._broker.host

    @property
    def port(self) -> int:
        return self._broker.port

    def password(self, username: str) -> str:
        return self._secrets_by_username[username]

    @property
    def control_access(self) -> BrokerControlAccess:
        return self._broker.control_access

    def add_device(self, device_id: str) -> str:
        self._secrets_by_username[device_id] = self._broker.add_device(device_id)
        return self._secrets_by_username[device_id]


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Argon2id at its lowest cost: hundreds of tests sign in, and one holds the real cost."""
    passwords = import_module("central.identity.passwords")
    quick = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: quick)
        yield


@pytest.fixture(scope="session", autouse=True)
def authorities_read_once() -> Iterator[None]:
    """Each HTTP client reads all authorities of the web for 30 ms; thousands of clients are made.

    Who names authorities of its own makes a context of its own, which is left alone.
    """
    transports = import_module("httpx._transports.default")
    with pytest.MonkeyPatch.context() as patch:
        once = lru_cache(maxsize=1)(transports.create_ssl_context)
        patch.setattr(transports, "create_ssl_context", once)
        yield


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command that ran in this process has set logging up; the next test has it anew."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Pictures and videos that lie beside the project and are not part of it."""
    folder = PROJECT_FOLDER.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real pictures are not here: ../shared/data is missing")
    return folder


@pytest.fixture(scope="session")
def servers() -> Servers:
    """PostgreSQL and mosquitto; the first run on a machine downloads them."""
    return ensure_servers(SilentReporter(), now=datetime.now(UTC))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A browser that starts; ``./luuthong test`` installs one."""
    browser = find_chromium()
    if browser is None:
        pytest.skip("no Chromium on this machine; ./luuthong test installs one")
    return browser.program


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A short folder, which the servers' account may enter."""
    folder = Path(tempfile.mkdtemp(prefix="lt-", dir=temporary_place()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(servers: Servers, server_folder: Path) -> Iterator[PrivateCluster]:
    """A running PostgreSQL with TimescaleDB whose data are thrown away."""
    private = PrivateCluster(
        data_folder=server_folder / "pg",
        binaries=servers.postgres_bin,
        socket_folder=server_folder / "run",
        port=free_port(),
        account=server_account(),
        log_file=server_folder / "postgres.log",
        settings=THROW_AWAY_SETTINGS,
        loopback_access=LoopbackAccess.ANYBODY,
    )
    private.init()
    private.start()
    yield private
    private.stop()


@pytest.fixture(scope="session")
def database_template(cluster: PrivateCluster) -> str:
    """Name of a database with every migration applied."""
    cluster.ensure_database(_TEMPLATE)
    # Imported here: a test of a device needs no central code, and fails only when it asks for it.
    migrate = import_module("central.db.migrate")
    migrate.apply_migrations(cluster.dsn(_TEMPLATE))
    return _TEMPLATE


@pytest.fixture
def database_url(cluster: PrivateCluster, owner_url: str) -> str:
    """Address of a fresh migrated database for the account that the services work as."""
    return cluster.dsn(str(conninfo_to_dict(owner_url)["dbname"]), user=SERVICE_USER)


@pytest.fixture
def owner_url(cluster: PrivateCluster, database_template: str) -> Iterator[str]:
    """The same database for its owner, who may do anything; dropped after the test."""
    name = f"test_{uuid4().hex}"
    copy_database(cluster, database_template, name=name)
    yield cluster.dsn(name)
    with closing(psycopg.connect(cluster.dsn("postgres"), autocommit=True)) as admin:
        admin.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


@pytest.fixture(scope="session")
def rolled_back_database(cluster: PrivateCluster, database_template: str) -> str:
    """Address of one migrated database for all tests that roll their work back.

    Work is done as the account of the services.
    """
    name = "rolled_back"
    copy_database(cluster, database_template, name=name)
    return cluster.dsn(name, user=SERVICE_USER)


@pytest.fixture
async def connection(rolled_back_database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """A connection whose work is rolled back after the test."""
    opened = await psycopg.AsyncConnection.connect(rolled_back_database)
    try:
        yield opened
        await opened.rollback()
    finally:
        await opened.close()


@pytest.fixture
def sync_connection(rolled_back_database: str) -> Iterator[psycopg.Connection]:
    """A connection whose work is rolled back after the test."""
    with closing(psycopg.connect(rolled_back_database)) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="session")
def broker(servers: Servers, server_folder: Path) -> Iterator[BrokerForTests]:
    """A running mosquitto with the product's access rules."""
    secrets_by_username = {INGEST_USERNAME: new_secret()}
    private = PrivateBroker(
        folder=server_folder / "broker",
        program=servers.mosquitto,
        plugin=servers.dynamic_security,
        port=free_port(),
        account=server_account(),
        log_file=server_folder / "mosquitto.log",
        control_secret=new_secret(),
    )
    private.init(ingest_secret=secrets_by_username[INGEST_USERNAME])
    private.start()
    yield BrokerForTests(private, secrets_by_username)
    private.stop()

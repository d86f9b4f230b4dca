# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names that the parts of a local stack share; importing them brings no library."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

DATABASE: Final = "luuthong"
SUPERUSER: Final = "luuthong"
SERVICE_USER: Final = "luuthong_app"
"""The services' account, made by a migration; it may not change what only grows."""
# The longest path of a unix socket is 107 bytes; PostgreSQL adds "/.s.PGSQL.65535".
SOCKET_FOLDER_LENGTH_MAX: Final = 90

POSTGRES: Final = "postgres"
BROKER: Final = "broker"
API: Final = "api"
INGEST: Final = "ingest"
JOBS: Final = "jobs"
SERVICE_NAMES: Final = (POSTGRES, BROKER, API, INGEST, JOBS)
SUPERVISOR: Final = "supervisor"


def socket_url(database: str, *, folder: Path, port: int, user: str = SUPERUSER) -> str:
    """Address of a database over a unix socket; the folder may hold any character."""
    return f"postgresql://{user}@/{database}?host={quote(str(folder))}&port={port}"

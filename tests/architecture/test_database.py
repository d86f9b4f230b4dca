# SPDX-License-Identifier: AGPL-3.0-or-later
import re
from pathlib import Path

import psycopg

from central.db.queries import all_query_files, prepare_all_queries

ROOT = Path(__file__).resolve().parents[2]
SQL_IN_CODE = re.compile(
    r"[\"'](?:\s*)(?:SELECT\s.+\sFROM|INSERT INTO|UPDATE\s\w+\sSET|DELETE FROM)\s", re.IGNORECASE
)


def test_every_query_is_accepted_by_the_migrated_schema(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        prepared = prepare_all_queries(connection)

    assert prepared == sum(len(file) for file in all_query_files())
    assert prepared > 20


def test_the_api_holds_no_sql() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "api").rglob("*.py")
        if SQL_IN_CODE.search(path.read_text("utf-8"))
    ]

    assert found == []

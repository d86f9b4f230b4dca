# SPDX-License-Identifier: AGPL-3.0-or-later
import pytest

from central.db.queries import all_query_files, parse_queries
from central.errors import QueryFileError

TEXT = """\
-- SPDX-License-Identifier: AGPL-3.0-or-later

-- name: first_one
-- What it is for,
-- in two lines.
SELECT %(b)s, %(a)s, %(b)s, 'x%%';

-- name: second_one
-- Another.
SELECT 1;
"""


def test_queries_have_a_name_a_description_and_a_text() -> None:
    first, second = parse_queries(TEXT)

    assert (first.name, second.name) == ("first_one", "second_one")
    assert first.description == "What it is for, in two lines."
    assert first.parameters == ("b", "a")
    assert first.numbered_text == "SELECT $1, $2, $1, 'x%';"


@pytest.mark.parametrize(
    "text",
    [
        "-- name: nameless_text\nSELECT 1;",
        "-- name: no_text\n-- Says something.",
        "SELECT 1;\n-- name: late\n-- Says something.\nSELECT 1;",
        "-- name: twice\n-- A.\nSELECT 1;\n-- name: twice\n-- B.\nSELECT 2;",
    ],
)
def test_a_file_that_breaks_the_rules_is_refused(text: str) -> None:
    with pytest.raises(QueryFileError):
        parse_queries(text)


def test_every_query_file_of_the_centre_is_found() -> None:
    folders = {file.path.parent.name for file in all_query_files()}

    assert folders >= {"db", "sites", "passages", "evidence", "identity", "ingest"}

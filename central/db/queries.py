# SPDX-License-Identifier: AGPL-3.0-or-later
"""Named queries: SQL lives in ``queries.sql`` beside the code that runs it.

A file is a row of queries, each opened by ``-- name: some_name`` and at least one line
of comment that says what it is for. A feature reads its file with ``QueryFile.beside(__file__)``;
the text is loaded at the first use and kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from psycopg import Connection, sql

from central.errors import QueryFileError

FILE_NAME: Final = "queries.sql"
SESSION_FILE_NAME: Final = "session.sql"
"""Statements that a connection needs before the folder's queries: temporary tables."""

_NAME_LINE: Final = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$")
_PARAMETER: Final = re.compile(r"%\(([a-z][a-z0-9_]*)\)s")
_CENTRAL_FOLDER: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """One query of a file."""

    name: str
    description: str
    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the bound parameters, each once, in order of appearance."""
        return tuple(dict.fromkeys(_PARAMETER.findall(self.text)))

    @property
    def numbered_text(self) -> str:
        """The query with ``$1``, ``$2`` … in place of the named parameters, as PREPARE wants it."""
        positions = {name: place for place, name in enumerate(self.parameters, start=1)}
        return _PARAMETER.sub(lambda found: f"${positions[found[1]]}", self.text).replace("%%", "%")


class QueryFile(Mapping[str, str]):
    """The queries of one file by name; read at the first use."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, module_file: str) -> Self:
        """The ``queries.sql`` in the folder of a module, given its ``__file__``."""
        return cls(Path(module_file).resolve().with_name(FILE_NAME))

    @cached_property
    def queries(self) -> Mapping[str, NamedQuery]:
        """Every query with its description, in the order of the file."""
        return {query.name: query for query in parse_queries(self.path.read_text("utf-8"))}

    def __getitem__(self, name: str) -> str:
        return self.queries[name].text

    def __iter__(self) -> Iterator[str]:
        return iter(self.queries)

    def __len__(self) -> int:
        return len(self.queries)


def parse_queries(text: str) -> tuple[NamedQuery, ...]:
    """Split a file into its queries.

    Raises:
        QueryFileError: A query has no name, no description or no text, or a name comes twice.
    """
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if found := _NAME_LINE.match(line):
            blocks.append((found[1], []))
        elif blocks:
            blocks[-1][1].append(line)
        elif line.strip() and not line.startswith("--"):
            raise QueryFileError("a query stands before the first name")
    names = [name for name, _ in blocks]
    if len(set(names)) != len(names):
        raise QueryFileError("a query name comes twice")
    return tuple(_query(name, lines) for name, lines in blocks)


def all_query_files(folder: Path = _CENTRAL_FOLDER) -> tuple[QueryFile, ...]:
    """Every ``queries.sql`` below a folder, by path."""
    return tuple(QueryFile(path) for path in sorted(folder.rglob(FILE_NAME)))


def prepare_all_queries(connection: Connection) -> int:
    """Have the database parse and plan every query of the centre, and return how many there are.

    Raises:
        QueryFileError: The database refuses a query; names the file and the query.
    """
    count = 0
    for file in all_query_files():
        session_file = file.path.with_name(SESSION_FILE_NAME)
        if session_file.exists():
            connection.execute(session_file.read_text("utf-8"))
        for query in file.queries.values():
            _prepare(connection, file, query)
            count += 1
    return count


def _prepare(connection: Connection, file: QueryFile, query: NamedQuery) -> None:
    """Prepare one query and forget it again."""
    statement = sql.Identifier(f"check_{query.name}")
    try:
        connection.execute(
            sql.SQL("PREPARE {} AS {}").format(statement, sql.SQL(query.numbered_text))
        )
        connection.execute(sql.SQL("DEALLOCATE {}").format(statement))
    except Exception as error:
        raise QueryFileError(f"{file.path.parent.name}: {query.name}: {error}") from error


def _query(name: str, lines: list[str]) -> NamedQuery:
    """One query from the lines after its name."""
    comments = 0
    while comments < len(lines) and lines[comments].startswith("--"):
        comments += 1
    description = " ".join(line.removeprefix("--").strip() for line in lines[:comments]).strip()
    text = "\n".join(lines[comments:]).strip()
    if not description or not text:
        raise QueryFileError(f"query {name} needs a description and a text")
    return NamedQuery(name=name, description=description, text=text)

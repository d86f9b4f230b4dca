# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page about the toll's files says what the code reads."""

import re

import pytest

from central.tolling.day import provider_file
from central.tolling.setup.parsing import COLUMNS
from central.tolling.setup.types import SetupKind
from deploy.setup.places import PROJECT_FOLDER

PAGE = (PROJECT_FOLDER / "deploy" / "docs" / "toll-files.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", SetupKind)
def test_the_page_names_every_column_and_says_which_are_required(kind: SetupKind) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {kind} |"))
    told = {name.strip("*"): name.startswith("*") for name in _names(row)}

    assert told == {column.name: column.is_required for column in COLUMNS[kind]}


def test_the_page_names_the_columns_of_a_providers_file() -> None:
    assert ",".join(provider_file.COLUMNS) in PAGE


def _names(row: str) -> list[str]:
    """Columns that a row of the table names, without what stands in brackets."""
    plain = re.sub(r"\([^)]*\)", "", row.split("|")[2])
    return [name.strip() for name in plain.split(",")]

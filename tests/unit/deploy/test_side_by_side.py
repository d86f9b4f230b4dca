# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the tests are shared between processes."""

import pytest

from deploy.local.commands.upkeep import (
    BY_FILE,
    TEST_PROCESSES_MAX,
    keeping_bytecode,
    side_by_side,
)


@pytest.mark.parametrize(
    ("processors", "shared"),
    [(1, ()), (2, ("-n", "3", *BY_FILE)), (64, ("-n", "4", *BY_FILE))],
)
def test_files_are_run_side_by_side_where_there_are_processors(
    processors: int, shared: tuple[str, ...]
) -> None:
    assert side_by_side(["tests/unit", "-k", "plate"], processors=processors) == shared
    assert TEST_PROCESSES_MAX == 4


@pytest.mark.parametrize("told", ["-n1", "-n", "--numprocesses=1", "--pdb"])
def test_who_says_how_to_share_the_work_is_obeyed(told: str) -> None:
    assert side_by_side([told], processors=2) == ()


def test_what_a_test_compiles_is_kept_though_the_machine_says_not_to() -> None:
    told = {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "vi_VN.UTF-8"}

    assert keeping_bytecode(told) == {"LANG": "vi_VN.UTF-8"}

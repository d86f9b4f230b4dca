# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a feature defers, the worker knows by that name."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import central
from central.jobs.tasks import PERIODIC, TASKS

FOLDER = Path(central.__file__).parent


def _deferred_names() -> Iterator[str]:
    """Names of tasks in ``Job(task=…)``, written there or as a constant of the module."""
    for path in sorted(FOLDER.rglob("*.py")):
        text = path.read_text("utf-8")
        if "Job(" not in text:
            continue
        module = import_module(".".join(path.relative_to(FOLDER.parent).with_suffix("").parts))
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Job"):
                continue
            for keyword in node.keywords:
                if keyword.arg == "task" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)
                elif keyword.arg == "task" and isinstance(keyword.value, ast.Name):
                    yield from _constants(module, keyword.value.id)


def _constants(module: object, name: str) -> Iterator[str]:
    """A module's constant; nothing for a name that has its value only while running."""
    value = getattr(module, name, None)
    if isinstance(value, str):
        yield value


def test_every_task_that_is_deferred_is_known_to_the_worker() -> None:
    names = set(_deferred_names())

    assert names
    assert names <= set(TASKS)


def test_no_periodic_work_has_the_name_of_another_task() -> None:
    names = [each.name for each in PERIODIC]

    assert len(set(names)) == len(names)
    assert not set(names) & set(TASKS)

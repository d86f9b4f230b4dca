# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every act that the sources write into the audit log, and every kind of subject, has words.

Acts are found in the sources themselves, so that a new one without words fails here. What can't be
read from a source without running it stands in ``MADE_WHILE_RUNNING`` with all its values.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from api.console.audit.labels import words
from api.console.parts import CATALOGUE_FOLDER
from api.pages.i18n import Language, read_catalogue
from central.documents.types import SubjectKind
from central.identity.permissions import Permission, Role
from central.identity.types import UserState
from central.procedures.types import ActionName

ROOT = Path(__file__).parents[3]
PARTS = ("central", "api")
ENTRY = "AuditEntry"
FROM_ROWS = ROOT / "central/audit/rows.py"
MADE_WHILE_RUNNING: Mapping[str, frozenset[str]] = {
    "f'dossier_{case.rule.action.value}'": frozenset(f"dossier_{each}" for each in ActionName),
    "f'user_{state.value}'": frozenset(f"user_{each}" for each in UserState),
    "SubjectKind.DOSSIER": frozenset({SubjectKind.DOSSIER.value}),
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A module, with the values of its constants."""

    path: Path
    tree: ast.Module
    constants: Mapping[str, str]


def test_every_act_has_words() -> None:
    found = written("action")

    assert len(found) > 30
    assert found - set(words(str)["audit_actions"]) == set()


def test_every_kind_of_subject_has_words() -> None:
    found = written("subject_kind")

    assert len(found) > 10
    assert found - set(words(str)["audit_subjects"]) == set()


def test_no_words_are_left_of_acts_and_subjects_that_are_gone() -> None:
    assert set(words(str)["audit_actions"]) - written("action") == set()
    assert set(words(str)["audit_subjects"]) - written("subject_kind") == set()


def test_every_role_and_permission_has_words() -> None:
    assert set(words(str)["roles"]) == set(Role)
    assert set(words(str)["audit_permissions"]) == set(Permission)


@pytest.mark.parametrize("language", list(Language))
def test_the_words_of_the_acts_differ_from_each_other(language: Language) -> None:
    catalogue = read_catalogue(CATALOGUE_FOLDER, language)

    texts = [str(catalogue[each].string) for each in words(str)["audit_actions"].values()]

    assert sorted(texts) == sorted(set(texts))


def written(name: str) -> set[str]:
    """Every value of an argument with which the sources make entries of the log."""
    found: set[str] = set()
    for source in sources():
        if source.path == FROM_ROWS:  # reads entries back
            continue
        for function in functions(source.tree):
            for call in calls(function, ENTRY):
                value = argument(call, name, place=None)
                assert value is not None, f"{source.path}: an entry without {name}"
                found |= values(value, source, function)
    return found


def values(value: ast.expr, source: Source, function: ast.AST) -> set[str]:
    """What an expression can be, read from the sources.

    A parameter is what the function's callers give for it.
    """
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return {value.value}
    text = ast.unparse(value)
    if text in MADE_WHILE_RUNNING:
        return set(MADE_WHILE_RUNNING[text])
    if isinstance(value, ast.Name) and value.id in source.constants:
        return {source.constants[value.id]}
    assert isinstance(value, ast.Name), f"{source.path}: can't tell what {text} is"
    found = of_callers(value.id, source, function)
    assert found, f"{source.path}: nobody gives {text} to the function that writes it"
    return found


def of_callers(name: str, source: Source, function: ast.AST) -> set[str]:
    """What callers in the same folder give for a parameter, or for a part of one."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    part = None
    for each in ast.walk(function):  # "subject_kind, subject_id = subject"
        if (
            isinstance(each, ast.Assign)
            and isinstance(each.targets[0], ast.Tuple)
            and isinstance(each.value, ast.Name)
        ):
            names = [ast.unparse(target) for target in each.targets[0].elts]
            if name in names:
                name, part = each.value.id, names.index(name)
    positional = [each.arg for each in function.args.args if each.arg != "self"]
    place = positional.index(name) if name in positional else None
    found: set[str] = set()
    for other in sources():
        if other.path.parent != source.path.parent:
            continue
        for caller in functions(other.tree):
            for call in calls(caller, function.name):
                given = argument(call, name, place=place)
                if given is None:
                    continue
                for each in parts(given, caller, part):
                    found |= values(each, other, caller)
    return found


def parts(given: ast.expr, caller: ast.AST, part: int | None) -> list[ast.expr]:
    """The part of a pair, wherever the caller makes the pair."""
    if part is None:
        return [given]
    if isinstance(given, ast.Tuple):
        return [given.elts[part]]
    assert isinstance(given, ast.Name), ast.unparse(given)
    return [
        each.value.elts[part]
        for each in ast.walk(caller)
        if isinstance(each, ast.Assign)
        and ast.unparse(each.targets[0]) == given.id
        and isinstance(each.value, ast.Tuple)
    ]


def argument(call: ast.Call, name: str, *, place: int | None) -> ast.expr | None:
    """An argument of a call, by name or by place."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[place] if place is not None and place < len(call.args) else None


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """Calls of a function or a method."""
    for each in ast.walk(tree):
        if isinstance(each, ast.Call) and ast.unparse(each.func).rsplit(".", 1)[-1] == name:
            yield each


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    for each in ast.walk(tree):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each


@cache
def sources() -> Sequence[Source]:
    """Every module that may write into the log."""
    return [
        Source(path=path, tree=tree, constants=constants(tree))
        for part in PARTS
        for path in sorted((ROOT / part).rglob("*.py"))
        if "node_modules" not in path.parts
        for tree in [ast.parse(path.read_text(encoding="utf-8"))]
    ]


def constants(tree: ast.Module) -> Mapping[str, str]:
    """The texts among a module's constants."""
    return {
        ast.unparse(target): each.value.value
        for each in tree.body
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        if isinstance(each.value, ast.Constant) and isinstance(each.value.value, str)
    }

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Procedures as data: the built-in ones are sound, and every fault of a file is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from central.identity.permissions import Permission
from central.procedures.errors import InvalidRequestError, ProcedureFileError
from central.procedures.rulebook.checking import (
    DEFINITIONS,
    parse_procedure,
    procedure_files,
    read_procedure,
)
from central.procedures.types import ActionName, DossierState

BADGE = DEFINITIONS / "badge" / "v1.yaml"
LAOS = DEFINITIONS / "laos-permit" / "v1.yaml"

Tree = dict[str, Any]


def badge() -> Tree:
    tree: Tree = yaml.load(BADGE.read_text("utf-8"), Loader=yaml.BaseLoader)
    return tree


def written(folder: Path, tree: Tree, *, name: str = "badge/v1.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", procedure_files(), ids=lambda path: path.parent.name)
def test_every_built_in_procedure_is_sound(path: Path) -> None:
    procedure = read_procedure(path).procedure

    assert procedure.days.value == 2
    assert procedure.state(DossierState.RECEIVED).name.vi


def test_deciding_is_for_who_may_decide() -> None:
    procedure = read_procedure(BADGE).procedure

    deciding = {
        each.action for each in procedure.actions if each.permission is Permission.DECIDE_DOSSIERS
    }
    assert deciding == {ActionName.APPROVE, ActionName.REJECT}


def test_order_and_layout_of_a_file_do_not_change_its_hash(tmp_path: Path) -> None:
    rearranged = dict(reversed(badge().items()))

    assert read_procedure(written(tmp_path, rearranged)).sha256 == read_procedure(BADGE).sha256


def _without_way_out(tree: Tree) -> None:
    tree["actions"] = [
        each
        for each in tree["actions"]
        if each["action"] not in {"receive_supplement", "withdraw", "reject", "hand_over"}
    ]
    tree["states"] = [
        each
        for each in tree["states"]
        if each["state"] not in {"withdrawn", "rejected", "returned"}
    ]


def _set(place: str, value: object) -> Callable[[Tree], None]:
    """Put a value at a place such as ``actions.0.to_state``."""

    def change(tree: Tree) -> None:
        *way, last = place.split(".")
        node: Any = tree
        for step in way:
            node = node[int(step)] if step.isdigit() else node[step]
        node[int(last) if last.isdigit() else last] = value

    return change


FAULTS: list[tuple[Callable[[Tree], None], str]] = [
    (_set("actions.3.guards.0.guard", "no_such"), "there is no guard no_such"),
    (_set("actions.0.issues", ["09"]), "there is no form 09"),
    (_set("actions.3.from_states", []), "only take_in begins without a state"),
    (_set("actions.0.to_state", "approved"), "take_in must lead to received"),
    (_set("actions.3.from_states", ["approved"]), "state approved can't be reached"),
    (_set("states.0.clock", "stands"), "state received: its clock can't be stands"),
    (_set("states.5.state", "withdrawn"), "state withdrawn stands twice"),
    (_set("states.5.state", "withdrawn"), "state returned is used and not described"),
    (_without_way_out, "state supplement_requested has no way to an end"),
    (_set("papers.1.paper", "request_form"), "paper request_form stands twice"),
    (_set("papers.0.paper", "Giấy đề nghị"), "is no name of a paper"),
    (_set("papers.0.forms", []), "is accepted in no form"),
    (_set("request.1.max", "9"), "a badge goods holds 1 to 7 years"),
    (_set("request.1.min", "8"), "needs choices, or min and max"),
    (_set("request.0.choices.0.value", "container"), "the law issues no badge of kind container"),
    (_set("result.number.value", "PH"), "must hold {code}"),
    (_set("needs_vehicle", "false"), "a badge needs a vehicle"),
    (_set("days.value", "0"), "days must be positive"),
    (_set("valid_until", "2024-01-01"), "valid_until must come after valid_from"),
    (_set("channels", []), "at least one channel"),
    (_set("version", "2"), "must stand in its own file"),
    (_set("id", "other"), "must stand in its own file"),
    # What is of the wrong kind is named with its place.
    (_set("valid_from", "2025-13-01"), "valid_from:"),
    (_set("actions.3.permission", "everything"), "actions.3.permission:"),
    (_set("papers.0.required", "sometimes"), "papers.0.required:"),
    (_set("surplus", "1"), "surplus:"),
    (_set("papers.0.surplus", "1"), "papers.0.surplus:"),
    (_set("name", {"vi": "Cấp phù hiệu"}), "name.en:"),
]


PERMIT_FAULTS: list[tuple[Callable[[Tree], None], str]] = [
    (_set("needs_vehicle", "false"), "a permit needs a vehicle"),
    (_set("request.1.field", "days"), "the fields use and trip_days"),
    (_set("request.1.max", "31"), "a trip with a permit laos_contract has 30 days at most"),
    (_set("request.1.min", "0"), "at least one"),
    (_set("request.0.choices.0.value", "mission"), "one line for each use"),
    (_set("result.permits.0.use", "contract"), "one line for each use"),
    (_set("result.permits.0.permit_kind", "laos_any"), "the law has no permit laos_any"),
    (_set("result.permits.0.term", "for_ever"), "result.permits.0.term:"),
]


@pytest.mark.parametrize(
    ("change", "problem"), PERMIT_FAULTS, ids=[problem for _, problem in PERMIT_FAULTS]
)
def test_a_fault_of_a_permit_is_named(
    tmp_path: Path, change: Callable[[Tree], None], problem: str
) -> None:
    tree: Tree = yaml.load(LAOS.read_text("utf-8"), Loader=yaml.BaseLoader)
    change(tree)

    with pytest.raises(ProcedureFileError) as caught:
        read_procedure(written(tmp_path, tree, name="laos-permit/v1.yaml"))

    assert any(problem in each for each in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(("change", "problem"), FAULTS, ids=[problem for _, problem in FAULTS])
def test_a_fault_of_a_file_is_named(
    tmp_path: Path, change: Callable[[Tree], None], problem: str
) -> None:
    tree = badge()
    change(tree)

    with pytest.raises(ProcedureFileError) as caught:
        read_procedure(written(tmp_path, tree))

    assert any(problem in each for each in caught.value.problems), caught.value.problems
    assert caught.value.file_name == "badge/v1.yaml"


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    tree = badge()
    _set("papers.0.forms", [])(tree)
    _set("actions.0.issues", ["09"])(tree)

    with pytest.raises(ProcedureFileError) as caught:
        read_procedure(written(tmp_path, tree))

    assert len(caught.value.problems) == 2


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    path.write_text("id: [", encoding="utf-8")

    with pytest.raises(ProcedureFileError, match="is not YAML"):
        read_procedure(path)


def test_a_procedure_reads_the_same_from_the_database() -> None:
    read = read_procedure(BADGE)

    assert parse_procedure(read.tree, file_name="row") == read.procedure


@pytest.mark.parametrize("value", [0, 8, "3", True])
def test_a_number_outside_its_bounds_is_refused(value: object) -> None:
    years = next(each for each in read_procedure(BADGE).procedure.request if each.is_number)

    with pytest.raises(InvalidRequestError):
        years.check(value)  # type: ignore[arg-type]  # what a form may send

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads a procedure from its file and finds every fault in it before it is loaded."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from pydantic import TypeAdapter, ValidationError

from central.domain.badges import badge_kind, badge_kinds
from central.domain.permits import permit_kind, permit_kinds
from central.procedures.errors import ProcedureFileError
from central.procedures.rulebook.definition import (
    NUMBER_CODE,
    ClockState,
    Procedure,
    RequestField,
    ResultKind,
)
from central.procedures.rulebook.guards import GUARDS, KIND_FIELD, YEARS_FIELD
from central.procedures.rulebook.permits import TRIP_FIELD, USE_FIELD
from central.procedures.types import ActionName, DossierState

DEFINITIONS: Final = Path(__file__).parents[1] / "definitions"
FORMS: Final = frozenset({"01", "02", "03", "04", "05", "06", "07"})
"""Numbers of the forms in TT 03/2025/TT-VPCP, Annex I."""

_ID: Final = re.compile(r"[a-z][a-z0-9-]{2,59}")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{2,59}")
_FILE: Final = re.compile(r"v([1-9][0-9]{0,3})\.yaml")
_CLOCKS: Final[Mapping[DossierState, ClockState]] = {
    DossierState.RECEIVED: ClockState.RUNS,
    DossierState.SUPPLEMENT_REQUESTED: ClockState.STANDS,
}
"""What the clock does in a state that is not an end; the database holds dossiers to the same."""

_PROCEDURE: Final = TypeAdapter(Procedure)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProcedure:
    """A procedure with its text as data, as it is kept.

    Attributes:
        tree: What stands in the file, every scalar as text; comments are no part of it.
        sha256: Hash of the tree in a form that does not depend on order or layout.
    """

    procedure: Procedure
    tree: Mapping[str, object]
    sha256: bytes


def procedure_files(folder: Path = DEFINITIONS) -> tuple[Path, ...]:
    """Files of every version of every procedure, in order."""
    files = [path for path in folder.glob("*/v*.yaml") if _FILE.fullmatch(path.name)]
    return tuple(sorted(files, key=lambda path: (path.parent.name, _version(path))))


def read_procedure(path: Path) -> ReadProcedure:
    """Read and check one file.

    Raises:
        ProcedureFileError: The file is wrong; names every problem.
    """
    name = f"{path.parent.name}/{path.name}"
    try:
        # Every scalar stays text, so that a wrong date is found by the check and named.
        tree = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ProcedureFileError(name, ["is not YAML"]) from error
    procedure = parse_procedure(tree, file_name=name)
    problems = list(faults(procedure))
    if procedure.id != path.parent.name or procedure.version != _version(path):
        problems.append(f"{procedure.id} version {procedure.version} must stand in its own file")
    if problems:
        raise ProcedureFileError(name, problems)
    return ReadProcedure(procedure=procedure, tree=tree, sha256=tree_sha256(tree))


def parse_procedure(tree: object, *, file_name: str) -> Procedure:
    """A procedure from data as they stand in a file or in the database.

    Raises:
        ProcedureFileError: A part is missing, unknown or of the wrong kind.
    """
    try:
        return _PROCEDURE.validate_python(tree)
    except ValidationError as error:
        raise ProcedureFileError(
            file_name,
            [
                f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)
            ],
        ) from error


def tree_sha256(tree: object) -> bytes:
    """Hash of data, whatever the order of their keys."""
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).digest()


def faults(procedure: Procedure) -> Iterator[str]:
    """Everything about a procedure that could not work, one sentence each."""
    yield from _faults_of_names(procedure)
    yield from _faults_of_states(procedure)
    yield from _faults_of_actions(procedure)
    yield from _faults_of_papers(procedure)
    for field in procedure.request:
        yield from _faults_of_field(field)
    yield from _faults_of_result(procedure)


def _faults_of_names(procedure: Procedure) -> Iterator[str]:
    if _ID.fullmatch(procedure.id) is None:
        yield f"{procedure.id!r} is no name of a procedure"
    if procedure.valid_until is not None and procedure.valid_until <= procedure.valid_from:
        yield "valid_until must come after valid_from"
    if procedure.days.value < 1 or procedure.fee_dong.value < 0:
        yield "days must be positive and the fee must not be negative"
    if not procedure.channels:
        yield "a procedure has at least one channel"
    lists: Sequence[tuple[str, Iterable[Hashable]]] = (
        ("state", (each.state for each in procedure.states)),
        ("action", (each.action for each in procedure.actions)),
        ("paper", (each.paper for each in procedure.papers)),
        ("field", (each.field for each in procedure.request)),
    )
    for what, names in lists:
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{what} {name} stands twice"


def _faults_of_states(procedure: Procedure) -> Iterator[str]:
    known = {each.state for each in procedure.states}
    for rule in procedure.states:
        if rule.clock is not _CLOCKS.get(rule.state, ClockState.ENDED):
            yield f"state {rule.state}: its clock can't be {rule.clock!s}"
    used = {each.to_state for each in procedure.actions}
    used |= {state for each in procedure.actions for state in each.from_states}
    for state in sorted(used - known):
        yield f"state {state} is used and not described"
    first = procedure.action(ActionName.TAKE_IN)
    if first is None:
        yield "there is no action take_in"
        return
    if first.to_state is not DossierState.RECEIVED:
        yield "take_in must lead to received"
    reached = _reachable(procedure, {first.to_state})
    for state in sorted(known - reached):
        yield f"state {state} can't be reached"
    for state in sorted(reached & set(_CLOCKS)):
        if _reachable(procedure, {state}) <= set(_CLOCKS):
            yield f"state {state} has no way to an end"


def _faults_of_actions(procedure: Procedure) -> Iterator[str]:
    for rule in procedure.actions:
        if bool(rule.from_states) is (rule.action is ActionName.TAKE_IN):
            yield f"action {rule.action}: only take_in begins without a state"
        for use in rule.guards:
            if use.guard not in GUARDS:
                yield f"action {rule.action}: there is no guard {use.guard}"
        for form in rule.issues:
            if form not in FORMS:
                yield f"action {rule.action}: there is no form {form}"


def _faults_of_papers(procedure: Procedure) -> Iterator[str]:
    for paper in procedure.papers:
        if _WORD.fullmatch(paper.paper) is None:
            yield f"{paper.paper!r} is no name of a paper"
        if not paper.forms:
            yield f"paper {paper.paper} is accepted in no form"


def _faults_of_field(field: RequestField) -> Iterator[str]:
    if _WORD.fullmatch(field.field) is None:
        yield f"{field.field!r} is no name of a field"
    if field.choices:
        if field.min is not None or field.max is not None:
            yield f"field {field.field} has choices and bounds"
    elif field.min is None or field.max is None or field.min > field.max:
        yield f"field {field.field} needs choices, or min and max"


def _faults_of_result(procedure: Procedure) -> Iterator[str]:
    if NUMBER_CODE not in procedure.result.number.value:
        yield f"the number of the result must hold {NUMBER_CODE}"
    if procedure.result.kind is ResultKind.BADGE:
        yield from _faults_of_badge(procedure)
    if procedure.result.kind is ResultKind.PERMIT:
        yield from _faults_of_permit(procedure)


def _faults_of_badge(procedure: Procedure) -> Iterator[str]:
    """A badge needs a vehicle, a kind that the law still issues, and a term that it allows."""
    fields = {each.field: each for each in procedure.request}
    if not procedure.needs_vehicle or not {KIND_FIELD, YEARS_FIELD} <= set(fields):
        yield f"a badge needs a vehicle and the fields {KIND_FIELD} and {YEARS_FIELD}"
        return
    years = fields[YEARS_FIELD]
    for choice in fields[KIND_FIELD].choices:
        kind = badge_kind(choice.value, on=procedure.valid_from, kinds=badge_kinds())
        if kind is None or kind.years_min is None or kind.years_max is None:
            yield f"the law issues no badge of kind {choice.value} on {procedure.valid_from}"
        elif not kind.years_min <= (years.min or 0) <= (years.max or 0) <= kind.years_max:
            yield f"a badge {choice.value} holds {kind.years_min} to {kind.years_max} years"


def _faults_of_permit(procedure: Procedure) -> Iterator[str]:
    """A permit needs a vehicle, a kind of the law for every use, and trips that it allows."""
    fields = {each.field: each for each in procedure.request}
    if not procedure.needs_vehicle or not {USE_FIELD, TRIP_FIELD} <= set(fields):
        yield f"a permit needs a vehicle and the fields {USE_FIELD} and {TRIP_FIELD}"
        return
    trip = fields[TRIP_FIELD]
    uses = Counter(each.use for each in procedure.result.permits)
    if uses != Counter(each.value for each in fields[USE_FIELD].choices):
        yield "permits: need one line for each use that can be asked for"
    for choice in procedure.result.permits:
        kind = permit_kind(choice.permit_kind, on=procedure.valid_from, kinds=permit_kinds())
        if kind is None:
            yield f"the law has no permit {choice.permit_kind} on {procedure.valid_from}"
        elif kind.trip_days_max is not None and (trip.max or 0) > kind.trip_days_max:
            yield f"a trip with a permit {choice.permit_kind} has {kind.trip_days_max} days at most"
    if not trip.is_number or (trip.min or 0) < 1:
        yield "a trip has a number of days, and at least one"


def _reachable(procedure: Procedure, begin: set[DossierState]) -> set[DossierState]:
    """States to which a row of actions leads, the first ones included."""
    reached = set(begin)
    while True:
        further = {
            each.to_state for each in procedure.actions if reached.intersection(each.from_states)
        }
        if further <= reached:
            return reached
        reached |= further


def _version(path: Path) -> int:
    found = _FILE.fullmatch(path.name)
    return int(found[1]) if found else 0

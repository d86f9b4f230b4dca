# SPDX-License-Identifier: AGPL-3.0-or-later
"""A procedure as data: states, actions, guards, papers and forms of one version.

The values are read from ``definitions/<procedure>/v<version>.yaml`` and, for a dossier, from the
version that was loaded into the database: a dossier ends under the version it began with
(NĐ 241/2026/NĐ-CP Art. 28.1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

from pydantic import ConfigDict

from central.domain.legal import Confidence
from central.identity.permissions import Permission
from central.procedures.errors import InvalidRequestError
from central.procedures.types import (
    ActionName,
    Channel,
    DossierState,
    PaperForm,
    RequestValue,
    Term,
)


class Requirement(StrEnum):
    """When a paper is required; ``central.procedures.guards`` decides it for a dossier."""

    ALWAYS = "always"
    NOT_OWNER = "not_owner"
    """The vehicle does not belong to the applicant."""
    ON_REQUEST = "on_request"


class GuardEffect(StrEnum):
    """What a guard that fails does."""

    REFUSE = "refuse"
    SHOW = "show"


class ResultKind(StrEnum):
    """What an approval makes."""

    BADGE = "badge"
    PERMIT = "permit"
    """A permit to cross a border."""
    PAPER = "paper"
    """A decision on paper only: the registry takes it over by import."""


class PermitTerm(StrEnum):
    """How long a permit holds."""

    LONGEST = "longest"
    """As long as the law allows for its kind."""
    TRIP = "trip"
    """For the one trip that is asked for."""


class ClockState(StrEnum):
    """What the dossier's clock does in a state."""

    RUNS = "runs"
    STANDS = "stands"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A number with where it comes from and how sure it is."""

    value: int
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedText:
    """A text with where it comes from and how sure it is."""

    value: str
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a field, and its words."""

    value: str
    name: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestField:
    """A part of what is asked for: one of some choices, or a whole number between two bounds.

    Attributes:
        choices: Empty for a number.
        min: Smallest number; ``None`` for choices.
        max: Largest number; ``None`` for choices.
    """

    field: str
    name: Term
    choices: tuple[Choice, ...] = ()
    min: int | None = None
    max: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether it is a whole number."""
        return not self.choices

    def check(self, value: RequestValue) -> None:
        """Stop unless a value fits.

        Raises:
            InvalidRequestError: It is none of the choices, or outside the bounds.
        """
        if self.choices:
            if value not in {each.value for each in self.choices}:
                raise InvalidRequestError(self.field, "not one of the choices")
            return
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidRequestError(self.field, "need a whole number")
        if not (self.min or 0) <= value <= (self.max or 0):
            raise InvalidRequestError(self.field, f"need {self.min} to {self.max}")

    def words(self, value: RequestValue) -> Term:
        """A value in words."""
        for each in self.choices:
            if each.value == value:
                return each.name
        return Term(vi=str(value), en=str(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredPaper:
    """A paper of a procedure and as what it is accepted."""

    paper: str
    name: Term
    forms: tuple[PaperForm, ...]
    required: Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRule:
    """A state in words, for officials and for citizens.

    Attributes:
        portal: Number of the state in the one-stop software's list (FACTS 5.2).
    """

    state: DossierState
    name: Term
    public_name: Term
    clock: ClockState
    portal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardUse:
    """A guard at an action, and what it does when it fails."""

    guard: str
    effect: GuardEffect
    legal_basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRule:
    """Who may do what in which states, where it leads, and what stands in the way.

    Attributes:
        from_states: Empty for the taking in.
        issues: Forms that it gives out, by their numbers in TT 03/2025/TT-VPCP.
    """

    action: ActionName
    name: Term
    from_states: tuple[DossierState, ...]
    to_state: DossierState
    permission: Permission
    needs_reason: bool = False
    guards: tuple[GuardUse, ...] = ()
    issues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitChoice:
    """The permit for a use that is asked for; its kind is one of the law's."""

    use: str
    permit_kind: str
    term: PermitTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRule:
    """What an approval gives.

    Attributes:
        number: How its number is made; ``{code}`` stands for the dossier's code.
        renewal_window_days: How many days before its end a badge or permit may be renewed; the
            new one then begins with that end.
        permits: For a permit: one line for each use that can be asked for.
    """

    kind: ResultKind
    name: Term
    number: SourcedText
    renewal_window_days: Sourced | None = None
    permits: tuple[PermitChoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One version of a procedure.

    Attributes:
        valid_until: First day on which new dossiers no longer come under it.
        code: Number in the national catalogue.
        days: Working days to the result.
        supplement_notice_days: Working days within which a supplement has to be asked for.
        fee_dong: What the applicant pays.
        needs_vehicle: Whether a dossier is about one vehicle.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    id: str
    version: int
    valid_from: date
    name: Term
    code: SourcedText
    legal_basis: str
    source: str
    confidence: Confidence
    days: Sourced
    supplement_notice_days: Sourced
    fee_dong: Sourced
    needs_vehicle: bool
    channels: tuple[Channel, ...]
    result: ResultRule
    request: tuple[RequestField, ...]
    papers: tuple[RequiredPaper, ...]
    states: tuple[StateRule, ...]
    actions: tuple[ActionRule, ...]
    valid_until: date | None = None

    def state(self, state: DossierState) -> StateRule:
        """A state in words."""
        return next(each for each in self.states if each.state is state)

    def paper(self, name: str) -> RequiredPaper | None:
        """A paper by its name."""
        return next((each for each in self.papers if each.paper == name), None)

    def action(self, action: ActionName) -> ActionRule | None:
        """The rule of an action, if the procedure has it."""
        return next((each for each in self.actions if each.action is action), None)

    def actions_from(self, state: DossierState) -> Iterator[ActionRule]:
        """What can be done in a state, in the order of the file."""
        return (each for each in self.actions if state in each.from_states)

    def check_request(self, request: Mapping[str, RequestValue]) -> None:
        """Stop unless everything that is asked for fits.

        Raises:
            InvalidRequestError: A field is missing, unknown, or holds what it may not.
        """
        fields = {each.field: each for each in self.request}
        for name in request:
            if name not in fields:
                raise InvalidRequestError(name, "the procedure has no such field")
        for name, rule in fields.items():
            if name not in request:
                raise InvalidRequestError(name, "is missing")
            rule.check(request[name])


NUMBER_CODE: Final = "{code}"
"""Stands for the dossier's code in the number of a result."""

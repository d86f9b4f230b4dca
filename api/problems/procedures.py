# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of procedures, dossiers and papers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.documents.errors import DocumentNotFoundError, UnprintableTextError
from central.domain.working_time import CalendarNotCoveredError
from central.errors import CentralError
from central.procedures.errors import (
    ActionNotAllowedError,
    DossierNoLongerPublicError,
    DossierNotFoundError,
    GuardRefusedError,
    InvalidRequestError,
    NoCalendarError,
    PapersMissingError,
    ProcedureNotFoundError,
    SerialsUsedUpError,
    SubmissionConflictError,
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        DossierNotFoundError: Problem(
            status=404, code="dossier-not-found", title="No dossier has this code"
        ),
        DossierNoLongerPublicError: Problem(
            status=410, code="dossier-no-longer-shown", title="This dossier is no longer shown"
        ),
        ProcedureNotFoundError: Problem(
            status=404, code="procedure-not-found", title="No such procedure is in force"
        ),
        InvalidRequestError: Problem(
            status=422,
            code="dossier-request-invalid",
            title="What is asked for does not fit the procedure",
        ),
        PapersMissingError: Problem(
            status=422, code="papers-missing", title="Required papers are missing"
        ),
        GuardRefusedError: Problem(
            status=409, code="guard-refused", title="The procedure does not allow this"
        ),
        SubmissionConflictError: Problem(
            status=409,
            code="submission-conflict",
            title="The submission key belongs to another dossier",
        ),
        ActionNotAllowedError: Problem(
            status=409,
            code="action-not-allowed",
            title="The dossier's state does not allow this",
        ),
        CalendarNotCoveredError: Problem(
            status=409,
            code="calendar-not-covered",
            title="The official calendar does not reach that day",
        ),
        NoCalendarError: Problem(
            status=409, code="calendar-missing", title="No official calendar was loaded"
        ),
        SerialsUsedUpError: Problem(
            status=409, code="serials-used-up", title="No dossier number is left for this day"
        ),
        DocumentNotFoundError: Problem(
            status=404, code="document-not-found", title="There is no such paper"
        ),
        UnprintableTextError: Problem(
            status=422,
            code="text-unprintable",
            title="A text holds characters that can't be printed",
        ),
    }
)

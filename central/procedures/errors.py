# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the procedures can refuse.

::

    CentralError
    └── ProcedureError
        ├── ProcedureFileError           a definition or calendar file breaks the rules
        ├── ProcedureChangedError        a version that is in force was changed in its file
        ├── ProcedureNotFoundError       no procedure of this name was in force on the day
        ├── NoCalendarError              no official calendar has been loaded
        ├── DossierNotFoundError         no dossier has this code
        ├── DossierNoLongerPublicError   it ended too long ago for the citizens' page
        ├── InvalidRequestError          what is asked for does not fit the procedure
        ├── PapersMissingError           required papers were not handed in
        ├── SubmissionConflictError      the same submission key with other contents
        ├── ActionNotAllowedError        the dossier's state does not know this action
        ├── GuardRefusedError            a guard of the procedure stands against the action
        └── SerialsUsedUpError           9999 dossiers were taken in on one day
"""

from collections.abc import Sequence
from datetime import date

from central.errors import CentralError


class ProcedureError(CentralError):
    """Something about procedures and dossiers."""


class ProcedureFileError(ProcedureError):
    """A definition or calendar file breaks the rules.

    Attributes:
        file_name: Name of the file.
        problems: What is wrong, one sentence each.
    """

    def __init__(self, file_name: str, problems: Sequence[str]) -> None:
        super().__init__(f"{file_name}: {'; '.join(problems)}")
        self.file_name = file_name
        self.problems = tuple(problems)


class ProcedureChangedError(ProcedureError):
    """A file differs from what was loaded under its version: make a new version instead.

    Attributes:
        name: Procedure, or ``calendar``.
        version: The version that was loaded before.
    """

    def __init__(self, name: str, *, version: int) -> None:
        super().__init__(
            f"{name} version {version} was loaded with other contents and may not change; "
            f"write version {version + 1}"
        )
        self.name = name
        self.version = version


class ProcedureNotFoundError(ProcedureError):
    """No version of this procedure was in force on the day."""

    def __init__(self, procedure_id: str, *, on: date) -> None:
        super().__init__(f"procedure {procedure_id} has no version in force on {on}")
        self.procedure_id = procedure_id
        self.on = on


class NoCalendarError(ProcedureError):
    """No official calendar has been loaded, so no deadline can be counted."""

    def __init__(self) -> None:
        super().__init__("no official calendar is loaded; run: luuthong-central procedures load")


class DossierNotFoundError(ProcedureError):
    """No dossier has this code."""

    def __init__(self, code: str) -> None:
        super().__init__("no dossier has this code")
        self.code = code


class DossierNoLongerPublicError(ProcedureError):
    """The dossier ended so long ago that the citizens' page says nothing of it any more."""

    def __init__(self, code: str) -> None:
        super().__init__("this dossier is no longer shown to the public")
        self.code = code


class InvalidRequestError(ProcedureError):
    """What is asked for does not fit the procedure.

    Attributes:
        field: Which part, such as ``years``.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


class PapersMissingError(ProcedureError):
    """Required papers were not handed in.

    Attributes:
        papers: Names of the missing papers, in the order of the procedure.
    """

    def __init__(self, papers: Sequence[str]) -> None:
        super().__init__(f"papers are missing: {', '.join(papers)}")
        self.papers = tuple(papers)


class SubmissionConflictError(ProcedureError):
    """The submission key was used before, for another applicant, vehicle or procedure.

    Attributes:
        code: Code of the dossier that has the key.
    """

    def __init__(self, code: str) -> None:
        super().__init__("the submission key belongs to another dossier")
        self.code = code


class ActionNotAllowedError(ProcedureError):
    """The procedure has no such action in the dossier's state."""

    def __init__(self, *, action: str, state: str) -> None:
        super().__init__(f"action {action} is not possible in state {state}")
        self.action = action
        self.state = state


class GuardRefusedError(ProcedureError):
    """A guard of the procedure stands against the action.

    Attributes:
        action: What was to be done.
        guards: Names of the guards that refused, in the order of the procedure.
    """

    def __init__(self, *, action: str, guards: Sequence[str]) -> None:
        super().__init__(f"action {action} is refused by: {', '.join(guards)}")
        self.action = action
        self.guards = tuple(guards)


class SerialsUsedUpError(ProcedureError):
    """A code has four digits for the dossiers of one day, and they are used up."""

    def __init__(self, *, on: date) -> None:
        super().__init__(f"no serial number is left on {on}")
        self.on = on

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who acts in a request, and why: what the audit log wants to know of every act and every look."""

from dataclasses import dataclass
from typing import Annotated, Final, Self

import structlog
from fastapi import Depends, Form, Request
from pydantic import BaseModel, ConfigDict, Field

from api.deps.request import Process, SignedIn
from api.deps.transactions import transaction
from central.audit.service import AuditService
from central.audit.types import (
    CASE_REFERENCE_LENGTH_MAX,
    Actor,
    ActorKind,
    AuditEntry,
    Look,
    Outcome,
    Purpose,
)
from central.errors import CentralUnavailableError, PermissionDeniedError
from central.identity.permissions import Role
from central.identity.service import client_key
from central.identity.types import Origin, User

REFUSED_ACTION: Final = "act_refused"
REFUSED_SUBJECT: Final = "permission"
FORM_TEXT_LENGTH_MAX: Final = 1000
UNKNOWN_CLIENT: Final = "unknown"
ADDRESS_LENGTH_MAX: Final = 45
"""An IPv6 address with an embedded IPv4 address."""


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """The user behind a request, and the same as the audit log names them."""

    user: User
    actor: Actor


class LookFields(BaseModel):
    """Fields of a ``/v1`` body that asks for personal data; bodies inherit them."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    purpose: Annotated[Purpose, Field(description="Why the data are looked at.")]
    case_reference: Annotated[
        str | None,
        Field(
            default=None,
            min_length=1,
            max_length=CASE_REFERENCE_LENGTH_MAX,
            description="Number of the case or dossier, if there is one.",
        ),
    ]

    def look(self, actor: Actor) -> Look:
        """The reason as services want it."""
        return Look(actor=actor, purpose=self.purpose, case_reference=self.case_reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForm:
    """The same two fields of a page's form, as they were filled in.

    Attributes:
        purpose: ``None`` when nothing or nonsense was chosen.
        case_reference: Trimmed; empty when there is none.
    """

    purpose: Purpose | None = None
    case_reference: str = ""

    @classmethod
    def of(cls, *, purpose: str, case_reference: str) -> Self:
        """The form's fields as they came in."""
        return cls(
            purpose=Purpose(purpose) if purpose in set(Purpose) else None,
            case_reference=case_reference.strip(),
        )

    @property
    def is_reference_too_long(self) -> bool:
        """Whether the case reference has more characters than are kept."""
        return len(self.case_reference) > CASE_REFERENCE_LENGTH_MAX

    def look(self, actor: Actor) -> Look | None:
        """The reason as services want it; ``None`` when the form has to be filled in again."""
        if self.purpose is None or self.is_reference_too_long:
            return None
        return Look(actor=actor, purpose=self.purpose, case_reference=self.case_reference or None)


def actor_of(user: User, request: Request) -> Actor:
    """A signed-in user as the audit log names them."""
    return Actor(
        kind=_kind_of(user.role),
        name=user.username,
        role=user.role,
        request_id=_request_id(request),
        client_address=client_address(request),
    )


async def origin_of(request: Request) -> Origin:
    """Where a request comes from."""
    return Origin(
        client=request.client.host if request.client is not None else None,
        browser=request.headers.get("user-agent"),
    )


def client_of(origin: Origin) -> str:
    """What is counted as one client where no account is known."""
    return client_key(origin) or UNKNOWN_CLIENT


OriginDep = Annotated[Origin, Depends(origin_of)]


async def acting_of(request: Request, user: SignedIn) -> Acting:
    """Who acts in this request.

    Raises:
        NotSignedInError: Nobody is signed in.
    """
    return Acting(user=user, actor=actor_of(user, request))


async def look_form(
    purpose: Annotated[str, Form(max_length=FORM_TEXT_LENGTH_MAX)] = "",
    case_reference: Annotated[str, Form(max_length=FORM_TEXT_LENGTH_MAX)] = "",
) -> LookForm:
    """The reason given in a page's form."""
    return LookForm.of(purpose=purpose, case_reference=case_reference)


ActingDep = Annotated[Acting, Depends(acting_of, scope="function")]


async def actor_of_request(acting: ActingDep) -> Actor:
    """Who acts in this request, for calls that need nothing else of the user."""
    return acting.actor


ActorDep = Annotated[Actor, Depends(actor_of_request, scope="function")]
LookFormDep = Annotated[LookForm, Depends(look_form)]


async def record_refusal(process: Process, request: Request, error: PermissionDeniedError) -> None:
    """Write a refused act down, in a transaction of its own: that of the act was rolled back."""
    actor = Actor(
        kind=_kind_of(error.role),
        name=error.username,
        role=error.role,
        request_id=_request_id(request),
        client_address=client_address(request),
    )
    entry = AuditEntry(
        occurred_at=process.clock(),
        actor=actor,
        action=REFUSED_ACTION,
        outcome=Outcome.REFUSED,
        subject_kind=REFUSED_SUBJECT,
        subject_id=error.permission,
        detail={"method": request.method, "route": _route(request)},
    )
    try:
        async with transaction(process) as connection:
            await AuditService(connection).record(entry)
    except CentralUnavailableError:
        # The act stays refused; only its trace is missing.
        log.error("refusal_not_recorded", permission=error.permission)  # noqa: TRY400


def client_address(request: Request) -> str | None:
    """Where a request comes from; behind a proxy that the server trusts, whom that names."""
    return request.client.host[:ADDRESS_LENGTH_MAX] if request.client is not None else None


def _kind_of(role: str) -> ActorKind:
    """Whether a role is a person's or a program's."""
    return ActorKind.SERVICE if role == Role.API_CLIENT else ActorKind.USER


def _route(request: Request) -> str:
    """The address as it is declared, without the ids in it."""
    return str(getattr(request.scope.get("route"), "path", ""))


def _request_id(request: Request) -> str | None:
    """Number of the request, which an error page shows, too."""
    return getattr(request.state, "request_id", None)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that the api can refuse, and how any error looks to a machine (RFC 9457).

::

    ApiError
    ├── ApiSettingsError           the process can't start with these settings
    ├── AssetsMissingError         the console's scripts and styles were not built
    └── RequestError               becomes an answer with a status and a stable code
        ├── NotSignedInError
        ├── LoginRefusedError
        ├── LoginDelayedError
        ├── FirstPasswordExpiredError
        ├── PasswordChangeNeededError
        ├── SecondFactorNeededError
        ├── SecondFactorRefusedError
        ├── LoginStepEndedError
        ├── SecondFactorSetupNeededError
        ├── CrossOriginError
        ├── HttpsRequiredError
        ├── DeviceUnauthorisedError
        ├── AuthorityMissingError
        ├── BodyTooLargeError
        ├── LengthRequiredError
        ├── MediaTypeError
        ├── PreconditionNeededError
        ├── PreconditionFailedError
        ├── CursorInvalidError
        ├── NotHereError
        ├── TooManyRequestsError
        └── TooManyStreamsError
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.problems.catalogue import PROBLEMS
from api.problems.problem import Problem
from central.errors import CentralError

FIELD_ERRORS_MAX: Final = 20
RETRY_AFTER_S: Final = 5


class ApiError(Exception):
    """Root of every error that the api raises on purpose."""


class ApiSettingsError(ApiError):
    """The process can't start with these settings."""


class AssetsMissingError(ApiError):
    """The console's scripts and styles were not built."""

    def __init__(self) -> None:
        super().__init__("run npm ci --ignore-scripts and npm run build in api/console")


class RequestError(ApiError):
    """A request that is refused; the class says how."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.title)
        self.headers = dict(headers or {})


class NotSignedInError(RequestError):
    """No session, or one that ended."""

    status = 401
    code = "not-signed-in"
    title = "Sign in first"


class LoginRefusedError(RequestError):
    """Wrong name or password; which one is never told."""

    status = 401
    code = "login-refused"
    title = "The user name or the password is wrong"


class LoginDelayedError(RequestError):
    """Too many failures on this account."""

    status = 429
    code = "login-delayed"
    title = "Too many failed attempts; wait before the next one"

    def __init__(self, *, wait_s: int) -> None:
        super().__init__(headers={"Retry-After": str(wait_s)})
        self.wait_s = wait_s


class FirstPasswordExpiredError(RequestError):
    """The password was right, but it was a first one and nobody changed it in time."""

    status = 401
    code = "first-password-expired"
    title = "The first password has expired; ask an administrator for a new one"


class PasswordChangeNeededError(RequestError):
    """The user signed in with a first password and has to choose an own one."""

    status = 403
    code = "password-change-needed"
    title = "Choose your own password in the console first"


class SecondFactorNeededError(RequestError):
    """The password was right; a second factor comes next.

    Attributes:
        has_security_key: Whether the console asks for a key first; ``/v1`` takes codes only.
    """

    status = 401
    code = "second-factor-needed"
    title = "Send a code to /v1/session/second-factor next"

    def __init__(
        self,
        *,
        token: str,
        expires_at: datetime,
        has_security_key: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers=headers)
        self.token = token
        self.expires_at = expires_at
        self.has_security_key = has_security_key


class SecondFactorRefusedError(RequestError):
    """The code is wrong, too old, or was used before."""

    status = 401
    code = "second-factor-refused"
    title = "The code is wrong or was used before"


class LoginStepEndedError(RequestError):
    """No right password came before the code, or it was too long ago."""

    status = 401
    code = "login-step-ended"
    title = "Sign in with name and password first"


class SecondFactorSetupNeededError(RequestError):
    """The user's role asks for a second factor, and there is none yet."""

    status = 403
    code = "second-factor-setup-needed"
    title = "Set up a second factor in the console first"


class CrossOriginError(RequestError):
    """A page of another site tried to change something here."""

    status = 403
    code = "cross-origin-request"
    title = "Requests of other sites are refused"


class DeviceUnauthorisedError(RequestError):
    """The device did not prove who it is."""

    status = 401
    code = "device-unauthorised"
    title = "The device's name or secret is missing or wrong"

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "Device"})


class AuthorityMissingError(RequestError):
    """This centre gives no certificates to devices."""

    status = 409
    code = "authority-missing"
    title = "This centre gives no certificates to devices"


class HttpsRequiredError(RequestError):
    """The request came by plain HTTP, so that anybody on the way could read it."""

    status = 403
    code = "https-required"
    title = "Use HTTPS; a key or password that was sent without it must be replaced"


class BodyTooLargeError(RequestError):
    """The body is larger than this address accepts."""

    status = 413
    code = "body-too-large"
    title = "The body is too large"


class LengthRequiredError(RequestError):
    """The body's length was not announced, so it can't be bounded."""

    status = 411
    code = "length-required"
    title = "Content-Length is needed"


class MediaTypeError(RequestError):
    """The body is of another kind than this address accepts."""

    status = 415
    code = "unsupported-media-type"
    title = "This kind of body is not accepted here"


class PreconditionNeededError(RequestError):
    """A change did not say which version of the thing its caller saw."""

    status = 428
    code = "precondition-needed"
    title = "Send If-Match with the ETag of the version that you saw"


class PreconditionFailedError(RequestError):
    """The thing is no longer as the caller saw it."""

    status = 412
    code = "precondition-failed"
    title = "Somebody else changed this meanwhile; look at it again"


class CursorInvalidError(RequestError):
    """A page's cursor was not made here."""

    status = 422
    code = "cursor-invalid"
    title = "The cursor is not one of ours"


class NotHereError(RequestError):
    """There is nothing at this address, or not for this caller."""

    status = 404
    code = "not-found"
    title = "There is nothing here"


class TooManyRequestsError(RequestError):
    """This address asked too often."""

    status = 429
    code = "too-many-requests"
    title = "Too many requests; wait before the next one"

    def __init__(self, *, wait_s: int) -> None:
        super().__init__(headers={"Retry-After": str(wait_s)})


class TooManyStreamsError(RequestError):
    """Every place on the live list is taken."""

    status = 503
    code = "too-many-streams"
    title = "Too many live pages are open"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(RETRY_AFTER_S)})


INTERNAL_PROBLEM: Final = Problem(
    status=500, code="internal-error", title="Something went wrong here; it was recorded"
)

_OF_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}
)


def problem_of(error: Exception) -> Problem:
    """How an error looks to the caller; unknown ones are 500 and tell nothing."""
    if isinstance(error, RequestError):
        return Problem(
            status=error.status, code=error.code, title=error.title, headers=error.headers
        )
    if isinstance(error, RequestValidationError):
        return Problem(
            status=422,
            code="request-invalid",
            title="The request breaks the contract",
            fields=_field_errors(error),
        )
    if isinstance(error, HTTPException):
        return Problem(
            status=error.status_code,
            code=_OF_STATUS.get(error.status_code, "http-error"),
            title=error.detail,
            headers=error.headers or {},
        )
    for kind in type(error).__mro__:
        if issubclass(kind, CentralError) and kind in PROBLEMS:
            return PROBLEMS[kind]
    return INTERNAL_PROBLEM


def _field_errors(error: RequestValidationError) -> list[dict[str, str]]:
    """Where and why, never the value: it may be a plate or a password."""
    return [
        {
            "where": ".".join(str(part) for part in problem["loc"]),
            "why": str(problem["type"]),
        }
        for problem in error.errors()[:FIELD_ERRORS_MAX]
    ]

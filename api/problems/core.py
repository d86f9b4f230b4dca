# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of passages, evidence, devices and users."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import (
    CentralError,
    CentralUnavailableError,
    CertificateRequestInvalidError,
    DeviceNotFoundError,
    DeviceRefusedError,
    EvidenceHashMismatchError,
    EvidenceNotAnImageError,
    EvidenceNotFoundError,
    EvidenceTooLargeError,
    InvalidFilterError,
    InvalidPlatePatternError,
    InvitationRefusedError,
    LiveFrameNotFoundError,
    MendRefusedError,
    PassageNotFoundError,
    PermissionDeniedError,
    QuarantinedMessageNotFoundError,
    SearchTooWideError,
    SessionInvalidError,
    StaleVersionError,
    TooManyLiveFramesError,
    UnstorableTextError,
)

RETRY_AFTER_S: Final = 5

UNAVAILABLE_PROBLEM: Final = Problem(
    status=503,
    code="database-unavailable",
    title="The database can't be reached; try again",
    headers={"Retry-After": str(RETRY_AFTER_S)},
)

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        CentralUnavailableError: UNAVAILABLE_PROBLEM,
        InvalidPlatePatternError: Problem(
            status=422,
            code="plate-pattern-invalid",
            title="A plate pattern has only letters, digits, ? and *",
        ),
        UnstorableTextError: Problem(
            status=422, code="request-invalid", title="The request breaks the contract"
        ),
        InvalidFilterError: Problem(
            status=422, code="filter-invalid", title="The search makes no sense"
        ),
        SearchTooWideError: Problem(
            status=422,
            code="search-too-wide",
            title="The search takes too long; choose a shorter time, a place or more of the plate",
        ),
        PassageNotFoundError: Problem(
            status=404, code="passage-not-found", title="No passage has this id"
        ),
        EvidenceNotFoundError: Problem(
            status=404, code="evidence-not-found", title="No picture has this hash"
        ),
        EvidenceHashMismatchError: Problem(
            status=409, code="hash-mismatch", title="The body has another hash"
        ),
        EvidenceTooLargeError: Problem(
            status=413, code="body-too-large", title="The body is too large"
        ),
        EvidenceNotAnImageError: Problem(
            status=415, code="not-a-jpeg", title="The body is no JPEG picture"
        ),
        DeviceNotFoundError: Problem(
            status=404, code="device-unknown", title="No device has this name"
        ),
        DeviceRefusedError: Problem(
            status=401,
            code="device-unauthorised",
            title="The device's name or secret is missing or wrong",
            headers={"WWW-Authenticate": "Device"},
        ),
        InvitationRefusedError: Problem(
            status=401,
            code="invitation-refused",
            title="The invitation is unknown, used or expired",
            headers={"WWW-Authenticate": "Invitation"},
        ),
        CertificateRequestInvalidError: Problem(
            status=422,
            code="certificate-request-invalid",
            title="This is no certificate request with a key on P-256",
        ),
        LiveFrameNotFoundError: Problem(
            status=404,
            code="live-frame-not-found",
            title="This picture was not asked for, or has expired",
        ),
        TooManyLiveFramesError: Problem(
            status=429,
            code="too-many-live-frames",
            title="Too many live pictures are open; wait until they expire",
            headers={"Retry-After": "60"},
        ),
        MendRefusedError: Problem(
            status=422,
            code="mend-refused",
            title="What was mended can't take the message's place",
        ),
        QuarantinedMessageNotFoundError: Problem(
            status=404,
            code="quarantined-message-not-found",
            title="No open message in quarantine has this number",
        ),
        PermissionDeniedError: Problem(
            status=403, code="permission-denied", title="Your role does not allow this"
        ),
        StaleVersionError: Problem(
            status=409, code="stale-version", title="Somebody else changed this meanwhile"
        ),
        SessionInvalidError: Problem(status=401, code="not-signed-in", title="Sign in first"),
    }
)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors about programs and their keys."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from api.problems.problem import Problem
from central.errors import CentralError
from central.machines.errors import (
    AnswerKeyReusedError,
    AnswerPendingError,
    ClientExistsError,
    ClientInvalidError,
    ClientNotFoundError,
    KeyBeyondMakerError,
    KeyExpiredError,
    KeyLimitError,
    KeyNotFoundError,
    KeyRevokedError,
    KeyUnknownError,
)

_ASK_FOR_A_KEY: Final = MappingProxyType({"WWW-Authenticate": "Bearer"})

PROBLEMS: Final[Mapping[type[CentralError], Problem]] = MappingProxyType(
    {
        KeyUnknownError: Problem(
            status=401,
            code="key-unknown",
            title="No key of ours is written like this",
            headers=_ASK_FOR_A_KEY,
        ),
        KeyExpiredError: Problem(
            status=401, code="key-expired", title="The key has expired", headers=_ASK_FOR_A_KEY
        ),
        KeyRevokedError: Problem(
            status=401, code="key-revoked", title="The key was revoked", headers=_ASK_FOR_A_KEY
        ),
        AnswerPendingError: Problem(
            status=409,
            code="idempotency-key-pending",
            title="The first request with this key is still being worked on",
            headers=MappingProxyType({"Retry-After": "1"}),
        ),
        AnswerKeyReusedError: Problem(
            status=422,
            code="idempotency-key-reused",
            title="This key was used for another request",
        ),
        ClientExistsError: Problem(
            status=409, code="client-exists", title="A program has this name already"
        ),
        ClientNotFoundError: Problem(
            status=404, code="client-not-found", title="No program has this name"
        ),
        ClientInvalidError: Problem(
            status=422, code="client-invalid", title="A part of the program is missing or wrong"
        ),
        KeyNotFoundError: Problem(
            status=404, code="key-not-found", title="No working key has this prefix"
        ),
        KeyBeyondMakerError: Problem(
            status=403,
            code="key-beyond-maker",
            title="Nobody makes a key that allows more than they may do",
        ),
        KeyLimitError: Problem(
            status=409, code="key-limit", title="The program has as many keys as it may have"
        ),
    }
)

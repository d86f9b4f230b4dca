# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks an ID token: who signed it, for whom, in answer to what, and until when."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from central.identity.outside.errors import OutsideRefusedError
from central.identity.outside.types import OutsideFault, OutsidePerson, Strength

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""What a token may be signed with: public keys only, so that no secret can be taken for one."""

SUBJECT_LENGTH_MAX: Final = 255


class KeyMissingError(Exception):
    """The token is signed with a key that is not among those at hand; there may be newer ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must say.

    Attributes:
        access_token: Token that came beside it, whose hash it may hold; None for none.
        leeway: How far the provider's clock may be off.
        second_factor_values: Values of amr or acr that mean a second factor.
    """

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str | None = field(default=None, repr=False)
    leeway: timedelta
    second_factor_values: Collection[str]


def person_of(token: str, keys: KeySet, expected: Expected, *, now: datetime) -> OutsidePerson:
    """Whom a token names, once everything about it holds.

    Raises:
        KeyMissingError: None of the keys signed it.
        OutsideRefusedError: Something about it does not hold; names the claim, never its value.
    """
    try:
        opened = jwt.decode(token, keys, algorithms=ALGORITHMS)
    except InvalidKeyIdError as error:
        raise KeyMissingError from error
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _untrusted("signature") from error
    claims = CodeIDToken(
        opened.claims,
        opened.header,
        options={
            "iss": {"essential": True, "value": expected.issuer},
            "sub": {"essential": True},
            "aud": {"essential": True, "value": expected.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True},
        },
        params={
            "nonce": expected.nonce,
            "client_id": expected.client_id,
            "access_token": expected.access_token,
        },
    )
    try:
        claims.validate(now=int(now.timestamp()), leeway=int(expected.leeway.total_seconds()))
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _untrusted(type(error).__name__) from error
    subject = opened.claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise _untrusted("sub")
    return OutsidePerson(
        issuer=expected.issuer,
        subject=subject,
        strength=_strength(opened.claims, expected.second_factor_values),
    )


def _strength(claims: Mapping[str, object], second_factor_values: Collection[str]) -> Strength:
    """How strongly the person was asked; what the provider does not say counts as weak."""
    amr = claims.get("amr")
    said = {each for each in amr if isinstance(each, str)} if isinstance(amr, list) else set()
    if isinstance(acr := claims.get("acr"), str):
        said.add(acr)
    return Strength.TWO_FACTORS if said & set(second_factor_values) else Strength.ONE_FACTOR


def _untrusted(why: str) -> OutsideRefusedError:
    return OutsideRefusedError(OutsideFault.NOT_TRUSTED, why)

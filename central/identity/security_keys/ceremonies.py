# SPDX-License-Identifier: AGPL-3.0-or-later
"""What browsers are told to ask keys, and whether the answers prove anything."""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from central.identity.security_keys.challenges import CHALLENGE_LASTS
from central.identity.security_keys.types import Credential, KeySite, KnownKey

SITE_NAME: Final = "Lưu Thông"
ANSWER_LENGTH_MAX: Final = 8192
"""Longest answer in characters: a key's certificates are not asked for, so it is short."""

ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_TIMEOUT_MS: Final = int(CHALLENGE_LASTS.total_seconds() * 1000)
_MALFORMED: Final = (WebAuthnException, ValueError, TypeError, KeyError, RecursionError)
"""What the library raises about an answer that is none, besides its own errors."""


class KeyCeremonies:
    """Questions for keys of one site, and its answers."""

    def __init__(self, site: KeySite) -> None:
        self._site = site

    def creation(
        self, *, handle: UUID, username: str, known_ids: Sequence[bytes], challenge: bytes
    ) -> str:
        """Ask for a new key, which must not be one of those that are known."""
        options = generate_registration_options(
            rp_id=self._site.host,
            rp_name=SITE_NAME,
            user_id=handle.bytes,
            user_name=username,
            user_display_name=username,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            attestation=AttestationConveyancePreference.NONE,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.DISCOURAGED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=_descriptors(known_ids),
            supported_pub_key_algs=ALGORITHMS,
        )
        return options_to_json(options)

    def created(self, answer: str, *, challenge: bytes) -> Credential | None:
        """The new key of an answer; ``None`` when it proves none."""
        try:
            found = verify_registration_response(
                credential=_object(answer),
                expected_challenge=challenge,
                expected_rp_id=self._site.host,
                expected_origin=self._site.origin,
                supported_pub_key_algs=ALGORITHMS,
            )
        except _MALFORMED:
            return None
        return Credential(
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
        )

    def request(self, *, known_ids: Sequence[bytes], challenge: bytes) -> str:
        """Ask one of the known keys to sign."""
        options = generate_authentication_options(
            rp_id=self._site.host,
            challenge=challenge,
            timeout=_TIMEOUT_MS,
            allow_credentials=_descriptors(known_ids),
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return options_to_json(options)

    def signed_count(self, answer: str, *, key: KnownKey, challenge: bytes) -> int | None:
        """What the key's counter says beside a right signature; ``None`` without one.

        Whether the counter moved on is the caller's affair, once the signature is known to be
        right: of an unsigned counter nothing can be said.
        """
        try:
            found = verify_authentication_response(
                credential=_object(answer),
                expected_challenge=challenge,
                expected_rp_id=self._site.host,
                expected_origin=self._site.origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=0,
            )
        except _MALFORMED:
            return None
        return found.new_sign_count


def credential_id_of(answer: str) -> bytes | None:
    """Which key claims to answer; ``None`` when it is no answer of a key."""
    try:
        return parse_authentication_credential_json(_object(answer)).raw_id
    except _MALFORMED:
        return None


def _object(answer: str) -> dict[str, object]:
    """An answer's JSON.

    Raises:
        ValueError: It is too long or no JSON object.
    """
    found = json.loads(answer) if len(answer) <= ANSWER_LENGTH_MAX else None
    if not isinstance(found, dict):
        raise ValueError("no answer of a key")  # noqa: TRY004 - it is the text that is wrong
    return found


def _descriptors(known_ids: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each) for each in known_ids]

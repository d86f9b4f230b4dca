# SPDX-License-Identifier: AGPL-3.0-or-later
"""An ID token counts only when everything about it holds."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from central.identity.outside.errors import OutsideRefusedError
from central.identity.outside.settings import OutsideSettings, may_be_called
from central.identity.outside.tokens import Expected, KeyMissingError, person_of
from central.identity.outside.types import OutsideFault, Strength

NOW: Final = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
AT: Final = int(NOW.timestamp())
ISSUER: Final = "https://login.example"
KEY: Final = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY: Final = RSAKey.generate_key(2048, {"kid": "one"})
LATER_KEY: Final = RSAKey.generate_key(2048, {"kid": "two"})
KEYS: Final = KeySet([KEY])
EXPECTED: Final = Expected(
    issuer=ISSUER,
    client_id="luuthong",
    nonce="n-1",
    leeway=timedelta(seconds=60),
    second_factor_values=frozenset({"mfa", "otp"}),
)
GOOD: Final[Mapping[str, object]] = {
    "iss": ISSUER,
    "sub": "a1b2",
    "aud": "luuthong",
    "exp": AT + 300,
    "iat": AT - 1,
    "nonce": "n-1",
}


def signed(changed: Mapping[str, object] | None = None, *, key: RSAKey = KEY) -> str:
    """A token with some claims changed; ``None`` leaves one out."""
    claims = {
        name: value for name, value in {**GOOD, **(changed or {})}.items() if value is not None
    }
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])


def test_a_good_token_names_a_person_by_issuer_and_subject() -> None:
    person = person_of(signed(), KEYS, EXPECTED, now=NOW)

    assert (person.issuer, person.subject) == (ISSUER, "a1b2")
    assert person.strength is Strength.ONE_FACTOR
    assert "a1b2" not in repr(person)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["luuthong", "another-client"]},  # for two, and nobody says who asked
        {"azp": "another-client"},
        {"nonce": "n-2"},
        {"nonce": None},
        {"exp": AT - 61},
        {"exp": None},
        {"iat": AT + 61},
        {"iat": None},
        {"nbf": AT + 61},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 256},
        {"amr": "otp"},  # no list
    ],
)
def test_a_token_of_which_one_claim_does_not_hold_names_nobody(
    changed: dict[str, object],
) -> None:
    with pytest.raises(OutsideRefusedError) as refused:
        person_of(signed(changed), KEYS, EXPECTED, now=NOW)

    assert refused.value.fault is OutsideFault.NOT_TRUSTED
    assert "a1b2" not in str(refused.value)


@pytest.mark.parametrize("changed", [{"exp": AT - 59}, {"iat": AT + 59}, {"nbf": AT + 59}])
def test_a_clock_may_be_off_by_the_leeway(changed: dict[str, object]) -> None:
    assert person_of(signed(changed), KEYS, EXPECTED, now=NOW).subject == "a1b2"


def test_another_key_under_the_same_name_signs_nothing() -> None:
    with pytest.raises(OutsideRefusedError, match="signature"):
        person_of(signed(key=OTHER_KEY), KEYS, EXPECTED, now=NOW)


def test_a_key_that_is_not_known_may_be_a_newer_one() -> None:
    with pytest.raises(KeyMissingError):
        person_of(signed(key=LATER_KEY), KEYS, EXPECTED, now=NOW)


def test_a_secret_that_both_sides_know_signs_nothing() -> None:
    shared = OctKey.generate_key(256, {"kid": "one"})
    token = jwt.encode({"alg": "HS256", "kid": "one"}, dict(GOOD), shared, algorithms=["HS256"])

    with pytest.raises(OutsideRefusedError, match="signature"):
        person_of(token, KeySet([shared]), EXPECTED, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhMWIyIn0."])
def test_what_is_no_signed_token_names_nobody(token: str) -> None:
    with pytest.raises(OutsideRefusedError):
        person_of(token, KEYS, EXPECTED, now=NOW)


@pytest.mark.parametrize(
    ("said", "strength"),
    [
        ({"amr": ["pwd"]}, Strength.ONE_FACTOR),
        ({"amr": ["pwd", "otp"]}, Strength.TWO_FACTORS),
        ({"acr": "mfa"}, Strength.TWO_FACTORS),
        ({"acr": "0"}, Strength.ONE_FACTOR),
        ({"amr": [["otp"]]}, Strength.ONE_FACTOR),
    ],
)
def test_a_second_factor_counts_when_the_provider_says_so(
    said: dict[str, object], strength: Strength
) -> None:
    assert person_of(signed(said), KEYS, EXPECTED, now=NOW).strength is strength


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://login.example/realm", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://login.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://localhost@evil.example", False),
        ("file:///etc/passwd", False),
        ("https://", False),
    ],
)
def test_a_provider_on_another_machine_is_called_by_tls_only(url: str, *, may: bool) -> None:
    assert may_be_called(url) is may


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://login.example"},
        {"console_url": "http://console.example"},
        {"console_url": None},
        {"client_secret_file": None},
    ],
)
def test_half_or_unprotected_settings_of_a_provider_are_refused(
    changed: dict[str, object],
) -> None:
    whole: dict[str, object] = {
        "issuer": ISSUER,
        "console_url": "https://console.example",
        "client_secret_file": "secret",
    }

    assert OutsideSettings.model_validate(whole).issuer == ISSUER
    with pytest.raises(ValueError, match=r"need"):
        OutsideSettings.model_validate(whole | changed)

# SPDX-License-Identifier: AGPL-3.0-or-later
"""One-time codes after RFC 6238, clocks that are apart, recovery codes, and sealed secrets."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from pyotp import TOTP

from central.errors import SettingsError
from central.identity.second_factor.codes import (
    RECOVERY_CODES,
    STEP_S,
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    setup_uri,
    step_of,
)
from central.identity.second_factor.sealing import SecretSeal

RFC_SECRET: Final = b"12345678901234567890"
NOW: Final = datetime(2026, 3, 1, 8, 0, 10, tzinfo=UTC)
KEY: Final = "a" * 43


def code_at(moment: datetime, secret: bytes = RFC_SECRET) -> str:
    """What an app shows at a moment."""
    return TOTP(base64.b32encode(secret).decode()).at(moment)


@pytest.mark.parametrize(
    ("unix_s", "code"),
    [  # RFC 6238, appendix B, SHA-1, the last six of its eight digits
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_codes_of_the_standard_are_right_at_their_times(unix_s: int, code: str) -> None:
    now = datetime.fromtimestamp(unix_s, UTC)

    assert matching_step(RFC_SECRET, code, now=now, after_step=-1) == unix_s // STEP_S


@pytest.mark.parametrize(
    ("skew_s", "is_taken"),
    [  # the server's clock stands 10 s into a step
        (-71, False),  # three steps behind
        (-70, False),  # two steps behind, at the beginning
        (-41, False),  # two steps behind, at the end
        (-40, True),  # one step behind, at the beginning
        (-11, True),  # one step behind, at the end
        (-10, True),  # the same step
        (0, True),
        (19, True),
        (20, True),  # one step ahead, at the beginning
        (49, True),  # one step ahead, at the end
        (50, False),  # two steps ahead
        (80, False),  # three steps ahead
    ],
)
def test_a_telephones_clock_may_be_one_step_off_either_way_and_no_more(
    skew_s: int,
    is_taken: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    telephone = NOW + timedelta(seconds=skew_s)

    step = matching_step(RFC_SECRET, code_at(telephone), now=NOW, after_step=0)

    assert (step is not None) is is_taken
    assert step in {None, step_of(telephone)}


def test_no_code_up_to_the_newest_that_was_taken_is_taken_again() -> None:
    earlier = NOW - timedelta(seconds=STEP_S)

    assert matching_step(RFC_SECRET, code_at(NOW), now=NOW, after_step=step_of(NOW)) is None
    assert matching_step(RFC_SECRET, code_at(earlier), now=NOW, after_step=step_of(NOW)) is None


def test_secrets_and_recovery_codes_are_random_and_long() -> None:
    codes = {code for _ in range(20) for code in new_recovery_codes()}

    assert len({new_secret() for _ in range(100)}) == 100
    assert len(new_secret()) * 8 == 160
    assert len(codes) == 20 * RECOVERY_CODES
    assert {len(code.replace("-", "")) * 5 for code in codes} == {120}  # bits in base32


def test_a_recovery_code_is_the_same_in_small_letters_and_without_hyphens() -> None:
    code = new_recovery_codes()[0]

    assert recovery_hash(code.lower().replace("-", " ")) == recovery_hash(code)
    assert recovery_hash(code[:-1]) != recovery_hash(code)


def test_an_app_learns_the_secret_and_whose_it_is() -> None:
    uri = setup_uri(RFC_SECRET, username="tran.van.an")

    assert uri.startswith("otpauth://totp/Luuthong:tran.van.an?")
    assert f"secret={base64.b32encode(RFC_SECRET).decode()}" in uri


def test_a_sealed_secret_opens_with_its_key_and_for_its_user_alone() -> None:
    seal = SecretSeal.of_text(KEY)
    sealed = seal.seal(RFC_SECRET, user_id=1)

    assert seal.open(sealed, user_id=1) == RFC_SECRET
    assert seal.open(sealed, user_id=2) is None
    assert SecretSeal.of_text("b" * 43).open(sealed, user_id=1) is None
    assert seal.open(sealed[:5], user_id=1) is None
    assert RFC_SECRET not in sealed
    assert seal.seal(RFC_SECRET, user_id=1) != sealed


def test_a_short_key_is_refused_without_being_told() -> None:
    with pytest.raises(SettingsError) as refused:
        SecretSeal.of_text("secret")

    assert "secret" not in str(refused.value).replace("secrets", "")

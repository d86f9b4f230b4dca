# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which passwords nobody may choose."""

import pytest

from central.identity.passwords import (
    PASSWORD_LENGTH_MAX,
    PasswordFault,
    fault_of,
    hashed,
    verified,
)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("ngắn quá", PasswordFault.TOO_SHORT),
        ("x" * 257, PasswordFault.TOO_LONG),
        ("password123456", PasswordFault.TOO_COMMON),
        ("P@ssw0rd!2026", PasswordFault.TOO_COMMON),
        ("Mật khẩu 123456", PasswordFault.TOO_COMMON),
        ("anhyeuem12345678", PasswordFault.TOO_COMMON),
        ("qwertyuiop12", PasswordFault.TOO_COMMON),
        ("123456789012345", PasswordFault.TOO_COMMON),
        ("abababababababab", PasswordFault.TOO_COMMON),
        ("tran.thi.huong-cau", PasswordFault.HOLDS_NAME),
        ("Trần Thị Hương đi chợ", PasswordFault.HOLDS_NAME),
        ("con trâu ăn cỏ non", None),
        ("vGq3-xW_8bTz7Lm2", None),
    ],
)
def test_common_short_and_own_names_are_refused(password: str, fault: PasswordFault | None) -> None:
    found = fault_of(password, username="tran.thi.huong", display_name="Trần Thị Hương")

    assert found is fault


def test_a_password_that_is_too_long_never_fits() -> None:
    longest = "v9Gq-" * 51 + "x"
    known = hashed(longest)

    assert len(longest) == PASSWORD_LENGTH_MAX
    assert verified(longest, known)[0]
    assert not verified(f"{longest}y", known)[0]

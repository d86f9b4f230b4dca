# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which passwords nobody may choose."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from central.errors import SettingsError
from central.identity.passwords import (
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    PasswordFault,
    fault_of,
    hashed,
    read_own_words,
    verified,
)

COMMONEST: Final = 3000


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
        ("dragonmonkey2024", PasswordFault.TOO_COMMON),
        ("...Maverick2026!!", PasswordFault.TOO_COMMON),
        ("so-xay-dung-tinh", PasswordFault.TOO_COMMON),
        ("tran.thi.huong-cau", PasswordFault.HOLDS_NAME),
        ("Trần Thị Hương đi chợ", PasswordFault.HOLDS_NAME),
        ("con trâu ăn cỏ non", None),
        ("vGq3-xW_8bTz7Lm2", None),
    ],
)
def test_common_short_and_own_names_are_refused(password: str, fault: PasswordFault | None) -> None:
    found = fault_of(password, username="tran.thi.huong", display_name="Trần Thị Hương")

    assert found is fault


def test_the_commonest_passwords_are_refused_with_digits_up_to_the_shortest_length() -> None:
    commonest = FREQUENCY_LISTS["passwords"]
    long_enough = [each for each in commonest if len(each) >= PASSWORD_LENGTH_MIN]
    lengthened = [
        each + "8461957320"[: PASSWORD_LENGTH_MIN - len(each)]
        for each in commonest[:COMMONEST]
        if len(each) >= 4
    ]

    chosen = [
        each
        for each in (*long_enough, *lengthened)
        if fault_of(each, username="an", display_name="An") is None
    ]

    assert len(long_enough) > 200
    assert len(lengthened) > 0.95 * COMMONEST
    assert chosen == []


def test_the_authoritys_own_words_are_refused_like_the_common_ones(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("# tên cơ quan\nTrung tâm Điều hành\n\nBuôn Hồ\nxe\n", encoding="utf-8")
    password = "trungtamdieuhanh2026"

    words = read_own_words(file)

    assert words == ("Trung tâm Điều hành", "Buôn Hồ", "xe")
    assert fault_of(password, username="an", display_name="An") is None
    found = fault_of(password, username="an", display_name="An", own_words=words)
    assert found is PasswordFault.TOO_COMMON
    kept = fault_of("xe đạp cũ màu xanh lá", username="an", display_name="An", own_words=words)
    assert kept is None


def test_a_file_of_words_that_is_missing_or_endless_is_named_and_nothing_else(
    tmp_path: Path,
) -> None:
    endless = tmp_path / "words"
    endless.write_text("từ\n" * 1001, encoding="utf-8")

    for file in (endless, tmp_path / "nowhere"):
        with pytest.raises(SettingsError, match=file.name):
            read_own_words(file)


@pytest.mark.parametrize("password", ["a1" * 128, "4@8({[<3613!1|0$" * 16, "passw0rd" * 32])
def test_no_password_takes_long_to_judge(password: str) -> None:
    started_s = time.process_time()

    fault_of(password, username="an", display_name="An")

    assert time.process_time() - started_s < 1.0


def test_a_password_that_is_too_long_never_fits() -> None:
    longest = "v9Gq-" * 51 + "x"
    known = hashed(longest)

    assert len(longest) == PASSWORD_LENGTH_MAX
    assert verified(longest, known)[0]
    assert not verified(f"{longest}y", known)[0]


def test_passwords_are_hashed_at_the_cost_that_rfc_9106_recommends_second() -> None:
    program = "from central.identity.passwords import hashed; print(hashed('x' * 12))"

    # In a process of its own: the tests' own hashes are made cheap.
    made = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert made.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")

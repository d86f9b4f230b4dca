# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passwords: how they are kept, and which ones nobody may choose (NIST SP 800-63B-4, 3.1.1).

Length counts, and that the password is not one that everybody tries; no mixture of kinds of signs
is asked for, and no change but after a leak.
"""

import re
import secrets
import unicodedata
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

PASSWORD_LENGTH_MIN: Final = 12
"""Shortest password that somebody may choose. Higher: harder to guess, more often noted down."""

PASSWORD_LENGTH_MAX: Final = 256
"""Longest password that is hashed: a longer one only costs time."""

GENERATED_PASSWORD_BYTES: Final = 15
DISTINCT_SIGNS_MIN: Final = 5
REST_LENGTH_MIN: Final = 5
"""Letters that must stay when common words are taken out. Higher: more is refused."""

_WORDS_FILE: Final = Path(__file__).with_name("common_passwords.txt")
_NO_LETTER: Final = re.compile(r"[\W\d_]+")
_LOOK_ALIKES: Final = str.maketrans("013457@$", "oleastas")


class PasswordFault(StrEnum):
    """Why a password may not be chosen."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"
    HOLDS_NAME = "holds_name"
    SAME_AS_BEFORE = "same_as_before"


def fault_of(password: str, *, username: str, display_name: str) -> PasswordFault | None:
    """Why somebody may not choose a password; ``None`` when it is fine."""
    given = unicodedata.normalize("NFKC", password)
    if len(given) < PASSWORD_LENGTH_MIN:
        return PasswordFault.TOO_SHORT
    if len(given) > PASSWORD_LENGTH_MAX:
        return PasswordFault.TOO_LONG
    plain = _plain(given)
    names = {_plain(username), _plain(display_name)} - {""}
    if any(name in plain for name in names if len(name) >= REST_LENGTH_MIN):
        return PasswordFault.HOLDS_NAME
    if len(set(given)) < DISTINCT_SIGNS_MIN or _is_common(given):
        return PasswordFault.TOO_COMMON
    return None


def new_password() -> str:
    """A password that nobody can guess."""
    return secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)


def hashed(password: str) -> str:
    """What is kept of a password; slow on purpose."""
    return _hasher().hash(_normal(password))


def verified(password: str, known_hash: str | None) -> tuple[bool, str | None]:
    """Whether a password fits a hash, and a newer hash of it if the old one is outdated.

    Slow on purpose; ``None``, as of an unknown account, costs the same and never fits.
    """
    given = _normal(password)
    is_too_long = len(given) > PASSWORD_LENGTH_MAX  # cut short it could fit
    known = _hash_of_nobody() if known_hash is None or is_too_long else known_hash
    try:
        return _hasher().verify_and_update(given[:PASSWORD_LENGTH_MAX], known)
    except UnknownHashError:
        return False, None


def _normal(password: str) -> str:
    """The same signs whatever keyboard they come from."""
    return unicodedata.normalize("NFKC", password)


def _is_common(password: str) -> bool:
    """Whether next to nothing stays when common words, digits and signs are taken out."""
    folded = password.casefold()
    variants = {_plain(folded), _plain(folded.translate(_LOOK_ALIKES))}
    return any(len(_without_common_words(each)) < REST_LENGTH_MIN for each in variants)


def _without_common_words(plain: str) -> str:
    """What stays of a password; the longest words go first."""
    for word in _common_words():
        plain = plain.replace(word, " ")
    return plain.replace(" ", "")


def _plain(text: str) -> str:
    """Letters alone, without marks and in small, as people leave them out when they type."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return _NO_LETTER.sub("", bare)


@lru_cache(maxsize=1)
def _common_words() -> tuple[str, ...]:
    """Words that common passwords are made of, longest first."""
    lines = _WORDS_FILE.read_text("utf-8").splitlines()
    words = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    """Argon2id with the library's recommended cost."""
    return PasswordHash((Argon2Hasher(),))


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    """A hash that no password fits, to spend the same time on unknown users."""
    return _hasher().hash(secrets.token_urlsafe(GENERATED_PASSWORD_BYTES))

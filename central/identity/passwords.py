# SPDX-License-Identifier: AGPL-3.0-or-later
"""Passwords: how they are kept, and which ones nobody may choose (NIST SP 800-63B-4, 3.1.1).

Length counts, and that the password is not one that everybody tries; no mixture of kinds of signs
is asked for, and no change but after a leak.
"""

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from central.errors import SettingsError

PASSWORD_LENGTH_MIN: Final = 12
"""Shortest password that somebody may choose. Higher: harder to guess, more often noted down."""

PASSWORD_LENGTH_MAX: Final = 256
"""Longest password that is hashed: a longer one only costs time."""

GENERATED_PASSWORD_BYTES: Final = 15
DISTINCT_SIGNS_MIN: Final = 5
REST_LENGTH_MIN: Final = 5
"""Letters that must stay when common words are taken out. Higher: more is refused."""

COMMON_LENGTH_MIN: Final = 4
"""Shortest password of the list that counts as a part of another. Higher: less is refused."""

OWN_WORDS_MAX: Final = 1000
OWN_WORD_LENGTH_MIN: Final = 3
_WORDS_FILE: Final = Path(__file__).with_name("common_passwords.txt")
_NO_LETTER: Final = re.compile(r"[\W\d_]+")
_ENDING: Final = re.compile(r"[\W\d_]*$")
_BEGINNING: Final = re.compile(r"^[\W\d_]*")
_LOOK_ALIKES: Final = str.maketrans("013457@$", "oleastas")


class PasswordFault(StrEnum):
    """Why a password may not be chosen."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"
    HOLDS_NAME = "holds_name"
    SAME_AS_BEFORE = "same_as_before"


def fault_of(
    password: str, *, username: str, display_name: str, own_words: Collection[str] = ()
) -> PasswordFault | None:
    """Why somebody may not choose a password; ``None`` when it is fine.

    Args:
        password: What the user typed.
        username: The user's name, which it may not hold.
        display_name: The same as people write it.
        own_words: The authority's own words, which count like the common ones.
    """
    given = unicodedata.normalize("NFKC", password)
    if len(given) < PASSWORD_LENGTH_MIN:
        return PasswordFault.TOO_SHORT
    if len(given) > PASSWORD_LENGTH_MAX:
        return PasswordFault.TOO_LONG
    plain = _plain(given)
    names = {_plain(username), _plain(display_name)} - {""}
    if any(name in plain for name in names if len(name) >= REST_LENGTH_MIN):
        return PasswordFault.HOLDS_NAME
    if len(set(given)) < DISTINCT_SIGNS_MIN or _is_common(given, own_words):
        return PasswordFault.TOO_COMMON
    return None


def read_own_words(path: Path) -> tuple[str, ...]:
    """The authority's own words from a file, one a line; lines with ``#`` are remarks.

    Raises:
        SettingsError: The file can't be read, or holds too many.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = list(islice(file, OWN_WORDS_MAX + 1))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"can't read the file of words {path.name}") from error
    if len(lines) > OWN_WORDS_MAX:
        raise SettingsError(f"the file of words {path.name} has over {OWN_WORDS_MAX} lines")
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


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


def _is_common(password: str, own_words: Collection[str]) -> bool:
    """Whether it is one of the commonest, or next to nothing stays without common words."""
    folded = password.casefold()
    words = _longest_first({*_common_words(), *filter(_counts, map(_plain, own_words))})
    for each in {folded, folded.translate(_LOOK_ALIKES)}:
        if len(_without(words, _plain(each))) < REST_LENGTH_MIN:
            return True
        if any(_is_made_of_commonest(core) for core in _cores(each)):
            return True
    return False


def _counts(word: str) -> bool:
    """Whether a word of the authority is long enough to be looked for."""
    return len(word) >= OWN_WORD_LENGTH_MIN


def _cores(password: str) -> Iterator[str]:
    """The password, and what stays of it when digits and signs at its ends are cut off."""
    yield _plain(password)
    for begin in {password, _BEGINNING.sub("", password)}:
        shortest = len(_ENDING.sub("", begin))
        for end in range(shortest, len(begin) + 1):
            yield begin[:end]


def _is_made_of_commonest(text: str) -> bool:
    """Whether a text is one of the commonest passwords, or two of them in a row."""
    known = _commonest()
    if text in known:
        return True
    return any(
        text[:split] in known and text[split:] in known
        for split in range(COMMON_LENGTH_MIN, len(text) - COMMON_LENGTH_MIN + 1)
    )


def _without(words: Collection[str], plain: str) -> str:
    """What stays of a password when words are taken out in their order."""
    for word in words:
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
    return _longest_first({line.strip() for line in lines if line and not line.startswith("#")})


def _longest_first(words: Collection[str]) -> tuple[str, ...]:
    """Words in the order in which they are taken out."""
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


@lru_cache(maxsize=1)
def _commonest() -> frozenset[str]:
    """The 30,000 commonest passwords of a published leak, in small.

    Only the list of the library is used: its estimate takes half a minute on some passwords.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - large, and seldom needed

    return frozenset(
        each for each in FREQUENCY_LISTS["passwords"] if len(each) >= COMMON_LENGTH_MIN
    )


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    """Argon2id with the library's recommended cost."""
    return PasswordHash((Argon2Hasher(),))


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    """A hash that no password fits, to spend the same time on unknown users."""
    return _hasher().hash(secrets.token_urlsafe(GENERATED_PASSWORD_BYTES))

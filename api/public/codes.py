# SPDX-License-Identifier: AGPL-3.0-or-later
"""A dossier's code as people type it: small, with blanks, without dashes, or a whole address."""

import re
from typing import Final

CODE_LENGTH_MAX: Final = 60
"""Longest code that comes back in the form; a code is much shorter."""

TYPED_LENGTH_MAX: Final = 300
"""Longest text that is looked at: the address of a dossier's page may be pasted."""

_NOISE: Final = re.compile(r"[^0-9A-Z.]")
_PARTS: Final = re.compile(r"([A-Z][0-9]{2}(?:\.[0-9]{1,3}){0,3})([0-9]{6})([0-9]{4})")


def code_in(typed: str) -> str | None:
    """The code that somebody meant; ``None`` when it can be none."""
    last = typed[:TYPED_LENGTH_MAX].split("?", maxsplit=1)[0].rstrip("/ ").rpartition("/")[2]
    parts = _PARTS.fullmatch(_NOISE.sub("", last.upper()))
    return "-".join(parts.groups()) if parts is not None else None

# SPDX-License-Identifier: AGPL-3.0-or-later
"""What words for codes are made of; every area of the console has its own in ``labels.py``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Translate = Callable[[str], str]
Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWords:
    """An error for a person: what happened, and what to do."""

    title: str
    advice: str

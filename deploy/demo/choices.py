# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the command line may choose; apart, because the command line loads no vision library."""

from enum import StrEnum


class View(StrEnum):
    """How a source is looked at; the names are the edge program's."""

    GATE = "gate"
    """A toll lane or barrier: plates are looked for in the whole picture."""
    ROAD = "road"
    """A road: vehicles are followed, plates are looked for on each of them."""


class Ending(StrEnum):
    """What becomes of the stack when the demonstration is over."""

    ASK_TERMINAL = "ask-terminal"
    """Stay until Ctrl-C at a terminal; stop at once in a script."""
    STOP = "stop"
    """Stop it at once."""


class Chapter(StrEnum):
    """Which part of the demonstration is shown."""

    ROAD = "road"
    """A road with many vehicles: nothing is lost and nothing doubled."""
    STORY = "story"
    """One truck's story: control, toll, counter and closing of the day."""
    ALL = "all"
    """Both."""

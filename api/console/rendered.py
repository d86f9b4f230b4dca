# SPDX-License-Identifier: AGPL-3.0-or-later
"""Remembers the newest pieces of live pages, so that 200 open consoles cost one rendering each."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

PIECES_MAX: Final = 64
"""Most pieces kept; the oldest goes first. A piece is asked for again within milliseconds, by the
other streams that got the same news. Higher: more different searches share, more memory."""


class RenderedPieces:
    """HTML by what it shows; lives in one process and one event loop.

    A key must say everything that the piece depends on: its rows as they were, and its language.
    """

    def __init__(self) -> None:
        self._pieces: OrderedDict[Hashable, str] = OrderedDict()

    def get(self, key: Hashable, render: Callable[[], str]) -> str:
        """The piece of this key, rendered when nobody asked for it lately."""
        piece = self._pieces.get(key)
        if piece is None:
            piece = self._pieces[key] = render()
            while len(self._pieces) > PIECES_MAX:
                self._pieces.popitem(last=False)
        return piece

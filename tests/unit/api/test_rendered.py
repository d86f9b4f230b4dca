# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pieces of live pages are rendered once for all who show them, and forgotten soon."""

from api.console.rendered import PIECES_MAX, RenderedPieces


def test_a_piece_is_rendered_once_for_everybody_and_forgotten_when_many_came_after() -> None:
    pieces = RenderedPieces()
    rendered: list[int] = []

    def ask(number: int) -> str:
        def render() -> str:
            rendered.append(number)
            return f"piece {number}"

        return pieces.get(number, render)

    assert [ask(1), ask(1)] == ["piece 1", "piece 1"]
    assert rendered == [1]
    for number in range(2, 2 + PIECES_MAX):
        ask(number)
    ask(1)
    assert rendered.count(1) == 2

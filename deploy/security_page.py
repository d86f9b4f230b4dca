# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of security points: reads ``deploy/docs/security.md`` and counts what it says.

``python -m deploy.security_page`` writes the counts at the page's top; a test compares them, and
looks whether every test that the list names is there.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parent / "docs" / "security.md"
BEGIN: Final = "<!-- counts: written by make docs -->"
END: Final = "<!-- end of counts -->"
_ROW: Final = re.compile(r"^\| (\d+\.\d+\.\d+) \|")
_CELLS: Final = 6
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_PAGE_LINK: Final = re.compile(r"\]\([^)]+\.md(?:#[^)]*)?\)")


class PointState(StrEnum):
    """How a point of the standard stands."""

    MET = "met"
    NOT_MET = "not met"
    DOES_NOT_APPLY = "does not apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of the standard as the page has it.

    Attributes:
        number: Such as ``1.2.4``.
        level: Lowest level of the standard that asks for it.
        tests: File and function of each test that shows it.
        has_page: Whether it names a page that lays the matter down.
    """

    number: str
    level: int
    state: PointState
    how: str
    tests: Sequence[tuple[str, str]]
    has_page: bool

    @property
    def chapter(self) -> int:
        """Chapter of the standard."""
        return int(self.number.split(".", 1)[0])


def points_of(text: str) -> tuple[Point, ...]:
    """Every row of the page's tables, in its order.

    Raises:
        ValueError: A row has too few cells, or a state that is none.
    """
    return tuple(_point(line) for line in text.splitlines() if _ROW.match(line))


def counts_text(points: Sequence[Point]) -> str:
    """The table at the page's top."""
    lines = [
        f"| chapter | {' | '.join(PointState)} | together |",
        f"|---|{'---:|' * (len(PointState) + 1)}",
    ]
    for chapter in sorted({point.chapter for point in points}):
        of_chapter = [point for point in points if point.chapter == chapter]
        lines.append(_counts_row(f"V{chapter}", of_chapter))
    for level in sorted({point.level for point in points}):
        of_level = [point for point in points if point.level == level]
        lines.append(_counts_row(f"**level {level}**", of_level))
    lines.append(_counts_row("**all**", points))
    return "\n".join(lines)


def with_counts(text: str) -> str:
    """The page with its counts computed.

    Raises:
        ValueError: The place for the counts is missing.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for its counts")
    return f"{head}{BEGIN}\n\n{counts_text(points_of(text))}\n\n{END}{tail}"


def _point(line: str) -> Point:
    """One row."""
    cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    if len(cells) != _CELLS:
        raise ValueError(f"a row needs {_CELLS} cells: {line}")
    number, level, _, state, how, shown = cells
    return Point(
        number=number.strip(),
        level=int(level),
        state=PointState(state),
        how=how,
        tests=tuple((file, name) for file, name in _TEST.findall(shown)),
        has_page=_PAGE_LINK.search(f"{how} {shown}") is not None,
    )


def _counts_row(name: str, points: Sequence[Point]) -> str:
    counted = Counter(point.state for point in points)
    return f"| {name} | {' | '.join(str(counted[each]) for each in PointState)} | {len(points)} |"


if __name__ == "__main__":
    PAGE.write_text(with_counts(PAGE.read_text("utf-8")), encoding="utf-8")

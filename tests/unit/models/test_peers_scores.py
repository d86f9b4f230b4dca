# SPDX-License-Identifier: AGPL-3.0-or-later
"""The peers' lines are judged kindly: a filter may only ever help them."""

import pytest

from models.evaluation.figures.intervals import Share
from tests.load.bench_peers import Row, markdown
from tests.load.peers_pictures import TruePicture, thinned
from tests.load.peers_scores import TextLine, filtered_text, in_reading_order, raw_text


def line(text: str, x: float = 50, y: float = 10) -> TextLine:
    return TextLine(text=text, x_px=x, y_px=y, height_px=20)


def test_lines_are_read_from_the_top_and_from_the_left() -> None:
    lines = [line("345", x=90, y=42), line("12", x=20, y=38), line("30-A1", y=10)]

    assert [one.text for one in in_reading_order(lines)] == ["30-A1", "12", "345"]
    assert raw_text(lines) == "30A112345"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        # Legal as it is.
        ([line("30A-123.45")], "30A12345"),
        # A dealer's frame above and lettering below are left out.
        ([line("AUTO", y=0), line("30A-123.45", y=30), line("HA NOI", y=60)], "30A12345"),
        # Of two legal texts the longer one.
        ([line("29-H1", y=0), line("123.45", y=30)], "29H112345"),
        # O for 0 in the number and 8 for B in the series.
        ([line("3O8-123.45")], "30B12345"),
        ([line("30A-I2345")], "30A12345"),
        # Nothing legal comes out of it: the raw text stands.
        ([line("HELLO WORLD")], "HELLOWORLD"),
        ([], ""),
    ],
)
def test_the_filter_keeps_what_fits_a_legal_format(lines: list[TextLine], text: str) -> None:
    assert filtered_text(lines) == text


def test_a_set_is_thinned_evenly(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    pictures = [
        TruePicture(path=folder / str(number), text="", is_crop=True) for number in range(10)
    ]

    kept = thinned(pictures, limit=4)

    assert [picture.path.name for picture in kept] == ["0", "2", "5", "7"]
    assert thinned(pictures, limit=20) == tuple(pictures)


def test_the_table_has_a_line_for_each_system_and_set() -> None:
    row = Row(
        set_name="gate",
        system="ours",
        exact=Share(successes=9, trials=10),
        answered=Share(successes=8, trials=10),
        answered_wrong=Share(successes=0, trials=8),
        median_ms=41.6,
    )

    lines = markdown([row, row]).splitlines()

    assert len(lines) == 4
    assert lines[2].startswith("| gate: 10 | ours | 90")
    assert lines[2].endswith("| 42 |")
    assert len({line.count("|") for line in lines}) == 1

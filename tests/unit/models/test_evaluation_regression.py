# SPDX-License-Identifier: AGPL-3.0-or-later
import json
from pathlib import Path

import pytest

from models.errors import DatasetError
from models.evaluation.document import EvaluationDocument, slice_document
from models.evaluation.figures.intervals import Share
from models.evaluation.regression import falls, read_report
from tests.unit.models.test_evaluation_report import document


def report(*, exact: int, wrong: int, trials: int = 200) -> EvaluationDocument:
    figures = document()
    figures["measurements"][0]["slices"] = [
        slice_document(
            "all",
            pictures=trials,
            shares={
                "exact": Share(successes=exact, trials=trials),
                "answered_wrong": Share(successes=wrong, trials=trials),
            },
        )
    ]
    return figures


def test_a_share_that_fell_far_is_named() -> None:
    (fall,) = falls(report(exact=150, wrong=2), report(exact=190, wrong=2))

    assert (fall.slice_name, fall.share) == ("all", "exact")
    assert "was 95.0%" in str(fall)
    assert "is 75.0%" in str(fall)


def test_more_wrong_answers_are_a_fall_too() -> None:
    (fall,) = falls(report(exact=190, wrong=30), report(exact=190, wrong=2))

    assert fall.share == "answered_wrong"


def test_better_or_a_little_worse_is_no_fall() -> None:
    assert falls(report(exact=200, wrong=0), report(exact=150, wrong=30)) == ()
    assert falls(report(exact=188, wrong=3), report(exact=190, wrong=2)) == ()


def test_a_report_is_read_back_and_another_file_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    (tmp_path / "other.json").write_text('{"schema": "luuthong-evaluation/1"}', encoding="utf-8")
    (tmp_path / "no.json").write_text("[]", encoding="utf-8")

    assert read_report(path) == document()
    for name in ("other.json", "no.json", "absent.json"):
        with pytest.raises(DatasetError, match=name):
            read_report(tmp_path / name)

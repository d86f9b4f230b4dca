# SPDX-License-Identifier: AGPL-3.0-or-later
import json
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from models import cli
from models.datasets.pool import PROJECT_FOLDER
from models.errors import DatasetError
from models.evaluation.detection import Outcome, Truth
from models.evaluation.document import (
    SCHEMA,
    EvaluationDocument,
    MeasurementDocument,
    latency_document,
    machine_document,
    probability_curves,
    sequence_slices,
    slice_document,
)
from models.evaluation.figures.calibration import Judged
from models.evaluation.figures.comparison import paired
from models.evaluation.figures.intervals import Share
from models.evaluation.latency import latency_of, this_machine, times_ms
from models.evaluation.pages.gallery import require_private_folder, write_gallery
from models.evaluation.pages.report_page import report_page
from models.evaluation.report import evaluation_text
from models.evaluation.sequences import SequenceScore
from models.runtime.values import BgrImage, BoxPx, Detection
from tests.unit.models.test_evaluation_reading import case, reading

JUDGED = Judged.of([0.9, 0.8, 0.95, 0.2], [True, False, True, False], ["a", "b", "c", "d"])


def document() -> EvaluationDocument:
    shares = {"exact": Share(successes=9, trials=10), "answered": Share(successes=0, trials=0)}
    tracks = SequenceScore(
        kind="five <hard> looks",
        tracks=4,
        fused=Share(successes=3, trials=4),
        surest=Share(successes=2, trials=4),
        majority=Share(successes=1, trials=4),
        answered=Share(successes=2, trials=4),
        answered_wrong=Share(successes=0, trials=2),
        over_surest=paired([True] * 3 + [False], [True] * 2 + [False] * 2),
        over_majority=paired([True] * 3 + [False], [True] + [False] * 3),
        calibration={},
    )
    crops = MeasurementDocument(
        subject="plate-reader",
        data="validation",
        note="labels as they are",
        slices=[slice_document("all", pictures=10, shares=shares)],
        curves=probability_curves(JUDGED),
    )
    fusion = MeasurementDocument(
        subject="fusion", data="tracks", note="", slices=sequence_slices([tracks]), curves={}
    )
    return EvaluationDocument(
        schema=SCHEMA,
        made_at="2026-11-27T20:00:00+00:00",
        split="validation",
        backend="auto",
        machine=machine_document(this_machine()),
        models=[{"model": "plate-reader", "version": "1.0.0", "sha256": "0" * 64}],
        manifests={"plate-crops": "1" * 64},
        rules=["night: dark"],
        min_overlap=0.5,
        answer_from=0.9,
        measurements=[crops, fusion],
        latency=[latency_document(latency_of("read", backend="openvino", times=[1, 2, 3]))],
    )


def test_the_page_needs_nothing_beside_itself() -> None:
    page = report_page(document())

    assert not re.search(r"(src|href)=|url\(|https?://|<script", page)
    assert page.count("<svg") == 2 + 3  # two plots of slices, risk, two kinds of calibration
    assert "five &lt;hard&gt; looks" in page
    assert "90.00%" in page


def test_the_document_is_json_and_the_table_tells_the_same() -> None:
    figures = document()

    text = evaluation_text(figures)

    assert json.loads(json.dumps(figures)) == figures
    assert "90.0% [59.6%, 98.2%] of 10" in text
    assert "fused_over_majority" in text
    assert "no data" in text


def test_curves_end_with_everything_answered() -> None:
    points = probability_curves(JUDGED)["risk_coverage"]

    assert points[-1]["answered"] == 1.0
    assert points[-1]["wrong"] == 0.5
    assert points[0]["threshold"] == 0.95


def test_times_are_counted_after_the_first_runs() -> None:
    seen: list[int] = []
    pictures: list[BgrImage] = [np.full((1, 1, 3), value, np.uint8) for value in (1, 2)]

    times = times_ms(lambda picture: seen.append(int(picture[0, 0, 0])), pictures, repeats=4)

    assert len(times) == 4
    assert seen[-4:] == [1, 2, 1, 2]


def test_a_step_has_median_and_ninth_decile() -> None:
    one = latency_of("read", backend="openvino", times=[5.0, 1.0, 3.0, 2.0, 4.0])

    assert (one.median_ms.value, one.repeats) == (3.0, 5)
    assert one.p90_ms == pytest.approx(4.6)
    assert one.median_ms.low_95 is not None
    assert one.median_ms.low_95 <= 3.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not here")
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run([git, "init", "--quiet"], cwd=project, check=True)
    (project / ".gitignore").write_text("/runs/\n", encoding="utf-8")
    return project


def test_a_gallery_stays_out_of_the_project(project: Path) -> None:
    with pytest.raises(DatasetError, match="real plates"):
        require_private_folder(project / "gallery", project=project)
    with pytest.raises(DatasetError, match="real plates"):
        require_private_folder(project / "runs" / ".." / "gallery", project=project)

    assert not (project / "gallery").exists()


def test_a_gallery_may_lie_outside_or_where_git_looks_away(project: Path) -> None:
    ignored = require_private_folder(project / "runs" / "gallery", project=project)
    outside = require_private_folder(project.parent / "elsewhere", project=project)

    assert ignored.is_dir()
    assert outside.stat().st_mode & 0o077 == 0


def test_a_file_is_no_place_for_a_gallery(project: Path) -> None:
    (project.parent / "file").write_text("", encoding="utf-8")

    with pytest.raises(DatasetError, match="file"):
        require_private_folder(project.parent / "file", project=project)


def test_the_gallery_shows_failures_only(tmp_path: Path) -> None:
    picture = np.full((60, 80, 3), 90, np.uint8)
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    box = BoxPx(x_min=10, y_min=10, x_max=30, y_max=20)
    truth = Truth(label="plate", box_px=box)
    found, faint = (Detection(label="plate", confidence=c, box_px=box) for c in (0.9, 0.1))
    outcomes = [outcome([truth], []), outcome([truth], [found]), outcome([], [faint])]

    written = write_gallery(
        tmp_path / "gallery",
        cases=[
            case("51F12345", reading("51F12345", 0.9)),
            case("51F12345", reading("51E12345", 0.5)),
        ],
        outcomes={"plate-detector": outcomes},
        pool=tmp_path,
        min_confidences={"plate-detector": 0.4},
    )

    page = written.page.read_text(encoding="utf-8")
    assert dict(written.counts) == {"reading: confusable pair": 1, "plate-detector: missed": 1}
    assert "51<mark>E</mark>12345" in page
    assert len(list(written.page.parent.glob("*.png"))) == 1
    assert len(list(written.page.parent.glob("*.jpg"))) == 1


def outcome(truths: list[Truth], detections: list[Detection]) -> Outcome:
    return Outcome(
        file="a.png",
        source="gate",
        is_night=False,
        truths=tuple(truths),
        detections=tuple(detections),
        width_px=300,
        height_px=300,
    )


def test_the_command_refuses_a_gallery_in_the_project_before_it_measures(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inside = PROJECT_FOLDER / "failures"

    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "--data", str(shared_data), "--gallery", str(inside)])

    assert ended.value.code == 1
    assert "real plates" in capsys.readouterr().err
    assert not inside.exists()


def test_the_command_refuses_an_earlier_report_that_is_none(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "before.json").write_text("{}", encoding="utf-8")

    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["evaluate", "--data", str(shared_data), "--against", str(tmp_path / "before.json")]
        )

    assert ended.value.code == 1
    assert "before.json is no report" in capsys.readouterr().err

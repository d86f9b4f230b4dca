# SPDX-License-Identifier: AGPL-3.0-or-later
import json
from pathlib import Path

import pytest

from models.errors import DatasetError
from models.evaluation.frozen.gate import (
    Judgement,
    baseline_of,
    compare,
    gate_text,
    read_baseline,
    write_baseline,
)
from models.evaluation.frozen.pictures import read_frozen

SET = "f" * 64


def judgements(right: int, wrong: int, *, name: str = "night") -> dict[str, list[Judgement]]:
    cases = [Judgement(is_right=True, slices=("half a",)) for _ in range(right)]
    cases += [Judgement(is_right=False, slices=(name,)) for _ in range(wrong)]
    return {"plate read exactly": cases}


def test_the_same_models_have_not_fallen() -> None:
    now = judgements(40, 10)

    verdicts = compare(now, baseline_of(now, frozen_sha256=SET), frozen_sha256=SET)

    assert [(one.slice_name, one.cases) for one in verdicts] == [
        ("all", 50),
        ("half a", 40),
        ("night", 10),
    ]
    assert not any(one.has_fallen for one in verdicts)


def test_a_model_that_lost_cases_has_fallen() -> None:
    before = baseline_of(judgements(50, 0), frozen_sha256=SET)

    verdicts = compare(judgements(38, 12), before, frozen_sha256=SET)

    by_slice = {one.slice_name: one for one in verdicts}
    assert by_slice["all"].has_fallen
    assert (by_slice["all"].lost, by_slice["all"].gained) == (12, 0)
    assert by_slice["night"].p_value == pytest.approx(3 / 2**12)  # three slices, the least first
    assert not by_slice["half a"].has_fallen
    assert "FALLEN" in gate_text(verdicts)
    assert "2 of 3 slices have fallen" in gate_text(verdicts)


def test_a_few_lost_cases_are_chance() -> None:
    before = baseline_of(judgements(50, 0), frozen_sha256=SET)

    verdicts = compare(judgements(47, 3), before, frozen_sha256=SET)

    assert not any(one.has_fallen for one in verdicts)


def test_a_better_model_passes() -> None:
    before = baseline_of(judgements(20, 30), frozen_sha256=SET)

    assert not any(one.has_fallen for one in compare(judgements(50, 0), before, frozen_sha256=SET))


def test_other_pictures_or_cases_can_not_be_compared() -> None:
    before = baseline_of(judgements(50, 0), frozen_sha256=SET)

    with pytest.raises(DatasetError, match="other frozen pictures"):
        compare(judgements(50, 0), before, frozen_sha256="0" * 64)
    with pytest.raises(DatasetError, match="other cases"):
        compare(judgements(49, 0), before, frozen_sha256=SET)


def test_a_baseline_is_kept_and_read_back(tmp_path: Path) -> None:
    before = baseline_of(judgements(3, 2), frozen_sha256=SET)

    write_baseline(before, tmp_path / "b.json")

    assert read_baseline(tmp_path / "b.json") == before
    assert before["judgements"]["plate read exactly"] == "11100"
    assert len(before["models"]["plate-reader"]) == 64


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"schema": "luuthong-gate/0"})])
def test_a_malformed_baseline_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DatasetError, match=r"b\.json"):
        read_baseline(path)
    with pytest.raises(DatasetError, match="--write-baseline"):
        read_baseline(tmp_path / "absent.json")


def test_frozen_pictures_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"crops\.csv is missing"):
        read_frozen(tmp_path)

    (tmp_path / "crops.csv").write_text("file,text\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="other columns"):
        read_frozen(tmp_path)

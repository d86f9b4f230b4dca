# SPDX-License-Identifier: AGPL-3.0-or-later
import pytest

from models.evaluation.whole_pictures import PictureRead, whole_scores
from models.runtime.values import PlateReading
from tests.unit.models.test_evaluation_reading import reading


def picture(read: PlateReading | None, *texts: str, vehicle: str = "car") -> PictureRead:
    return PictureRead(texts=frozenset(texts), reading=read, facets={"vehicle": vehicle})


def test_a_plate_that_was_not_found_is_wrong_and_not_answered() -> None:
    (score, _) = whole_scores([picture(None, "51F12345")], answer_from=0.9)

    assert (score.exact.successes, score.exact.trials) == (0, 1)
    assert score.answered.successes == 0
    assert score.answered_wrong.value is None


def test_each_opinion_on_a_plate_is_right() -> None:
    read = picture(reading("51F12345", 0.95), "51F12345", "51F12346")

    assert read.is_right


@pytest.mark.parametrize(("confidence", "answered"), [(0.95, 1), (0.5, 0)])
def test_only_sure_readings_are_answered(confidence: float, answered: int) -> None:
    read = [picture(reading("51F12340", confidence), "51F12345")]

    score = whole_scores(read, answer_from=0.9)[0]

    assert score.answered.successes == answered
    assert (score.answered_wrong.successes, score.answered_wrong.trials) == (answered, answered)


def test_vehicles_have_slices() -> None:
    read = [picture(None, "A"), picture(None, "B", vehicle="motorbike")]

    names = [(one.slice_name, one.pictures) for one in whole_scores(read, answer_from=0.9)]

    assert names == [("all", 2), ("vehicle car", 1), ("vehicle motorbike", 1)]
    assert whole_scores([], answer_from=0.9) == ()

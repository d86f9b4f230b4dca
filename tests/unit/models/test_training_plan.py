# SPDX-License-Identifier: AGPL-3.0-or-later
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import DatasetError
from models.training.detectors.settings import CONFIG_FOLDER
from models.training.plan import TrainingPlan, learning_rate_at, load_plan

PLAN = TrainingPlan(
    seed=1,
    cycles=(100, 50),
    batch_size=8,
    real_share=0.5,
    learning_rate=0.1,
    weight_decay=0.0,
    warmup_steps=10,
    average_decay=0.9,
    checkpoint_every=10,
)


def test_the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() -> None:
    assert learning_rate_at(0, PLAN) == pytest.approx(0.01)
    assert learning_rate_at(9, PLAN) == pytest.approx(0.1)
    # Half way down the cosine, of which 0.5 % always stays.
    assert learning_rate_at(55, PLAN) == pytest.approx(0.1 * (0.005 + 0.995 / 2))
    assert learning_rate_at(99, PLAN) < 0.001


def test_a_later_cycle_begins_at_half_of_the_peak() -> None:
    assert learning_rate_at(100, PLAN) == pytest.approx(0.005)
    assert learning_rate_at(109, PLAN) == pytest.approx(0.05)
    assert learning_rate_at(149, PLAN) < 0.001
    assert PLAN.steps == 150


@pytest.mark.parametrize(
    "wrong",
    [
        {"cycles": ()},
        {"cycles": (100, 10)},
        {"cycles": (2_000_000,)},
        {"warmup_steps": 0},
        {"checkpoint_every": 0},
        {"real_share": 1.5},
    ],
)
def test_a_plan_that_can_not_be_run_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"plan|cycle|least|share"):
        replace(PLAN, **wrong)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("name", ["plate-corners", "plate-reader"])
def test_the_projects_own_plans_can_be_run(name: str) -> None:
    assert load_plan(CONFIG_FOLDER / f"{name}.toml").steps > 1000


@pytest.mark.parametrize(
    "text", ["", "cycles = 3", "no toml at all", 'cycles = [9]\nunknown = "x"']
)
def test_a_file_that_is_no_plan_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(DatasetError, match=r"plan\.toml"):
        load_plan(path)

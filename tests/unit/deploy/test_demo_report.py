# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration judges itself by hand-computed cases."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import UUID

import pytest
from rich.console import Console

from deploy.demo.results import (
    EventLedger,
    StoredPassage,
    compare,
    distance_in_widths,
    faults,
    percentile_s,
)
from deploy.demo.screens import show_summary, show_vehicles, show_verdict
from models.datasets.synth.road.plan import Heading, PlateSight, VehicleTruth
from models.runtime.values import BoxPx, PlateColour, PlateLayout, VehicleClass

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
COMPLETE = EventLedger(made=2, stored=2, missing=0, waiting=0, repeated=0, quarantined=0)


def box_at(x: float, y: float) -> BoxPx:
    """A plate of 100 x 20 pixels around a point."""
    return BoxPx(x_min=x - 50, y_min=y - 10, x_max=x + 50, y_max=y + 10)


def vehicle(number: int, plate: str, *, x: float) -> VehicleTruth:
    """Its plate is at ``x, 300`` in frames 10 to 19."""
    return VehicleTruth(
        number=number,
        vehicle_class=VehicleClass.CAR,
        heading=Heading.APPROACHING,
        plate_text=plate,
        plate_layout=PlateLayout.ONE_LINE,
        plate_colour=PlateColour.WHITE,
        first_frame=10,
        line_frame=15,
        last_frame=19,
        readable_frames=10,
        sights=tuple(PlateSight(frame=frame, box_px=box_at(x, 300)) for frame in range(10, 20)),
    )


def passage(
    plate: str, *, frame: int = 15, x: float | None = 200, delay_s: float = 1.0
) -> StoredPassage:
    return StoredPassage(
        id=UUID(int=frame),
        captured_at=START,
        last_seen_at=START + timedelta(seconds=0.25),
        stored_at=START + timedelta(seconds=delay_s),
        frame_index=frame,
        plate_text=plate,
        plate_confidence=0.9,
        plate_box_px=None if x is None else box_at(x, 300),
        vehicle_class="car",
        pictures_named=2,
        pictures_stored=2,
    )


TWO = (vehicle(1, "30F25658", x=200), vehicle(2, "51A00123", x=600))


def test_each_passage_goes_to_the_vehicle_whose_plate_was_there() -> None:
    comparison = compare(TWO, [passage("51A00123", x=610), passage("30F25658", x=190)])

    assert [len(one.passages) for one in comparison.vehicles] == [1, 1]
    assert comparison.right_count == 2
    assert (comparison.missing_count, comparison.doubled_count) == (0, 0)


def test_a_plate_read_wrongly_still_belongs_to_its_vehicle() -> None:
    comparison = compare(TWO, [passage("30F25659", x=200), passage("51A00123", x=600)])

    assert comparison.missing_count == 0
    assert comparison.right_count == 1


def test_a_vehicle_without_a_passage_is_missing_and_one_with_two_is_doubled() -> None:
    comparison = compare(TWO, [passage("30F25658"), passage("30F25658", frame=18)])

    assert comparison.missing_count == 1
    assert comparison.doubled_count == 1


@pytest.mark.parametrize(
    "elsewhere",
    [
        passage("30F25658", x=400),  # two plate widths from both
        passage("30F25658", frame=25),  # six frames after the last sight
        passage("", x=None),  # no plate at all
    ],
    ids=["too far away", "too late", "without a plate"],
)
def test_a_passage_that_fits_no_vehicle_is_a_stray(elsewhere: StoredPassage) -> None:
    comparison = compare(TWO, [elsewhere])

    assert comparison.strays == (elsewhere,)
    assert comparison.missing_count == 2


def test_the_distance_is_counted_in_widths_of_the_true_plate() -> None:
    assert distance_in_widths(TWO[0], passage("", x=250)) == pytest.approx(0.5)
    assert distance_in_widths(TWO[0], passage("", frame=21)) == pytest.approx(0.0)
    assert distance_in_widths(TWO[0], passage("", frame=22)) is None


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (1, 0.5, 1),  # the only one
        (4, 0.5, 2),  # rank 2 of 4
        (5, 0.5, 3),  # rank 2.5, rounded up
        (100, 0.99, 99),
        (101, 0.99, 100),  # rank 99.99, rounded up
        (24, 0.99, 24),  # of few values the largest
        (10, 1.0, 10),
    ],
)
def test_percentiles_are_nearest_ranks(count: int, share: float, expected: int) -> None:
    delays = [timedelta(seconds=second) for second in range(count, 0, -1)]

    assert percentile_s(delays, share) == expected


def test_there_is_no_percentile_of_nothing_and_no_share_above_one() -> None:
    assert percentile_s([], 0.5) is None
    with pytest.raises(ValueError, match="share"):
        percentile_s([timedelta(seconds=1)], 1.5)


def test_a_run_in_which_all_is_well_has_no_faults() -> None:
    comparison = compare(TWO, [passage("30F25658"), passage("51A00123", x=600)])

    assert faults(COMPLETE, comparison, device_code=0) == []
    assert faults(COMPLETE, None, device_code=0) == []


def test_an_interrupted_playing_is_called_so() -> None:
    assert faults(COMPLETE, None, device_code=130) == ["Playing was interrupted."]


def test_an_event_that_the_device_still_holds_is_not_lost() -> None:
    stored_but_unacknowledged = EventLedger(
        made=3, stored=3, missing=0, waiting=1, repeated=0, quarantined=0
    )
    never_sent = EventLedger(made=3, stored=2, missing=1, waiting=1, repeated=0, quarantined=0)

    assert (stored_but_unacknowledged.lost, never_sent.lost) == (0, 0)


def test_every_fault_is_named() -> None:
    ledger = EventLedger(made=5, stored=2, missing=3, waiting=1, repeated=1, quarantined=1)
    comparison = compare(
        TWO, [passage("30F25658"), passage("30F25658", frame=18), passage("", x=400)]
    )

    found = faults(ledger, comparison, device_code=3)

    assert found == [
        "The device ended with code 3.",
        "2 of 5 events are lost.",
        "1 events wait in the device and go out with the next run.",
        "1 events are in quarantine.",
        "1 vehicle passed without a passage.",
        "1 vehicle got more than one passage.",
        "1 passages belong to no vehicle that was shown.",
    ]


def test_the_tables_show_the_figures() -> None:
    passages = [passage("30F25658", delay_s=0.5), passage("51A00124", x=600, delay_s=2.25)]
    comparison = compare(TWO, passages)
    output = StringIO()
    console = Console(file=output, width=120)

    show_vehicles(console, comparison)
    show_summary(console, ledger=COMPLETE, passages=passages, comparison=comparison)
    show_verdict(console, [])

    shown = " ".join(output.getvalue().replace("│", " ").split())
    assert "plates read right 1 of 2" in shown
    assert "camera to row, p50 0.50 s" in shown
    assert "camera to row, p99 2.25 s" in shown
    assert "last sight to row, p50 0.25 s" in shown
    assert "last sight to row, p99 2.00 s" in shown
    assert "evidence pictures stored 4 of 4" in shown
    assert "Nothing was lost and nothing was doubled." in shown

# SPDX-License-Identifier: AGPL-3.0-or-later
"""One vehicle is one passage: not two by flicker, not none by a short look."""

from datetime import timedelta

from central.contracts.passage import Direction
from edge.pipeline.rules import GATE_PASSAGES, ROAD_PASSAGES, STILL_GATE_PASSAGES
from edge.stages import Frame, Read, Tracked, TrackedObject
from models.runtime.values import Detection, VehicleClass
from tests.unit.edge.film import FRAME_S, Film, VehiclesAt
from tests.unit.edge.makers import NOW, box, image, reading


def test_a_plate_that_comes_and_goes_is_one_passage() -> None:
    film = Film(GATE_PASSAGES)
    for step in range(8):
        film.show((1, box(100, 60 + 10 * step), reading("47AD15155")))
    film.nothing(1.0, ended=(1,))

    (passage,) = film.finish()

    assert film.texts == ["47AD15155"]
    assert passage.direction is Direction.DOWN
    assert passage.plate_frames == 8
    assert passage.first_seen_at == NOW
    assert passage.last_seen_at == NOW + timedelta(seconds=0.7)
    assert passage.first_seen_at <= passage.captured_at <= passage.last_seen_at
    assert passage.vehicle_class is VehicleClass.CAR
    assert [picture.kind for picture in passage.evidence] == ["scene", "plate"]


def test_a_vehicle_at_the_barrier_is_sent_while_it_stands_there_and_only_once() -> None:
    film = Film(GATE_PASSAGES)

    for _ in range(50):
        film.show((1, box(100, 100), reading("47AD15155")))
    sent_while_standing = len(film.passages)
    film.finish(1)

    assert sent_while_standing == 1
    assert film.texts == ["47AD15155"]


def test_a_vehicle_with_a_like_plate_beside_one_that_stands_is_another_passage() -> None:
    film = Film(GATE_PASSAGES)
    for step in range(40):
        first = (1, box(100, 100), reading("47AD15155", 0.8 + 0.004 * step))
        second = (2, box(140, 200), reading("47AD15156", 0.6))
        film.show(first, *((second,) if step >= 30 else ()))

    film.finish(1, 2)

    assert film.texts == ["47AD15155", "47AD15156"]


def test_flicker_of_two_frames_is_no_passage_at_a_gate() -> None:
    film = Film(GATE_PASSAGES)
    film.show((1, box(100, 100), reading("47AD15155", 0.3)))
    film.show((1, box(100, 100), reading("47AD15155", 0.3)))

    film.finish(1)

    assert film.passages == []
    assert film.assembly.counts.too_faint == 1


def test_a_plate_that_is_lost_and_found_again_is_one_passage() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(5):
        film.show((1, box(100, 100), reading("47AD15155")))
    film.nothing(1.0, ended=(1,))
    for _ in range(5):
        film.show((2, box(110, 110), reading("47AD15155")))

    film.finish(2)

    assert film.texts == ["47AD15155"]
    assert film.assembly.counts.rejoined == 1


def test_a_plate_that_is_found_again_too_small_to_be_read_is_no_second_passage() -> None:
    film = Film(GATE_PASSAGES)
    for step in range(12):
        film.show((1, box(100 + 5 * step, 100), reading("47AD15155")))
    film.nothing(0.2, ended=(1,))
    for step in range(15, 20):
        film.show((2, box(100 + 5 * step, 100), reading("30F2", 0.05)))

    film.finish(2)

    assert film.texts == ["47AD15155"]
    assert film.assembly.counts.rejoined == 1


def test_an_illegible_plate_elsewhere_is_another_passage() -> None:
    film = Film(GATE_PASSAGES, vehicles=VehiclesAt(box(150, 100, 120), box(190, 20, 120)))
    for step in range(12):
        film.show((1, box(100 + 5 * step, 100), reading("47AD15155")))
    film.nothing(0.2, ended=(1,))
    for step in range(15, 20):
        film.show((2, box(100 + 5 * step, 20), reading("30F2", 0.05)))

    film.finish(2)

    assert film.texts == ["47AD15155", "30F2"]


def test_an_unsure_beginning_is_joined_with_the_sure_rest() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(4):
        film.show((1, box(100, 60), reading("47AD1515S", 0.4)))
    film.nothing(0.5, ended=(1,))
    for _ in range(4):
        film.show((2, box(100, 90), reading("47AD15155")))

    film.finish(2)

    assert film.texts == ["47AD15155"]
    assert film.passages[0].plate_frames == 8
    assert film.passages[0].first_seen_at == NOW


def test_the_same_plate_a_minute_later_is_another_passage() -> None:
    film = Film(GATE_PASSAGES)
    for track_id in (1, 2):
        for _ in range(5):
            film.show((track_id, box(100, 100), reading("47AD15155")))
        film.nothing(60, ended=(track_id,))

    film.finish()

    assert film.texts == ["47AD15155", "47AD15155"]


def test_two_vehicles_with_similar_sure_plates_are_two_passages() -> None:
    film = Film(GATE_PASSAGES)
    for track_id, text in ((1, "51F12345"), (2, "51F12346")):
        for _ in range(5):
            film.show((track_id, box(100, 100), reading(text)))
        film.nothing(0.7, ended=(track_id,))

    film.finish()

    assert film.texts == ["51F12345", "51F12346"]


def test_a_track_that_goes_over_to_another_vehicle_is_split() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(5):
        film.show((1, box(100, 100), reading("51F12345")))
    for _ in range(5):
        film.show((1, box(100, 100), reading("30A98765")))

    film.finish(1)

    assert film.texts == ["51F12345", "30A98765"]


def test_one_wrong_reading_does_not_split_a_track() -> None:
    film = Film(GATE_PASSAGES)
    for text in ("51F12345", "51F12345", "30A98765", "51F12345", "51F12345"):
        film.show((1, box(100, 100), reading(text)))

    film.finish(1)

    assert film.texts == ["51F12345"]


def test_a_faint_plate_is_believed_when_a_legal_text_was_read_on_it() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(5):
        film.show(
            (1, box(100, 100), reading("28Y31133", 0.9)),
            (2, box(200, 100), reading("99Z98765", 0.2)),
            confidence=0.3,
        )

    film.finish(1, 2)

    assert film.texts == ["28Y31133"]
    assert film.assembly.counts.too_faint == 1


def test_two_vehicles_side_by_side_are_two_passages_however_alike_their_plates() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(5):
        film.show(
            (1, box(100, 100), reading("51F12345", 0.6)),
            (2, box(200, 100), reading("51F12346", 0.6)),
        )

    film.finish(1, 2)

    assert film.texts == ["51F12345", "51F12346"]


def test_an_illegible_plate_at_a_gate_still_is_a_passage() -> None:
    film = Film(GATE_PASSAGES)
    for _ in range(5):
        film.show((1, box(100, 100), reading("", 0.0)))

    film.finish(1)

    assert film.texts == [""]


def test_every_single_picture_with_a_plate_is_a_passage() -> None:
    film = Film(STILL_GATE_PASSAGES)
    for number, text in enumerate(("51F12345", "30A98765", "30A98765")):
        ended = () if number == 0 else (number - 1,)
        film.show((number, box(100, 100), reading(text)), ended=ended)

    film.finish(2)

    assert film.texts == ["51F12345", "30A98765", "30A98765"]
    assert {passage.direction for passage in film.passages} == {Direction.UNKNOWN}


def drive(film: Film, track_id: int, *, rows: range, x: float = 160, label: str = "car") -> None:
    for y in rows:
        film.show((track_id, box(x, y), None), label=label)


def test_a_vehicle_on_a_road_passes_with_its_direction_and_class() -> None:
    film = Film(ROAD_PASSAGES)
    drive(film, 1, rows=range(220, 20, -10), label="truck")
    film.finish(1)

    (passage,) = film.passages

    assert passage.direction is Direction.UP
    assert passage.vehicle_class is VehicleClass.TRUCK
    assert passage.plate is None
    assert [picture.kind for picture in passage.evidence] == ["scene"]


def test_a_guess_is_not_said_on_a_road() -> None:
    film = Film(ROAD_PASSAGES)
    for y in range(220, 20, -10):
        film.show((1, box(160, y), reading("38M33933", 0.02)), label="car")

    film.finish(1)

    assert film.texts == [None]


def test_a_parked_vehicle_is_no_passage_on_a_road() -> None:
    film = Film(ROAD_PASSAGES)
    drive(film, 1, rows=range(100, 101), label="car")
    for _ in range(30):
        film.show((1, box(160, 100), None), label="car")

    film.finish(1)

    assert film.passages == []


def test_a_vehicle_lost_in_the_middle_of_the_road_is_one_passage() -> None:
    film = Film(ROAD_PASSAGES)
    drive(film, 1, rows=range(220, 160, -10))
    film.nothing(0.4, ended=(1,))
    drive(film, 2, rows=range(110, 20, -10))

    film.finish(2)

    assert len(film.passages) == 1
    assert film.passages[0].first_seen_at == NOW
    assert film.assembly.counts.rejoined == 1


def test_a_vehicle_that_appears_elsewhere_is_another_one() -> None:
    film = Film(ROAD_PASSAGES)
    drive(film, 1, rows=range(220, 120, -10), x=60)
    film.nothing(0.3, ended=(1,))
    drive(film, 2, rows=range(40, 200, 10), x=260)

    film.finish(2)

    assert [passage.direction for passage in film.passages] == [Direction.UP, Direction.DOWN]


def test_two_boxes_on_one_vehicle_are_one_passage() -> None:
    film = Film(ROAD_PASSAGES)
    for y in range(220, 20, -10):
        film.show((1, box(160, y, 60), None), label="truck")
        film.index -= 1
        film.assembly.take(_both(film, y))
        film.index += 1

    film.finish(1, 2)

    assert len(film.passages) == 1


def _both(film: Film, y: float) -> Read:
    """A frame in which a fainter second box lies on the first."""
    frame = Frame(
        camera_id="cam-01",
        index=film.index,
        captured_at=NOW + timedelta(seconds=FRAME_S * film.index),
        image=image(),
    )
    pair = tuple(
        TrackedObject(
            track_id=track_id,
            detection=Detection(label="truck", confidence=confidence, box_px=box(160, y, size)),
        )
        for track_id, confidence, size in ((1, 0.9, 60.0), (2, 0.5, 52.0))
    )
    return Read(tracked=Tracked(frame=frame, objects=pair, ended_track_ids=()), sightings=())

# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message's packed row reads back as what the message said, column by column."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
import pytest
from psycopg.rows import dict_row

from central.contracts.passage import BoxV1, PassageV1
from central.contracts.tag_read import TagReadV1
from central.contracts.topics import Stream
from central.db.copying import float4_array
from central.db.pool import connection_info
from central.ingest.database import IngestDatabase
from central.ingest.parsing import parse
from central.ingest.store import store_batch
from central.ingest.types import Delivery
from central.settings import IngestSettings

if TYPE_CHECKING:
    from tests.integration.central.conftest import FakeDevice

NOW = datetime.now(UTC).replace(microsecond=123_456)
CAPTURED_AT = (NOW - timedelta(hours=1)).replace(microsecond=987_654)
LIMITS = IngestSettings().time_limits


class Store(Protocol):
    """Stores one event and gives its row."""

    def __call__(
        self, device: "FakeDevice", event: PassageV1 | TagReadV1, table: str
    ) -> Mapping[str, Any]: ...


@pytest.fixture
def stored(database_url: str, rows: psycopg.Connection) -> Store:
    """Store an event as ingest does and read its row back."""

    def store(
        device: "FakeDevice", event: PassageV1 | TagReadV1, table: str
    ) -> Mapping[str, Any]:  # Any: a row of either table
        stream = Stream.PASSAGE if isinstance(event, PassageV1) else Stream.TAG_READ
        database = IngestDatabase(connection_info(database_url))
        message = parse(Delivery(topic=device.topic(stream), payload=event.to_json()))
        with database.transaction() as connection:
            outcome = store_batch(connection, [message], limits=LIMITS, now=NOW)
        database.close()
        assert outcome.stored == 1
        with rows.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(
                psycopg.sql.SQL("SELECT * FROM {} WHERE id = %s").format(
                    psycopg.sql.Identifier(table)
                ),
                [event.id],
            ).fetchone()
        assert row is not None
        return row

    return store


def corners(box: BoxV1 | None) -> list[float] | None:
    return None if box is None else [box.x_min, box.y_min, box.x_max, box.y_max]


def assert_row_says(row: Mapping[str, Any], passage: PassageV1) -> None:
    """Every column of a passage."""
    plate = passage.plate
    plain = passage.model_dump(
        exclude={"kind", "outbox_id", "vehicle_box", "plate", "models", "evidence"}
    )
    for name, value in plain.items():
        expected = pytest.approx(value) if isinstance(value, float) else value
        assert row[name] == expected, name
    assert row["stored_at"] == NOW
    assert row["vehicle_box_px"] == corners(passage.vehicle_box)
    assert row["models"] == [each.model_dump() for each in passage.models]
    assert row["plate_text"] == (plate.text if plate else "")
    assert row["plate_raw_text"] == (plate.raw_text if plate else None)
    assert row["plate_box_px"] == corners(plate.box if plate else None)
    if plate is not None:
        assert row["plate_confidence"] == pytest.approx(plate.confidence)
        assert row["plate_char_confidences"] == pytest.approx(list(plate.char_confidences))
        assert row["plate_is_legal"] is plate.is_legal
        assert row["plate_alternatives"] == [each.model_dump() for each in plate.alternatives]
        assert row["plate_layout"] == plate.layout
        assert row["plate_colour"] == plate.colour
        assert row["plate_frames_read"] == plate.frames_read


def test_a_passage_with_everything(stored: Store, device: "FakeDevice") -> None:
    passage = device.passage(
        captured_at=CAPTURED_AT, speed_kmh=47.5, speed_uncertainty_kmh=2.25, is_late=True
    )

    assert_row_says(stored(device, passage, "passage"), passage)


def test_a_passage_with_as_little_as_may_be(stored: Store, device: "FakeDevice") -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("lane", "vehicle_class", "vehicle_confidence", "vehicle_box", "plate"), None
    )
    passage = device.passage(captured_at=CAPTURED_AT, models=(), evidence=(), **nothing)

    row = stored(device, passage, "passage")

    assert_row_says(row, passage)
    assert row["models"] == []


def test_a_plate_that_nothing_could_be_read_of(stored: Store, device: "FakeDevice") -> None:
    passage = device.passage(captured_at=CAPTURED_AT)
    assert passage.plate is not None
    unread = {"text": "", "char_confidences": (), "alternatives": (), "is_legal": False}
    passage = passage.model_copy(update={"plate": passage.plate.model_copy(update=unread)})

    assert_row_says(stored(device, passage, "passage"), passage)


@pytest.mark.parametrize("changes", [{}, {"lane": None, "rssi_dbm": None, "tid": "E280" * 6}])
def test_a_tag_read(stored: Store, device: "FakeDevice", changes: dict[str, Any]) -> None:
    tag_read = device.tag_read(captured_at=CAPTURED_AT, **changes)

    row = stored(device, tag_read, "tag_read")

    for name, value in tag_read.model_dump(exclude={"kind", "outbox_id"}).items():
        assert row[name] == value, name
    assert row["stored_at"] == NOW


def test_pictures_are_noted_once_each(
    stored: Store, device: "FakeDevice", rows: psycopg.Connection
) -> None:
    passage = device.passage(captured_at=CAPTURED_AT)
    passage = passage.model_copy(update={"evidence": (*passage.evidence, passage.evidence[0])})
    stored(device, passage, "passage")

    noted = rows.execute(
        "SELECT captured_at, encode(sha256, 'hex'), kind, media_type, size_bytes"
        "  FROM passage_evidence WHERE passage_id = %s",
        [passage.id],
    ).fetchall()

    assert sorted(noted) == sorted(
        (passage.captured_at, each.sha256, each.kind.value, each.media_type, each.size_bytes)
        for each in passage.evidence[:2]
    )


@pytest.mark.parametrize("values", [[], [1.0], [0.5, -3.25, 1e9]])
def test_an_array_is_the_one_that_the_driver_would_send(
    rows: psycopg.Connection, values: list[float]
) -> None:
    field = float4_array(values)

    with rows.cursor(binary=True) as cursor:
        sent = cursor.execute("SELECT array_send(%s::real[])", [values]).fetchone()

    assert sent is not None
    assert field[4:] == sent[0]
    assert int.from_bytes(field[:4], "big") == len(sent[0])

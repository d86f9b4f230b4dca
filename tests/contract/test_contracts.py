# SPDX-License-Identifier: AGPL-3.0-or-later
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from central.contracts.passage import PassageV1
from central.contracts.schemas import CONTRACTS, FOLDER, schema_text
from central.contracts.topics import Stream, Topic, parse_topic, subscription_for

SAMPLES = Path(__file__).parent / "samples"


def _sample(name: str) -> dict[str, Any]:
    # Any: a sample is arbitrary JSON, taken apart by the tests below.
    content: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return content


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_exported_schema_is_current(name: str) -> None:
    exported = (FOLDER / f"{name}.schema.json").read_text("utf-8")

    assert exported == schema_text(name), "run: python -m central.contracts.schemas"


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_kept_sample_of_each_version_still_reads_and_fits_its_schema(name: str) -> None:
    sample = _sample(name)
    schema = json.loads(schema_text(name))

    message = CONTRACTS[name].from_json(json.dumps(sample))

    Draft202012Validator(schema).validate(sample)
    assert CONTRACTS[name].from_json(message.to_json()) == message


def test_every_released_version_has_a_sample() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(CONTRACTS)


@pytest.mark.parametrize("name", CONTRACTS)
def test_fields_of_a_newer_device_are_ignored(name: str) -> None:
    newer = _sample(name) | {"something_new": {"deep": [1, 2, 3]}}

    message = CONTRACTS[name].from_json(json.dumps(newer))

    assert message == CONTRACTS[name].from_json(json.dumps(_sample(name)))


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_producer_may_not_add_fields(name: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        CONTRACTS[name].model_validate(_sample(name) | {"something_new": 1})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seq": 0}, "greater than or equal to 1"),
        ({"device_id": "Gate/01"}, "pattern"),
        ({"captured_at": "2026-11-22T03:04:05"}, "timezone"),
        ({"captured_at": "2026-11-22T03:05:05Z"}, "captured_at <= last_seen_at"),
        ({"vehicle_confidence": None}, "go together"),
        ({"speed_uncertainty_kmh": None}, "needs its uncertainty"),
        ({"speed_kmh": -1}, "greater than or equal to 0"),
        ({"kind": "passage/2"}, "passage/1"),
        ({"vehicle_box": {"x_min": 5, "y_min": 0, "x_max": 5, "y_max": 1}}, "x_max > x_min"),
    ],
)
def test_a_passage_that_contradicts_itself_is_refused(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        PassageV1.from_json(json.dumps(_sample("passage-1") | change))


@pytest.mark.parametrize("text", ["20C-123", "20c12345", "20C12345\n", "A" * 13, "\uff12\uff10C1"])
def test_a_plate_text_is_upper_case_without_separators(text: str) -> None:
    sample = _sample("passage-1")
    sample["plate"] |= {"text": text, "char_confidences": [0.5] * len(text)}

    with pytest.raises(ValidationError):
        PassageV1.from_json(json.dumps(sample))


def test_not_a_number_is_refused_as_a_confidence() -> None:
    payload = json.dumps(_sample("passage-1") | {"vehicle_confidence": float("nan")})

    with pytest.raises(ValidationError):
        PassageV1.from_json(payload)


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"[]", b"null", b'{"kind":', b"12"])
def test_what_is_not_a_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ValidationError):
        PassageV1.from_json(payload)


SLUGS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)


@given(province=SLUGS, site_id=SLUGS, device_id=SLUGS, stream=st.sampled_from(Stream))
def test_a_topic_reads_back_as_it_was_made(
    province: str, site_id: str, device_id: str, stream: Stream
) -> None:
    topic = Topic(province=province, site_id=site_id, device_id=device_id, stream=stream)

    assert parse_topic(str(topic)) == topic


@pytest.mark.parametrize(
    "text",
    ["", "lt/1", "lt/1/a/b/c", "lt/1/a/b/c/passage/x", "lt/2/a/b/c/passage", "lt/1/a/b/c/other",
     "lt/1/+/b/c/passage", "lt/1/a/#/c/passage", "lt/1/a/b/C/passage", "lt/1/a/b/c\n/passage"],
)  # fmt: skip
def test_a_foreign_topic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_topic(text)


def test_a_subscription_covers_every_device() -> None:
    assert subscription_for(Stream.PASSAGE) == "lt/1/+/+/+/passage"

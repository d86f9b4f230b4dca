# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ingest reads fast is what the contract says, for whatever stands in a message."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from central.contracts.message import Message
from central.contracts.passage import PassageV1
from central.contracts.tag_read import TagReadV1
from central.ingest import wire
from central.ingest.parsing import parse
from central.ingest.types import Delivery, EventMessage
from central.ingest.wire import WireEvent, WirePassage, WireTagRead, read_passage, read_tag_read

SAMPLES = Path(__file__).parent / "samples"
Read = Callable[[bytes], WireEvent]
# name of the sample, the contract, the fast reader alone, and the reader that ingest uses
EVENTS = [
    pytest.param(
        "passage-1", PassageV1, msgspec.json.Decoder(WirePassage).decode, read_passage, id="passage"
    ),
    pytest.param(
        "tag-read-1",
        TagReadV1,
        msgspec.json.Decoder(WireTagRead).decode,
        read_tag_read,
        id="tag read",
    ),
]
# Values at and beyond the edges of what fields allow; JSON of any kind beside them.
NUMBERS = (-1, 0, 1, 12, 64, 65, 400, 401, 2**31, 2**40, 2**62, 2**62 + 1, 2**63, 1.5, -0.1, 1.1)
NAMES = (
    "",
    "a",
    "A",
    "gate-01",
    "gate-01\n",
    "Gate/01",
    "-a",
    "a" * 41,
    "passage/2",
    "yellow",
    "file",
)
CODES = (
    "20A12345",
    "20a12345",
    "0" * 13,
    "\u0110",
    "E280",
    "0" * 64,
    "0" * 64 + "\n",
    "F" * 64,
    "\uff11",
)
TIMES = (
    "2026-11-22T03:04:05",
    "2026-11-22T03:04:05Z",
    "2026-11-22T10:04:05.1234567+07:00",
    "1969-12-31T23:59:59Z",
    "9999-12-31T23:59:60Z",
    "2026-11-22",
)
OTHERS: tuple[object, ...] = (
    *(None, True, False, 1e300, "NaN", "1", "\u0000", "0" * 32, str(UUID(int=0))),
    *([], {}, [1.0], [None], ["a"], {"x_min": 1, "y_min": 1, "x_max": 1, "y_max": 2}),
)
EDGES = st.sampled_from((*NUMBERS, *NAMES, *CODES, *TIMES, *OTHERS))


def sample_of(name: str) -> Any:  # noqa: ANN401  # arbitrary JSON, taken apart below
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a message."""
    items = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    for key, inner in items:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def changed(message: Any, path: tuple[str | int, ...], value: object, *, gone: bool) -> Any:  # noqa: ANN401
    """The message with one other value, or without one."""
    copied = copy.deepcopy(message)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    if gone:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copied


@pytest.mark.parametrize(("name", "contract", "read_fast", "read"), EVENTS)
@settings(max_examples=1500, deadline=None)
@given(data=st.data())
def test_the_fast_reader_takes_nothing_that_the_contract_refuses(
    name: str, contract: type[Message], read_fast: Read, read: Read, data: st.DataObject
) -> None:
    message = sample_of(name)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(message))))
        message = changed(message, path, data.draw(EDGES), gone=data.draw(st.booleans()))
    payload = json.dumps(message, ensure_ascii=data.draw(st.booleans())).encode()

    try:
        expected = contract.from_json(payload)
    except ValidationError:
        with pytest.raises(ValidationError):
            read(payload)
        with pytest.raises(ValueError, match=r"."):
            read_fast(payload)
        return
    assert_same(read(payload), expected)


@pytest.mark.parametrize(("name", "contract", "read_fast", "read"), EVENTS)
@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=200))
@example(payload=b"")
@example(payload=b'{"id":')
@example(payload=b'{"kind": NaN}')
@example(payload=b"[" * 5000)
@example(payload=b'"\xff\xfe"')
def test_bytes_that_are_no_message_are_refused_by_both(
    name: str, contract: type[Message], read_fast: Read, read: Read, payload: bytes
) -> None:
    assert sample_of(name)
    with pytest.raises(ValidationError):
        contract.from_json(payload)
    with pytest.raises(ValidationError):
        read(payload)
    with pytest.raises((ValueError, RecursionError)):
        read_fast(payload)


@pytest.mark.parametrize(("name", "contract", "read_fast", "read"), EVENTS)
def test_what_a_device_sends_needs_no_second_reading(
    name: str, contract: type[Message], read_fast: Read, read: Read
) -> None:
    sent = contract.from_json(json.dumps(sample_of(name)))

    assert_same(read_fast(sent.to_json()), sent)
    assert read(sent.to_json()) == read_fast(sent.to_json())


@pytest.mark.parametrize(("name", "contract", "read_fast", "read"), EVENTS)
def test_a_number_in_quotes_is_read_as_the_contract_reads_it(
    name: str, contract: type[Message], read_fast: Read, read: Read
) -> None:
    payload = json.dumps(sample_of(name) | {"seq": "17", "boot_id": "0" * 32}).encode()

    with pytest.raises(msgspec.ValidationError):
        read_fast(payload)
    assert_same(read(payload), contract.from_json(payload))


@pytest.mark.parametrize(
    ("contract", "struct"),
    [
        ("PassageV1", "WirePassage"),
        ("TagReadV1", "WireTagRead"),
        ("PlateReadV1", "WirePlate"),
        ("PlateAlternativeV1", "WireAlternative"),
        ("BoxV1", "WireBox"),
        ("EvidenceRefV1", "WirePicture"),
        ("ModelDigestV1", "WireModel"),
    ],
)
def test_every_field_of_the_contract_is_read(contract: str, struct: str) -> None:
    from central.contracts import passage, tag_read  # noqa: PLC0415  # looked up by name

    model: type[BaseModel] = getattr(passage, contract, None) or getattr(tag_read, contract)

    assert set(getattr(wire, struct).__struct_fields__) == set(model.model_fields)


@pytest.mark.parametrize("place", [("camera_id",), ("device_id",), ("models", 0, "sha256")])
def test_long_texts_of_a_device_are_refused_and_not_remembered(
    place: tuple[str | int, ...],
) -> None:
    before = (wire._are_short_slugs.cache_info(), wire._is_remembered_digest.cache_info())
    sizes = [info.currsize for info in before]

    for number in range(20):
        message = changed(sample_of("passage-1"), place, f"{number}" + "a" * 50_000, gone=False)
        with pytest.raises(ValidationError):
            read_passage(json.dumps(message).encode())

    after = (wire._are_short_slugs.cache_info(), wire._is_remembered_digest.cache_info())
    # The few names of the message itself may be new; none of the twenty long ones is kept.
    assert all(info.currsize <= size + 5 for info, size in zip(after, sizes, strict=True))


def assert_same(read: WireEvent, expected: Message) -> None:
    """All values agree, down to the last picture."""
    assert_equal_values(
        msgspec.to_builtins(read, builtin_types=(datetime, UUID)), expected.model_dump()
    )


@pytest.mark.parametrize("name", ["passage", "tag-read"])
def test_the_text_of_a_message_shows_nothing_of_what_it_says(name: str) -> None:
    payload = (SAMPLES / f"{name}-1.json").read_bytes()
    said = json.loads(payload)
    topic = f"lt/1/thai-nguyen/{said['site_id']}/{said['device_id']}/{name}"

    message = parse(Delivery(topic=topic, payload=payload))

    assert isinstance(message, EventMessage)
    code = said["plate"]["text"] if name == "passage" else said["epc"]
    for value in (message, message.event, message.delivery, *vars_of(message.event)):
        assert code not in repr(value) or value == code


def vars_of(event: object) -> list[object]:
    """The values of an event's fields."""
    assert isinstance(event, WirePassage | WireTagRead)
    return [getattr(event, field) for field in event.__struct_fields__]


def assert_equal_values(read: object, expected: object) -> None:
    """The same values; of a time, digits beyond microseconds may be rounded or cut off."""
    if isinstance(expected, dict):
        assert isinstance(read, dict)
        assert read.keys() == expected.keys()
        for key, value in expected.items():
            assert_equal_values(read[key], value)
    elif isinstance(expected, tuple):
        assert isinstance(read, list | tuple)
        for mine, other in zip(read, expected, strict=True):
            assert_equal_values(mine, other)
    elif isinstance(expected, datetime):
        assert isinstance(read, datetime)
        assert abs(read - expected) <= timedelta(microseconds=1)
    else:
        assert read == expected

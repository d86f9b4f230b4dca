# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message of another version, as every stream's contract of today would have it."""

import json
from pathlib import Path

import pytest

from central.contracts.streams import EVENT_CONTRACTS
from central.contracts.topics import Stream
from central.ingest.mending import propose

SAMPLES = Path(__file__).parents[2] / "contract" / "samples"


@pytest.mark.parametrize("stream", EVENT_CONTRACTS)
def test_a_message_of_another_major_version_is_proposed_as_the_known_one(stream: Stream) -> None:
    known = json.loads((SAMPLES / f"{stream}-1.json").read_text("utf-8"))
    other = {**known, "kind": f"{stream}/7", "lane": "first"} | {"something_new": 1}

    proposed = propose(stream, json.dumps(other).encode())

    assert proposed is not None
    read = EVENT_CONTRACTS[stream].from_json(proposed)
    assert read.seq == known["seq"]
    assert json.loads(proposed)["kind"] == f"{stream}/1"
    assert getattr(read, "lane", None) is None


def test_nothing_is_proposed_for_what_has_no_number() -> None:
    assert propose(Stream.HEARTBEAT, b"{}") is None

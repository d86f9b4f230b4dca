# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ingest says of a message that it refuses is said in the official's language."""

import json
from pathlib import Path

import pytest

from api.console.devices.labels import words
from central.ingest.parsing import parse
from central.ingest.types import Delivery, Reason, RejectedMessage

SAMPLES = Path(__file__).resolve().parents[2] / "contract" / "samples"


def message(name: str, **changes: str) -> bytes:
    return json.dumps({**json.loads((SAMPLES / name).read_text("utf-8")), **changes}).encode()


def place(name: str) -> str:
    """The beginning of the topic under which a sample is sent."""
    sample = json.loads((SAMPLES / name).read_text("utf-8"))
    return f"lt/1/thai-nguyen/{sample['site_id']}/{sample['device_id']}"


PASSAGE, HEARTBEAT = "passage-1.json", "heartbeat-1.json"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("weather/today", b"{}"),
        (f"{place(PASSAGE)}/ack", b"{}"),
        (f"{place(PASSAGE)}/passage", b"{"),
        (f"{place(PASSAGE)}/passage", message(PASSAGE, device_id="another")),
        (f"{place(PASSAGE)}/passage", message(PASSAGE, site_id="another")),
        (f"{place(HEARTBEAT)}/heartbeat", message(HEARTBEAT, device_id="another")),
    ],
)
def test_a_refusal_has_words_of_its_own(topic: str, payload: bytes) -> None:
    known = words(lambda text: text)

    refused = parse(Delivery(topic=topic, payload=payload))

    assert isinstance(refused, RejectedMessage)
    assert refused.detail in known["quarantine_details"]


def test_every_reason_has_words() -> None:
    assert set(Reason) == set(words(lambda text: text)["quarantine_reasons"])
